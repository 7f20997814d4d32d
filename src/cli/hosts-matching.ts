import { readFileSync } from 'node:fs'
import { UsageError } from '../base/error.ts'
import type { OnProblem } from '../base/error.ts'
import type { Host, Inventory } from '../inventory/model.ts'
import { hostNamed } from '../inventory/model.ts'
import { matchHosts } from '../inventory/pattern.ts'
import { limitHosts, playHosts } from '../inventory/select.ts'
import type { Play } from '../playbook/model.ts'
import type { Node } from '../syntax/node.ts'
import { containsTemplate, render } from '../vars/render.ts'
import { Scope } from '../vars/scope.ts'
import type { Layer } from '../vars/scope.ts'

/** What decides, besides the play itself, which hosts it takes. */
export interface HostChoice {
  readonly inventory: Inventory
  readonly extra: Layer | undefined
  readonly limit: string | undefined
  readonly onProblem: OnProblem
}

/**
 * Returns a function that gives the hosts of a play, in order. A template in `hosts` sees the variables of the command
 * line and of the play, as no host is chosen yet.
 *
 * @throws UsageError where the limit is wrong or matches nothing.
 */
export function hostChooser({
  inventory,
  extra,
  limit,
  onProblem,
}: HostChoice): (play: Play) => readonly string[] {
  const allowed = limit === undefined ? undefined : new Set(limitHosts(limit, inventory, readText))
  return play => {
    const names = playHosts(settled(play, extra), inventory, onProblem)
    return allowed ? names.filter(name => allowed.has(name)) : names
  }
}

/**
 * Returns the hosts that a pattern of the command line matches, narrowed by `--limit`.
 *
 * @throws UsageError NO_MATCH where there is none, BAD_ARGUMENT where the pattern is wrong.
 */
export function chooseHosts(
  inventory: Inventory,
  pattern: string,
  limit: string | undefined,
): readonly Host[] {
  const { hosts, problem } = matchHosts(pattern, inventory)
  if (problem) {
    const code = problem.code === 'NO_HOSTS' ? 'NO_MATCH' : 'BAD_ARGUMENT'
    throw new UsageError(code, problem.message, problem.hint)
  }
  const allowed = limit === undefined ? undefined : new Set(limitHosts(limit, inventory, readText))
  const chosen = allowed ? hosts.filter(name => allowed.has(name)) : hosts
  if (chosen.length === 0) {
    throw new UsageError('NO_MATCH', `no host matches both \`${pattern}\` and \`--limit ${limit ?? ''}\``)
  }
  return chosen.flatMap(name => hostNamed(inventory, name) ?? [])
}

function settled({ hosts, vars }: Play, extra: Layer | undefined): Node {
  if (!containsTemplate(hosts)) return hosts
  const own: readonly Layer[] = vars ? [{ level: 'play', origin: 'play', vars }] : []
  const layers = extra ? [...own, extra] : own
  const value = render(hosts, new Scope({ layers, hostData: new Map(), localData: new Map() }))
  return nodeOf(value, hosts)
}

/** What a template came to stands where the template stands. */
function nodeOf(value: unknown, from: Node): Node {
  if (Array.isArray(value)) {
    return { kind: 'list', items: value.map(item => nodeOf(item, from)), at: from.at }
  }
  const text = String(value)
  return { kind: 'scalar', value: text, text, quoted: true, at: from.at, placeOf: () => from.at }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
