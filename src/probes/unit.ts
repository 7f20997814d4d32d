import type { Completed } from '../base/result.ts'
import { sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, endedLines, unreadable } from './unreadable.ts'

const PROPERTIES = [
  'Id',
  'Names',
  'LoadState',
  'ActiveState',
  'SubState',
  'UnitFileState',
  'NeedDaemonReload',
  'FragmentPath',
  'Result',
  'Type',
  'RemainAfterExit',
] as const

/** What systemd says about a unit, in its own words. */
export interface Unit {
  /** The unit's own name, where it was asked for by another. */
  readonly id: string
  readonly names: readonly string[]
  /** Such as `loaded`, `not-found`, `masked`, `bad-setting`, `error`. */
  readonly load: string
  /** Such as `active`, `inactive`, `failed`, `activating`, `reloading`, `deactivating`. */
  readonly active: string
  /** Such as `running`, `dead`, `exited`, `auto-restart`. */
  readonly sub: string
  /** Such as `enabled`, `disabled`, `static`, `masked`, `generated`; empty where there is no unit file. */
  readonly file: string
  /** The unit's files are newer than what systemd has read. */
  readonly needsReload: boolean
  /** Path of the unit file; empty where there is none. */
  readonly fragment: string
  /** How the unit ended the last time, such as `success` or `exit-code`. */
  readonly result: string
  /** `oneshot`, `simple`, `notify` …; empty where it is no service. */
  readonly type: string
  readonly remainsAfterExit: boolean
  /** Whether a script of `/etc/init.d` is linked into the runlevels; null where there is none. */
  readonly sysv: boolean | null
}

/** A unit's name: never a pattern, never an option. */
export const UNIT_NAME = /^[A-Za-z0-9:_\\@][A-Za-z0-9:_.\\@-]*$/
const SUFFIX = /\.(service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$/

/** Returns the name with `.service` where it has no suffix of a unit. */
export function unitName(name: string): string {
  return SUFFIX.test(name) ? name : `${name}.service`
}

/** Asks systemd about units: one process for all of them. */
export const unitFamily: Family<string, Unit> = {
  name: 'unit',
  key: name => name,
  reads: name => [{ kind: 'unit', name }],
  absent: ({ load }) => load === 'not-found',
  script: names => sh`export LC_ALL=C
systemctl show -p ${PROPERTIES.join(',')} -- ${names} || exit
printf '\\n'
for u in ${names}; do
n=\${u%.service} s=
case $n in */*|*[\\[*?]*) continue ;; esac
if [ -f "/etc/init.d/$n" ]; then
for f in /etc/rc[2345].d/S[0-9][0-9]"$n"; do [ ! -e "$f" ] || s=1; done
printf 'sysv %s %s\\n' "$u" "\${s:-0}"
fi; done`,
  parse: parseUnits,
}

/** Asks about the unit of that full name. */
export const unit = probeOf(unitFamily)

/** Asks whether something that systemd reads was changed since it read it; true means that a reload is due. */
export const reloadDueFamily: Family<null, boolean> = {
  name: 'unit-reload-due',
  key: () => '',
  reads: () => [{ kind: 'unit', name: '*' }],
  script: () => sh`export LC_ALL=C
all=$(systemctl show -p NeedDaemonReload '*') || exit
case $all in *=yes*) printf 'yes\\n' ;; *=no*) printf 'no\\n' ;; esac
read=/run/systemd/generator
[ ! -d "$read" ] || find /etc/fstab /etc/crypttab /etc/systemd/system -newer "$read" -print -quit 2>/dev/null || :`,
  parse: (answer, args) => args.map(() => parseReloadDue(answer)),
}

/** Asks whether a reload is due. */
export const reloadDue = probeOf(reloadDueFamily)

function parseUnits(answer: Completed, names: readonly string[]): readonly Unit[] {
  if (answer.code !== 0) throw brokenOff('systemctl', answer)
  const blocks = answer.out.split(/\n\n+/)
  const sysv = new Map(endedLines(blocks.pop() ?? '').map(parseSysv))
  if (blocks.length !== names.length) {
    throw unreadable(`${blocks.length} answers of systemctl to ${names.length} units`)
  }
  return names.map((name, index) => parseUnit(name, blocks[index] ?? '', sysv.get(name) ?? null))
}

function parseUnit(name: string, block: string, sysv: boolean | null): Unit {
  const values = new Map(block.split('\n').map(splitAtSign))
  const names = (values.get('Names') ?? '').split(' ')
  const load = values.get('LoadState')
  const active = values.get('ActiveState')
  if (load === undefined || active === undefined || !names.includes(name)) {
    throw unreadable(`systemctl says nothing of \`${name}\``)
  }
  const get = (property: (typeof PROPERTIES)[number]): string => values.get(property) ?? ''
  return {
    id: get('Id'),
    names,
    load,
    active,
    sub: get('SubState'),
    file: get('UnitFileState'),
    needsReload: get('NeedDaemonReload') === 'yes',
    fragment: get('FragmentPath'),
    result: get('Result'),
    type: get('Type'),
    remainsAfterExit: get('RemainAfterExit') === 'yes',
    sysv,
  }
}

function splitAtSign(row: string): [string, string] {
  const sign = row.indexOf('=')
  return [row.slice(0, sign), row.slice(sign + 1)]
}

function parseSysv(row: string): [string, boolean] {
  const [, name, flag] = /^sysv (\S+) ([01])$/.exec(row) ?? []
  if (name === undefined) throw unreadable(`expected a script of init, found \`${row.slice(0, 120)}\``)
  return [name, flag === '1']
}

function parseReloadDue(answer: Completed): boolean {
  if (answer.code !== 0) throw brokenOff('systemctl', answer)
  const [flag, ...newer] = endedLines(answer.out)
  if ((flag !== 'yes' && flag !== 'no') || newer.some(row => !row.startsWith('/'))) {
    throw unreadable(`expected \`yes\` or \`no\` from systemd, found \`${answer.out.slice(0, 120)}\``)
  }
  return flag === 'yes' || newer.length > 0
}
