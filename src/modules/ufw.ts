import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { ufwState, type Ufw } from '../probes/ufw.ts'
import { lines, sh } from '../shell/sh.ts'
import { ufwParams, type UfwParams } from './_ufw-params.ts'
import { isOut, isSameCore, ruleWords, rulesOf } from './_ufw-rules.ts'
import { changes, defineModule } from './module.ts'

const POLICIES = { allow: 'ACCEPT', deny: 'DROP', reject: 'REJECT' } as const

export const ufw = defineModule({
  name: 'ufw',
  summary: 'Sets rules and policies of the firewall ufw, and turns it on.',
  examples: [
    '- name: Let the operators in\n  ufw: { rule: limit, to_port: 22, proto: tcp, comment: operators }\n',
    '- name: Keep everybody else out\n  ufw:\n    state: enabled\n    default: deny\n    direction: in\n  guard: reconnect\n',
  ],
  deviations: [
    'Ports that Docker publishes are open whatever ufw says: Docker forwards packets before they come to the chains of ufw. What is to be kept out of containers belongs into Docker’s own chain `DOCKER-USER`, or into a chain of the hook `forward` as the page of `nftables` has it.',
    'Rules are read from the files of ufw, and counted in the kernel: where the kernel has another number of them, they are loaded anew.',
    'ufw is not enabled where incoming packets are refused and no rule lets any in, unless `allow_lockout: true` says so. Set `guard: reconnect` as well: whether the rules let you in, only a new connection can tell.',
    'Where the kernel has another number of rules, any task of this module loads them anew; a rule that was only replaced by another is not seen.',
    '`state: reset` and `insert_relative_to` are not known; ports are numbers.',
    'A rule counts as there wherever it stands: `insert` is the place of a new one. A comment is compared where one is given.',
  ],
  params: ufwParams,
  probe: () => ({ now: ufwState }),
  diff: (wish, { now }): readonly Change[] => {
    requireUfw(now)
    const policy = wordOf(now.settings[policyKey(wish)])
    const level = now.settings['LOGLEVEL'] ?? 'low'
    const isLogging = wish.logging === 'on' ? level !== 'off' : level === wish.logging
    const found = changes<Change>(
      wish.logging !== undefined &&
        !isLogging && { kind: 'logging', what: 'ufw', before: level, after: wish.logging },
      wish.default !== undefined &&
        policy !== wish.default && {
          kind: 'default',
          what: defaultName(wish),
          before: policy,
          after: wish.default,
        },
      ruleChange(wish, now),
      stateChange(wish, now),
    )
    const isAway =
      now.live !== null && now.live !== now.filed && wish.state !== 'disabled' && found.length === 0
    return isAway
      ? [{ kind: 'live', what: 'rules of the kernel', before: now.live, after: now.filed }]
      : found
  },
  apply: (found, wish) => {
    const has = (kind: string): boolean => found.some(change => change.kind === kind)
    const script = lines(
      sh`export LC_ALL=C`,
      has('logging') && sh`ufw logging ${wish.logging ?? ''} || exit`,
      has('default') && sh`ufw default ${wish.default ?? ''} ${defaultName(wish)} || exit`,
      has('rule') && sh`ufw ${ruleWords(wish, wish.delete)} || exit`,
      has('state') && (wish.state === 'disabled' ? sh`ufw disable || exit` : sh`ufw --force enable || exit`),
      (has('live') || has('reload')) && sh`ufw reload || exit`,
    )
    return [{ do: 'run', script }]
  },
  expect: (wish, { now }) => ({ now: afterwards(wish, now) }),
  verifiable: (_, found) => found.length !== 1 || found[0]?.kind !== 'reload',
  touches: () => [
    { kind: 'host', name: 'ufw' },
    { kind: 'host', name: 'nftables' },
    { kind: 'tree', name: '/etc/ufw' },
    { kind: 'path', name: '/etc/default/ufw' },
  ],
  result: (wish, { now }) => ({
    enabled: now.settings['ENABLED'] === 'yes',
    active: now.live !== null,
    ...(wish.rule !== undefined && { rule: ruleWords(wish, false).join(' ') }),
  }),
})

function requireUfw({ problem }: Ufw): void {
  if (problem === 'missing')
    throw new TaskError('UFW_MISSING', '`ufw` is missing on the host', 'install the package `ufw` first')
  if (problem === 'denied')
    throw new TaskError(
      'PROBE_UNREADABLE',
      'the rules of ufw may not be read',
      'run the task with `become: true`',
    )
}

function defaultName({ direction }: UfwParams): string {
  return direction === 'routed' ? 'routed' : isOut(direction) ? 'outgoing' : 'incoming'
}

function policyKey(wish: UfwParams): string {
  return `DEFAULT_${{ routed: 'FORWARD', outgoing: 'OUTPUT', incoming: 'INPUT' }[defaultName(wish)] ?? ''}_POLICY`
}

function wordOf(policy: string | undefined): string {
  return Object.entries(POLICIES).find(([, value]) => value === policy)?.[0] ?? 'unknown'
}

function ruleChange(wish: UfwParams, { rules, settings }: Ufw): Change | false {
  if (wish.rule === undefined) return false
  const wanted = rulesOf(wish, settings['IPV6'] !== 'no')
  const same = wanted.map(rule => rules.find(one => isSameCore(one, rule)))
  const isRight = same.map(
    (one, index) =>
      one?.action === wanted[index]?.action && (wish.comment === undefined || one?.comment === wish.comment),
  )
  const what = ruleWords(wish, false)
    .filter((_, index, words) => words[index - 1] !== 'insert' && words[index] !== 'insert')
    .join(' ')
  if (wish.delete) {
    const isThere = same.some((one, index) => one?.action === wanted[index]?.action)
    return isThere && { kind: 'rule', what, before: 'present', after: 'absent' }
  }
  const before = same.every(one => one === undefined) ? 'absent' : 'other'
  return isRight.includes(false) && { kind: 'rule', what, before, after: 'present' }
}

function stateChange(wish: UfwParams, now: Ufw): Change | false {
  const isEnabled = now.settings['ENABLED'] === 'yes'
  const before =
    now.live === null
      ? isEnabled
        ? 'enabled, not loaded'
        : 'disabled'
      : isEnabled
        ? 'enabled'
        : 'loaded, not enabled'
  if (wish.state === 'reloaded') return { kind: 'reload', what: 'ufw', before: null, after: 'reloaded' }
  if (wish.state === undefined || before === wish.state) return false
  if (wish.state === 'enabled') requireDoor(wish, now)
  return { kind: 'state', what: 'ufw', before, after: wish.state }
}

/** A wall without any door keeps out its owner as well. */
function requireDoor(wish: UfwParams, { settings, rules }: Ufw): void {
  const policy =
    policyKey(wish) === 'DEFAULT_INPUT_POLICY' && wish.default !== undefined
      ? POLICIES[wish.default]
      : settings['DEFAULT_INPUT_POLICY']
  const isDoor = (action: string, way: string): boolean =>
    /^(allow|limit)/.test(action) && way.startsWith('in')
  const opens =
    wish.rule !== undefined &&
    !wish.delete &&
    isDoor(wish.rule, isOut(wish.direction) || wish.route ? 'out' : 'in')
  if (
    wish.allow_lockout ||
    policy === 'ACCEPT' ||
    opens ||
    rules.some(({ action, core }) => isDoor(action, core.split(' ').at(-1) ?? ''))
  )
    return
  throw new TaskError(
    'LOCKOUT',
    'incoming packets are refused and no rule lets any in',
    'allow the port of sshd first, or set `allow_lockout: true`',
  )
}

function afterwards(wish: UfwParams, now: Ufw): Ufw {
  const wanted = wish.rule === undefined ? [] : rulesOf(wish, now.settings['IPV6'] !== 'no')
  const others = now.rules.filter(one => !wanted.some(rule => isSameCore(rule, one)))
  const level = wish.logging === 'on' ? 'low' : wish.logging
  const isOn = wish.state === 'enabled' || (wish.state !== 'disabled' && now.live !== null)
  return {
    ...now,
    settings: {
      ...now.settings,
      ...(wish.default !== undefined && { [policyKey(wish)]: POLICIES[wish.default] }),
      ...(level !== undefined && { LOGLEVEL: level }),
      ...(wish.state !== undefined &&
        wish.state !== 'reloaded' && { ENABLED: wish.state === 'enabled' ? 'yes' : 'no' }),
    },
    rules: wish.rule === undefined ? now.rules : [...others, ...(wish.delete ? [] : wanted)],
    live: isOn ? now.filed : null,
  }
}
