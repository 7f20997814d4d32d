import { SourceError } from '../base/error.ts'
import { inMap } from '../plan/settings.ts'
import type { Node } from '../syntax/node.ts'
import { render } from '../vars/render.ts'
import type { Scope } from '../vars/scope.ts'
import type { Asking } from './unit.ts'

/** How a task wants its changes guarded. */
export interface GuardWish {
  /** `auto`: where the change may lock people out. */
  readonly is: 'auto' | 'reconnect' | 'none'
  /** Within so many seconds a change is proved, or taken back by the host. */
  readonly seconds: number
  /** Where the host answers after the change, if elsewhere. */
  readonly port: number | undefined
}

export const DEADLINE_SECONDS = 120
const SHORTEST_SECONDS = 10
const LONGEST_SECONDS = 3600

/** @throws SourceError where a template comes to something else than a wish. */
export function guardWish({ settings }: Asking, scope: Scope): GuardWish {
  const node = settings.keywords.get('guard')
  if (node === undefined) return { is: 'auto', seconds: DEADLINE_SECONDS, port: undefined }
  const port = inMap(node, 'port')
  const time = inMap(node, 'reconnect')
  if (time !== undefined) {
    return {
      is: 'reconnect',
      seconds: secondsOf(time, scope),
      port: port === undefined ? undefined : portOf(port, scope),
    }
  }
  const word = render(node, scope)
  if (word === 'reconnect' || word === 'none') return { is: word, seconds: DEADLINE_SECONDS, port: undefined }
  throw new SourceError('BAD_VALUE', node.at, '`guard` is neither `reconnect` nor `none`')
}

function secondsOf(node: Node, scope: Scope): number {
  const [, digits, unit] = /^(\d+) ?([sm]?)$/.exec(String(render(node, scope))) ?? []
  const seconds = Number(digits) * (unit === 'm' ? 60 : 1)
  if (seconds >= SHORTEST_SECONDS && seconds <= LONGEST_SECONDS) return seconds
  throw new SourceError(
    'BAD_VALUE',
    node.at,
    `the time of a guard is ${SHORTEST_SECONDS} to ${LONGEST_SECONDS} seconds, such as \`90s\` or \`2m\``,
  )
}

function portOf(node: Node, scope: Scope): number {
  const port = Number(render(node, scope))
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new SourceError('BAD_VALUE', node.at, 'the port of a guard is 1 to 65535')
}
