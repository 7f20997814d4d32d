import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import {
  aptCandidate,
  aptLists,
  aptPlan,
  type AptLists,
  type AptPlan,
  type AptStep,
  type Candidate,
} from '../probes/apt.ts'
import { compareVersions, dpkg, type Package, type PackageState } from '../probes/dpkg.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import type { AptParams, PackageWish } from './_apt-params.ts'

/** Seconds for which lists are good enough where nobody says and nothing is to be installed. */
const VALID_SECONDS = 3600
const THERE: readonly Package['status'][] = ['installed', 'triggers-awaited', 'triggers-pending']
const GONE: readonly Package['status'][] = ['not-installed', 'config-files']

export type AptQuestions = {
  readonly lists?: Probe<AptLists>
  readonly [plan: `plan:${string}`]: Probe<readonly AptStep[]>
  readonly [known: `dpkg:${string}`]: Probe<PackageState>
  readonly [candidate: `candidate:${string}`]: Probe<Candidate>
}
export type AptState = StateOf<AptQuestions>

export function aptQuestions(params: AptParams): AptQuestions {
  const release = params.default_release
  const names = params.packages.map(({ name }) => name)
  const isAsked = params.state === 'latest'
  return {
    ...(params.update_cache && { lists: aptLists(null) }),
    ...Object.fromEntries(plansOf(params).map(plan => [`plan:${plan}`, aptPlan({ plan, release })])),
    ...Object.fromEntries(names.map(name => [`dpkg:${name}`, dpkg(name)])),
    ...Object.fromEntries(
      isAsked ? names.map(name => [`candidate:${name}`, aptCandidate({ name, release })]) : [],
    ),
  }
}

export function plansOf(params: AptParams): readonly AptPlan[] {
  return [
    params.state === 'fixed' ? ('fix-broken' as const) : undefined,
    params.upgrade ?? undefined,
    params.autoremove ? (params.purge ? ('autoremove-purge' as const) : ('autoremove' as const)) : undefined,
    params.autoclean ? ('autoclean' as const) : undefined,
  ].filter(plan => plan !== undefined)
}

/** @throws TaskError where apt would refuse. */
export function aptDiff(params: AptParams, state: AptState): readonly Change[] {
  const willRefresh = params.update_cache && isStale(state.lists, params.cache_valid_time ?? VALID_SECONDS)
  const packages = params.packages.flatMap(wish => packageChange(wish, params, state, willRefresh) ?? [])
  const planned = plansOf(params).flatMap(plan =>
    (state[`plan:${plan}`] ?? []).map(step => stepChange(plan, step)),
  )
  const work = [...packages, ...planned]
  return [...cacheChange(params, state.lists, work), ...work]
}

/** The lists are a means, not an end: they are refreshed for something that is to be done, or where they are all that is asked for. */
function cacheChange(
  params: AptParams,
  lists: AptLists | undefined,
  work: readonly Change[],
): readonly Change[] {
  if (lists === undefined) return []
  const fetches = work.some(({ kind }) => ['install', 'upgrade', 'downgrade', 'repair'].includes(kind))
  const looks = params.packages.length === 0 || params.state === 'latest'
  if (!fetches && !looks) return []
  if (!isStale(lists, params.cache_valid_time ?? (fetches ? 0 : VALID_SECONDS))) return []
  const before =
    lists.age === null ? 'none' : lists.isOutdated ? 'older than the sources' : `${lists.age} s old`
  const after =
    params.state === 'latest' || params.upgrade !== null
      ? 'fresh, and what is newer in them installed'
      : 'fresh'
  return [{ kind: 'cache', what: 'package lists', before, after }]
}

/** Lists from the future are those of a clock that was wrong. */
function isStale(lists: AptLists | undefined, seconds: number): boolean {
  return (
    lists !== undefined && (lists.age === null || lists.isOutdated || lists.age < 0 || lists.age > seconds)
  )
}

function packageChange(
  wish: PackageWish,
  params: AptParams,
  state: AptState,
  willRefresh: boolean,
): Change | undefined {
  const { name } = wish
  const { package: found = null, providers = [] } = state[`dpkg:${name}`] ?? {}
  const isGone = found === null || GONE.includes(found.status)
  const change =
    params.state === 'absent'
      ? removal(name, found, params.purge)
      : isGone
        ? providers.length > 0 && wish.version === undefined
          ? undefined
          : installation(wish, params, state, willRefresh)
        : (repair(name, found) ?? versionChange(wish, found, params, state))
  if (
    change &&
    found?.want === 'hold' &&
    !isGone &&
    !params.allow_change_held_packages &&
    change.kind !== 'repair'
  ) {
    throw new TaskError(
      'PACKAGE_HELD',
      `\`${name}\` is on hold at \`${found.version}\``,
      'say `allow_change_held_packages: true`, or take the hold away',
    )
  }
  return change
}

function removal(name: string, found: Package | null, purge: boolean): Change | undefined {
  if (found === null) return undefined
  if (GONE.includes(found.status)) {
    return purge ? { kind: 'purge', what: name, before: 'configuration files', after: 'absent' } : undefined
  }
  return { kind: purge ? 'purge' : 'remove', what: name, before: found.version, after: 'absent' }
}

function installation(
  { name, version }: PackageWish,
  params: AptParams,
  state: AptState,
  willRefresh: boolean,
): Change | undefined {
  if (params.only_upgrade) return undefined
  const candidate = state[`candidate:${name}`]
  if (candidate === null && !willRefresh) {
    throw new TaskError(
      'PACKAGE_UNKNOWN',
      `the package lists know no \`${name}\` that could be installed`,
      'look at the name, or say `update_cache: true`',
    )
  }
  return { kind: 'install', what: name, before: 'absent', after: version ?? candidate ?? 'present' }
}

function repair(name: string, found: Package): Change | undefined {
  if (THERE.includes(found.status) && !found.isBroken) return undefined
  return { kind: 'repair', what: name, before: found.isBroken ? 'broken' : found.status, after: 'installed' }
}

function versionChange(
  { name, relation, version }: PackageWish,
  found: Package,
  params: AptParams,
  state: AptState,
): Change | undefined {
  const wanted = version ?? state[`candidate:${name}`] ?? found.version
  if (relation === '=' && fits(found.version, wanted)) return undefined
  const order = compareVersions(wanted.replace(/\*$/, ''), found.version)
  if (relation !== '=' && order <= 0) return undefined
  if (order >= 0) return { kind: 'upgrade', what: name, before: found.version, after: wanted }
  if (!params.allow_downgrade) {
    throw new TaskError(
      'DOWNGRADE',
      `\`${name}\` is installed in the later version \`${found.version}\`, \`${wanted}\` asked for`,
      'say `allow_downgrade: true` if that is meant',
    )
  }
  return { kind: 'downgrade', what: name, before: found.version, after: wanted }
}

function fits(version: string, wanted: string): boolean {
  return wanted.endsWith('*') ? version.startsWith(wanted.slice(0, -1)) : version === wanted
}

function stepChange(plan: AptPlan, { does, name, before, after }: AptStep): Change {
  if (does === 'configure')
    return { kind: 'repair', what: name, before: 'half-configured', after: 'installed' }
  const kind = does === 'install' && before !== null ? 'upgrade' : does
  return {
    kind: plan === 'autoclean' ? 'clean' : kind,
    what: name,
    before: before ?? 'absent',
    after: after ?? 'absent',
  }
}

/** Returns the versions of the packages by name; null where a package is not there. */
export function versionsOf(params: AptParams, state: AptState): Readonly<Record<string, string | null>> {
  return Object.fromEntries(
    params.packages.map(({ name }) => {
      const found = state[`dpkg:${name}`]?.package
      return [name, found && !GONE.includes(found.status) ? found.version : null]
    }),
  )
}

/** The state as it will be: versions that nobody can tell yet are left empty. */
export function aptAfter(params: AptParams, state: AptState): Partial<AptState> {
  const after = params.packages.map(wish => {
    const key = `dpkg:${wish.name}` as const
    const before = state[key] ?? { package: null, providers: [] }
    return [
      key,
      {
        ...before,
        package:
          params.state === 'absent'
            ? rest(before.package, params.purge)
            : wished(wish, before, params, state),
      },
    ]
  })
  return {
    ...(state.lists && { lists: { age: 0, isOutdated: false } }),
    ...Object.fromEntries(plansOf(params).map(plan => [`plan:${plan}`, []])),
    ...Object.fromEntries(after),
    ...Object.fromEntries(Object.entries(state).filter(([key]) => key.startsWith('candidate:'))),
  }
}

function rest(before: Package | null, purge: boolean): Package | null {
  return before === null || purge ? null : { ...before, status: 'config-files' }
}

function wished(
  { name, version, relation }: PackageWish,
  before: PackageState,
  params: AptParams,
  state: AptState,
): Package | null {
  const isGone = before.package === null || GONE.includes(before.package.status)
  if (isGone && (params.only_upgrade || (before.providers.length > 0 && version === undefined)))
    return before.package
  const known = before.package ?? { want: 'install', architecture: '', version: '' }
  const target = (version ?? state[`candidate:${name}`] ?? known.version).replace(/\*$/, '')
  const isNewer = relation === '=' || compareVersions(target, known.version) > 0
  const keeps = relation === '=' && fits(known.version, version ?? '')
  return {
    ...known,
    want: known.want === 'hold' ? 'hold' : 'install',
    status: 'installed',
    isBroken: false,
    version: isNewer && !keeps ? target : known.version,
  }
}
