import type { Change } from '../base/result.ts'
import type { Unit } from '../probes/unit.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'

/** Changes that no look at the unit shows afterwards. */
export const PASSING: readonly string[] = ['restart', 'reload', 'run', 'daemon_reexec']

/** Seconds for which a unit must stay up that systemd calls started as soon as it has a process. */
const MOMENT = '0.3'
const STARTED_AT_ONCE = ['simple', 'exec', 'idle']

export function isMasked({ load, file }: Unit): boolean {
  return load === 'masked' || file.startsWith('masked')
}

/** A unit in a loop of restarts is not up, though systemd calls it activating. */
export function isUp({ active, sub }: Unit): boolean {
  return (
    ['active', 'reloading', 'refreshing'].includes(active) ||
    (active === 'activating' && sub !== 'auto-restart')
  )
}

/** Returns whether it is started with the host; null where that cannot be chosen. */
export function enablement({ file, sysv }: Unit): boolean | null {
  if (file === 'generated') return sysv
  if (['enabled', 'alias'].includes(file)) return true
  return ['static', 'transient', ''].includes(file) ? null : false
}

export interface UnitWish {
  readonly name?: string | undefined
  readonly state?: string | undefined
  readonly masked?: boolean | undefined
  readonly daemon_reload: boolean
  readonly no_block: boolean
  readonly force: boolean
}

/** Returns the script that makes the changes; where the unit does not come up, it ends with what the unit has to say. */
export function unitScript(found: readonly Change[], wish: UnitWish, before: Unit | undefined): Sh {
  const { name = '' } = wish
  const of = (kind: string): Change | undefined => found.find(change => change.kind === kind)
  const force = wish.force ? ['--force'] : []
  const masks = of('masked')
  const enables = of('enabled')
  const verb = verbOf(found)
  return lines(
    sh`export LC_ALL=C`,
    masks?.after === false && sh`systemctl unmask -- ${name} || exit`,
    of('daemon_reexec') !== undefined && sh`systemctl daemon-reexec || exit`,
    (wish.daemon_reload || of('daemon_reload') !== undefined) && sh`systemctl daemon-reload || exit`,
    enables &&
      sh`systemctl ${enables.after === 'enabled' ? 'enable' : 'disable'} ${force} -- ${before?.id ?? name} || exit`,
    verb !== undefined && acting(verb, wish, before),
    masks?.after === true && sh`systemctl mask ${force} -- ${name} || exit`,
  )
}

function verbOf(found: readonly Change[]): string | undefined {
  const change = found.find(({ kind }) => ['state', 'run', 'restart', 'reload'].includes(kind))
  if (change?.kind === 'restart') return 'restart'
  if (change?.kind === 'reload') return 'reload'
  return change && (change.after === 'stopped' ? 'stop' : 'start')
}

/** Returns the script that starts or restarts the unit and makes sure that it comes up. */
export function acting(
  verb: string,
  { name = '', no_block: leaves = false }: Pick<UnitWish, 'name'> & { readonly no_block?: boolean },
  before: Unit | undefined,
): Sh {
  // A start would only join systemd's own next try, which may be one too many.
  const sure = verb === 'start' && before?.sub === 'auto-restart' ? 'restart' : verb
  const act = sh`systemctl ${sure} ${leaves ? ['--no-block'] : []} -- ${name}`
  if (verb === 'stop') return sh`${act} || exit`
  const ends = before?.type === 'oneshot' && !before.remainsAfterExit
  return lines(
    sh`sorry() {
code=$?
{ systemctl --no-pager --full -n 0 status -- ${name}
journalctl --no-pager -q -o short-iso -n 20 -u ${name}; } >&2 2>/dev/null </dev/null
exit "$code"
}`,
    // One that has failed too often is not even tried: systemd counts.
    before && STUMBLING.includes(before.active) && sh`systemctl reset-failed -- ${name} 2>/dev/null`,
    sh`${act} || sorry`,
    !leaves && !ends && staysUp(name, before),
  )
}

/** How a unit is that could not be started, or is still being tried. */
const STUMBLING: readonly string[] = ['failed', 'activating']

function staysUp(name: string, before: Unit | undefined): Sh {
  const needsMoment = before !== undefined && STARTED_AT_ONCE.includes(before.type)
  return lines(
    needsMoment && sh`sleep ${MOMENT}`,
    sh`is=$(systemctl show -p ActiveState,SubState --value -- ${name})
case $is in active*|reloading*|refreshing*) ;; *)
printf '%s did not stay up: %s\\n' ${name} "$(printf %s "$is" | tr '\\n' ' ')" >&2
false || sorry ;;
esac`,
  )
}
