import type { Completed } from '../base/result.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { probeOf, type Family, type Resource } from './probe.ts'
import { treeRead } from './resources.ts'
import { brokenOff, endedLines, unreadable } from './unreadable.ts'

const LISTS = '/var/lib/apt/lists'
/** What apt knows of the world: its lists and its settings. */
const KNOWLEDGE: readonly Resource[] = [...treeRead('/etc/apt'), ...treeRead(LISTS)]

/**
 * apt run as root writes its cache anew where it is older than what it is made from. A question must not write: then the
 * cache is made in memory instead.
 */
const QUIET: Sh = sh`export LC_ALL=C
cache=/var/cache/apt/pkgcache.bin
if [ ! -f "$cache" ] || [ -n "$(find /etc/apt ${LISTS} /var/lib/dpkg/status -newer "$cache" -print -quit 2>/dev/null)" ]; then
set -- -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
else set --; fi`

export interface CandidateArg {
  readonly name: string
  /** `default_release`, where one is given. */
  readonly release?: string | undefined
}

/** The version that `apt-get install` would take; null where the lists know none. */
export type Candidate = string | null

/** Asks apt for candidates: one process for each release that is asked for. */
export const aptCandidateFamily: Family<CandidateArg, Candidate> = {
  name: 'apt-candidate',
  key: ({ name, release = '' }) => `${name} ${release}`,
  reads: ({ name }) => [{ kind: 'package', name: name.replace(/:.*/, '') }, ...KNOWLEDGE],
  deadline: 120,
  script: args =>
    lines(
      QUIET,
      ...releasesOf(args).map(
        release =>
          sh`printf '== %s\\n' ${release}
apt-cache "$@" ${release === '' ? [] : ['-o', `APT::Default-Release=${release}`]} policy ${args.filter(arg => (arg.release ?? '') === release).map(arg => arg.name)} || exit`,
      ),
    ),
  parse: parsePolicies,
}

/** Asks which version would be installed. */
export const aptCandidate = probeOf(aptCandidateFamily)

/** How old the package lists are. */
export interface AptLists {
  /** Seconds since they were last brought up to date; null where there are none. */
  readonly age: number | null
  /** The list of sources was changed after that. */
  readonly isOutdated: boolean
}

/** Asks how old the package lists are, by the host's own clock. */
export const aptListsFamily: Family<null, AptLists> = {
  name: 'apt-lists',
  key: () => '',
  reads: () => KNOWLEDGE,
  script: () => sh`lists=${LISTS} stamp=/var/lib/apt/periodic/update-success-stamp none=1
for f in "$lists"/*_InRelease "$lists"/*_Release "$lists"/*_Packages*; do [ ! -e "$f" ] || none=; done
[ -z "$none" ] || { printf 'none\\n'; exit 0; }
[ -e "$stamp" ] || stamp=
date +%s || exit
stat -c %Y -- "$lists" \${stamp:+"$stamp"} || exit
find /etc/apt/sources.list /etc/apt/sources.list.d -newer "$lists" -print -quit 2>/dev/null || :`,
  parse: (answer, args) => args.map(() => parseLists(answer)),
}

/** Asks how old the package lists are. */
export const aptLists = probeOf(aptListsFamily)

/** Something apt would do. */
export interface AptStep {
  readonly does: 'install' | 'remove' | 'purge' | 'configure' | 'delete'
  readonly name: string
  readonly before: string | null
  readonly after: string | null
}

const PLANS = {
  'safe-upgrade': ['upgrade', '--with-new-pkgs'],
  'full-upgrade': ['dist-upgrade'],
  autoremove: ['autoremove'],
  'autoremove-purge': ['autoremove', '--purge'],
  autoclean: ['autoclean'],
  'fix-broken': ['install', '--fix-broken'],
} as const satisfies Record<string, readonly string[]>
export type AptPlan = keyof typeof PLANS

export interface AptPlanArg {
  readonly plan: AptPlan
  readonly release?: string | undefined
}

/** Asks apt what it would do, by its own simulation: one process for each plan. */
export const aptPlanFamily: Family<AptPlanArg, readonly AptStep[]> = {
  name: 'apt-plan',
  key: ({ plan, release = '' }) => `${plan} ${release}`,
  reads: () => [{ kind: 'package', name: '*' }, ...KNOWLEDGE, ...treeRead('/var/cache/apt/archives')],
  deadline: 120,
  script: args =>
    lines(
      QUIET,
      ...args.map(
        ({ plan, release = '' }) => sh`printf '== %s\\n' ${plan}
apt-get -s -q "$@" ${release === '' ? [] : ['-t', release]} ${PLANS[plan]} || exit`,
      ),
    ),
  parse: parsePlans,
}

/** Asks what apt would do. */
export const aptPlan = probeOf(aptPlanFamily)

/** Returns apt's own words for a plan. */
export function planWords(plan: AptPlan): readonly string[] {
  return PLANS[plan]
}

function releasesOf(args: readonly CandidateArg[]): readonly string[] {
  return [...new Set(args.map(arg => arg.release ?? ''))]
}

function parsePolicies(answer: Completed, args: readonly CandidateArg[]): readonly Candidate[] {
  if (answer.code !== 0) throw brokenOff('apt-cache', answer)
  const found = new Map<string, Candidate>()
  const seen = new Set<string>()
  let [release, name] = ['', '']
  for (const row of endedLines(answer.out)) {
    if (row.startsWith('== ')) seen.add((release = row.slice(3)))
    else if (/^\S+:$/.test(row)) name = row.slice(0, -1)
    const candidate = /^ {2}Candidate: (?<version>\S+)$/.exec(row)?.groups?.['version']
    if (candidate !== undefined) found.set(`${name} ${release}`, candidate === '(none)' ? null : candidate)
  }
  if (seen.size !== releasesOf(args).length) throw unreadable('an answer of apt-cache is missing')
  return args.map(arg => found.get(aptCandidateFamily.key(arg)) ?? null)
}

function parseLists(answer: Completed): AptLists {
  if (answer.code !== 0) throw brokenOff('stat', answer)
  const [now = '', ...rest] = endedLines(answer.out)
  if (now === 'none' && rest.length === 0) return { age: null, isOutdated: true }
  const times = rest.filter(row => /^\d+$/.test(row))
  const newer = rest.filter(row => row.startsWith('/'))
  if (!/^\d+$/.test(now) || times.length === 0 || times.length + newer.length !== rest.length) {
    throw unreadable(`expected the age of the package lists, found \`${answer.out.slice(0, 120)}\``)
  }
  return { age: Number(now) - Math.max(...times.map(Number)), isOutdated: newer.length > 0 }
}

function parsePlans(answer: Completed, args: readonly AptPlanArg[]): readonly (readonly AptStep[])[] {
  if (answer.code !== 0) throw brokenOff('apt-get', answer)
  const sections = `\n${answer.out}`.split('\n== ').slice(1)
  if (sections.length !== args.length) throw unreadable('a simulation of apt-get is missing')
  return sections.map((section, index) => {
    const [plan, ...rows] = section.split('\n')
    if (plan !== args[index]?.plan) throw unreadable('the simulations of apt-get came in another order')
    const steps = rows.flatMap(parseStep)
    const changed = new Set(steps.filter(step => step.does !== 'configure').map(step => step.name))
    return steps.filter(step => step.does !== 'configure' || !changed.has(step.name))
  })
}

const VERBS: Readonly<Record<string, AptStep['does']>> = {
  Inst: 'install',
  Remv: 'remove',
  Purg: 'purge',
  Conf: 'configure',
  Del: 'delete',
}

/** `Inst curl [7.1] (7.2 Debian:12 [amd64])`, `Remv curl [7.1]`, `Conf curl (7.2 …)`, `Del curl 7.1 [120 kB]`. */
function parseStep(row: string): readonly AptStep[] {
  const [, verb = '', name = '', rest = ''] = /^(Inst|Remv|Purg|Conf|Del) (\S+) ?(.*)$/.exec(row) ?? []
  const does = VERBS[verb]
  if (does === undefined) return []
  if (does === 'delete') return [{ does, name, before: rest.replace(/ .*/, ''), after: null }]
  const before = /^\[([^\]]+)\]/.exec(rest)?.[1] ?? null
  const after = /(?:^| )\((\S+)/.exec(rest)?.[1] ?? null
  return [{ does, name, before, after: verb === 'Inst' || verb === 'Conf' ? after : null }]
}
