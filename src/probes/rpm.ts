import type { Completed } from '../base/result.ts'
import { lines, sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, endedLines, unreadable } from './unreadable.ts'

/** A package of rpm as one asks for it. */
export interface RpmPackage {
  readonly name: string
  /** Such as `1:2.4.57-5.el9`; several where several are installed, such as kernels. */
  readonly versions: readonly string[]
  /** The name asked for is not its own: it provides it. */
  readonly isProvider: boolean
}

/** A package's name, with a version where it matters, such as `httpd-2.4.57`. Neither pattern nor group nor address. */
export const RPM_SPEC = /^[A-Za-z0-9_][\w.+:~^-]*$/

const ROW = '%{NAME}\\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\\n'

/** Asks rpm about packages: a process for each that is there, two for one that is not. Null where none has or provides the name. */
export const rpmFamily: Family<string, RpmPackage | null> = {
  name: 'rpm',
  key: spec => spec,
  reads: () => [{ kind: 'package', name: '*' }],
  deadline: 120,
  script: specs => sh`export LC_ALL=C
command -v rpm >/dev/null || exit 127
for n in ${specs}; do
if r=$(rpm -q --qf ${ROW} -- "$n" 2>/dev/null); then printf '= %s\\n%s\\n' "$n" "$r"
elif r=$(rpm -q --whatprovides --qf ${ROW} -- "$n" 2>/dev/null); then printf '+ %s\\n%s\\n' "$n" "$r"
else printf -- '- %s\\n' "$n"; fi
done`,
  parse: parsePackages,
}

/** Asks rpm about the package. */
export const rpm = probeOf(rpmFamily)

/** What dnf would bring up to date. */
export interface DnfUpdates {
  /** The host has package lists at all. */
  readonly isKnown: boolean
  /** They were fetched within the last hour. */
  readonly isFresh: boolean
  /** Versions by name. */
  readonly versions: Readonly<Record<string, string>>
}

/** `--enablerepo=…` and the like: what the answer depends on. */
export interface DnfArg {
  readonly options: readonly string[]
}

/** Status of `check-update` where there is something. */
const SOMETHING = 100

/** Asks dnf what is newer in the lists that the host has; nothing is fetched, for a question must not write. */
export const dnfUpdatesFamily: Family<DnfArg, DnfUpdates> = {
  name: 'dnf-updates',
  key: ({ options }) => options.join(' '),
  reads: () => [
    { kind: 'package', name: '*' },
    { kind: 'tree', name: '/var/cache/dnf' },
    { kind: 'tree', name: '/etc/yum.repos.d' },
  ],
  deadline: 120,
  script: args =>
    lines(
      sh`export LC_ALL=C
command -v dnf >/dev/null || exit 127
fresh=no; [ -z "$(find /var/cache/dnf /var/cache/libdnf5 -name '*.solv*' -mmin -60 -print -quit 2>/dev/null)" ] || fresh=yes`,
      ...args.map(
        ({ options }) => sh`printf '== %s\\n' "$fresh"
dnf -q -C ${options} check-update 2>/dev/null
printf '== %s\\n' $?`,
      ),
    ),
  parse: parseUpdates,
}

/** Asks dnf what is newer. */
export const dnfUpdates = probeOf(dnfUpdatesFamily)

function parsePackages(answer: Completed, specs: readonly string[]): readonly (RpmPackage | null)[] {
  if (answer.code !== 0) throw brokenOff('rpm', answer)
  const found: { spec: string; sign: string; rows: string[] }[] = []
  for (const row of endedLines(answer.out)) {
    const [, sign, spec] = /^([-+=]) (\S+)$/.exec(row) ?? []
    if (sign !== undefined && spec !== undefined) found.push({ spec, sign, rows: [] })
    else if (/^\S+\t\d+:\S+$/.test(row) && found.length > 0) found.at(-1)?.rows.push(row)
    else throw unreadable(`expected a package of rpm, found \`${row.slice(0, 120)}\``)
  }
  const isWhole = found.every(
    ({ spec, sign, rows }, index) => spec === specs[index] && (sign === '-') === (rows.length === 0),
  )
  if (found.length !== specs.length || !isWhole) throw unreadable('an answer of rpm is missing')
  return found.map(({ sign, rows }) => {
    const pairs = rows.map(row => row.split('\t'))
    const name = pairs[0]?.[0]
    return name === undefined
      ? null
      : { name, versions: pairs.map(pair => pair[1] ?? ''), isProvider: sign === '+' }
  })
}

function parseUpdates(answer: Completed, args: readonly DnfArg[]): readonly DnfUpdates[] {
  if (answer.code !== 0) throw brokenOff('dnf', answer)
  const marks = [...answer.out.matchAll(/^== (?:yes|no|\d+)\n/gm)]
  if (marks.length !== args.length * 2) throw unreadable('an answer of dnf is missing')
  return args.map((_, index) => {
    const [begin, end] = [marks[index * 2], marks[index * 2 + 1]]
    const flag = begin?.[0].slice(3).trim()
    const status = Number(end?.[0].slice(3))
    if (begin === undefined || end === undefined || (flag !== 'yes' && flag !== 'no') || Number.isNaN(status))
      throw unreadable('the answers of dnf came in another order')
    const rows = answer.out.slice(begin.index + begin[0].length, end.index)
    const isKnown = status === 0 || status === SOMETHING
    return { isKnown, isFresh: flag === 'yes', versions: isKnown ? updatesIn(rows) : {} }
  })
}

/** Lines read `bash.x86_64   5.1.8-9.el9   baseos`; what is obsoleted comes last and is left out. */
function updatesIn(text: string): Readonly<Record<string, string>> {
  const [rows = ''] = text.split(/^Obsoleting Packages$/m)
  return Object.fromEntries(
    [...rows.matchAll(/^(\S+)\.[a-z0-9_]+ +(\d\S*) +\S+ *$/gm)].map(([, name, version]) => [
      name ?? '',
      version ?? '',
    ]),
  )
}
