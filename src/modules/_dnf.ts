import type { Change } from '../base/result.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import { dnfUpdates, rpm, type DnfUpdates, type RpmPackage } from '../probes/rpm.ts'
import { lines, sh } from '../shell/sh.ts'
import { namesOf, packageChanges, type PackageState } from './_package-diff.ts'
import { needs } from './_tools.ts'
import type { Action } from './module.ts'

export interface DnfWish {
  /** Specs, or `*` alone for all that is installed. */
  readonly names: readonly string[]
  readonly state: PackageState
  readonly updatesCache: boolean
  /** Options for every call, such as `--enablerepo=epel`. */
  readonly options: readonly string[]
  readonly allowErasing: boolean
  readonly autoremove: boolean
}

export type DnfQuestions = {
  readonly updates?: Probe<DnfUpdates>
  readonly [known: `rpm:${string}`]: Probe<RpmPackage | null>
}
export type DnfState = StateOf<DnfQuestions>

export function dnfQuestions({ names, state, options }: DnfWish): DnfQuestions {
  return {
    ...(state === 'latest' && { updates: dnfUpdates({ options }) }),
    ...Object.fromEntries(names.filter(name => name !== '*').map(name => [`rpm:${name}`, rpm(name)])),
  }
}

export function dnfDiff(wish: DnfWish, state: DnfState): readonly Change[] {
  const { updates } = state
  const all = wish.names.includes('*') ? Object.entries(updates?.versions ?? {}) : []
  const known = wish.names
    .filter(name => name !== '*')
    .map(name => {
      const found = state[`rpm:${name}`] ?? null
      const isMeant = found !== null && !(found.isProvider && wish.state === 'absent')
      return {
        name,
        version: isMeant ? found.versions.join(', ') : null,
        update: updates?.versions[found?.name ?? name],
      }
    })
  const refreshes = updates !== undefined && (!updates.isKnown || (wish.updatesCache && !updates.isFresh))
  return [
    ...(refreshes
      ? [
          {
            kind: 'cache',
            what: 'package lists',
            before: updates.isKnown ? 'more than an hour old' : 'none',
            after: 'fresh, and what is newer in them installed',
          },
        ]
      : []),
    ...packageChanges(wish.state, known),
    ...all.map(([name, version]) => ({ kind: 'upgrade', what: name, before: 'older', after: version })),
  ]
}

export function dnfActions(found: readonly Change[], wish: DnfWish): readonly Action[] {
  const refreshes = found.some(({ kind }) => kind === 'cache')
  const updatesAll = wish.names.includes('*')
  const named = refreshes ? wish.names.filter(name => name !== '*') : namesOf(found, 'install', 'upgrade')
  const removed = namesOf(found, 'remove')
  const dnf = sh`dnf -y -q ${[...wish.options, ...(wish.allowErasing ? ['--allowerasing'] : [])]}`
  const verb = wish.state === 'latest' ? ['install', '--best'] : ['install']
  const installs = !updatesAll && wish.state !== 'absent' && named.length > 0
  return [
    {
      do: 'run',
      capture: true,
      env: { LC_ALL: 'C.UTF-8' },
      script: lines(
        needs('dnf', 'dnf'),
        (refreshes || (wish.updatesCache && installs)) && sh`${dnf} --refresh makecache || exit`,
        installs && sh`${dnf} ${verb} -- ${named} || exit`,
        wish.state === 'latest' && installs && sh`${dnf} upgrade -- ${named} || exit`,
        updatesAll && sh`${dnf} upgrade || exit`,
        removed.length > 0 &&
          sh`${dnf} ${wish.autoremove ? [] : ['--setopt=clean_requirements_on_remove=False']} remove -- ${removed} || exit`,
      ),
    },
  ]
}

export function dnfAfter({ names, state }: DnfWish, before: DnfState): Partial<DnfState> {
  const { updates } = before
  return {
    ...(updates && { updates: { isKnown: true, isFresh: true, versions: {} } }),
    ...Object.fromEntries(
      names
        .filter(name => name !== '*')
        .map(name => {
          const found = before[`rpm:${name}`] ?? null
          const isKept = found !== null && (state !== 'absent' || found.isProvider)
          return [
            `rpm:${name}`,
            isKept ? found : state === 'absent' ? null : { name, versions: [''], isProvider: false },
          ]
        }),
    ),
  }
}
