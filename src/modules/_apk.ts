import type { Change } from '../base/result.ts'
import { apk, apkUpdates, type ApkPackage } from '../probes/apk.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import { lines, sh } from '../shell/sh.ts'
import { namesOf, packageChanges, type PackageState } from './_package-diff.ts'
import { needs } from './_tools.ts'
import type { Action } from './module.ts'

export interface ApkWish {
  readonly names: readonly string[]
  readonly state: PackageState
  readonly updatesCache: boolean
  /** Bring all that is installed up to date. */
  readonly upgrades: boolean
  /** With that, replace what the lists do not know any more. */
  readonly replaces: boolean
  readonly options: readonly string[]
}

export type ApkQuestions = {
  readonly updates?: Probe<Readonly<Record<string, string>>>
  readonly [known: `apk:${string}`]: Probe<ApkPackage | null>
}
export type ApkState = StateOf<ApkQuestions>

export function apkQuestions({ names, state, upgrades }: ApkWish): ApkQuestions {
  return {
    ...((state === 'latest' || upgrades) && { updates: apkUpdates(null) }),
    ...Object.fromEntries(names.map(name => [`apk:${name}`, apk(name)])),
  }
}

export function apkDiff({ names, state: wished, upgrades }: ApkWish, state: ApkState): readonly Change[] {
  const updates = state.updates ?? {}
  const known = names.map(name => ({
    name,
    version: state[`apk:${name}`]?.version ?? null,
    update: updates[name],
  }))
  const all = upgrades ? Object.entries(updates) : []
  return [
    ...packageChanges(wished, known),
    ...all.map(([name, version]) => ({ kind: 'upgrade', what: name, before: 'older', after: version })),
  ]
}

export function apkActions(found: readonly Change[], wish: ApkWish): readonly Action[] {
  const added = namesOf(found, 'install', 'upgrade')
  const removed = namesOf(found, 'remove')
  const tool = sh`apk --no-progress --wait 60 ${wish.options}`
  return [
    {
      do: 'run',
      capture: true,
      script: lines(
        needs('apk', 'apk-tools'),
        wish.updatesCache && removed.length === 0 && sh`${tool} update || exit`,
        wish.upgrades
          ? sh`${tool} upgrade ${wish.replaces ? ['--available'] : []} || exit`
          : added.length > 0 &&
              sh`${tool} add ${wish.state === 'latest' ? ['--upgrade'] : []} -- ${added} || exit`,
        removed.length > 0 && sh`${tool} del -- ${removed} || exit`,
      ),
    },
  ]
}

export function apkAfter({ names, state }: ApkWish, before: ApkState): Partial<ApkState> {
  return {
    ...(before.updates && { updates: {} }),
    ...Object.fromEntries(
      names.map(name => [
        `apk:${name}`,
        state === 'absent' ? null : (before[`apk:${name}`] ?? { version: '' }),
      ]),
    ),
  }
}
