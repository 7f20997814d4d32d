import type { Change } from '../base/result.ts'

/** What a package manager other than apt knows of one package. */
export interface KnownPackage {
  readonly name: string
  /** Null where it is not installed. */
  readonly version: string | null
  /** A newer one in the lists, where there is one. */
  readonly update: string | undefined
}

export type PackageState = 'present' | 'latest' | 'absent'

/** Ansible's words for the state of a package. */
export const PACKAGE_STATES = ['present', 'installed', 'latest', 'absent', 'removed'] as const

export function packageState(word: (typeof PACKAGE_STATES)[number]): PackageState {
  if (word === 'installed') return 'present'
  return word === 'removed' ? 'absent' : word
}

/** Returns what differs, one change a package. */
export function packageChanges(state: PackageState, known: readonly KnownPackage[]): readonly Change[] {
  return known.flatMap(({ name, version, update }): readonly Change[] => {
    if (state === 'absent')
      return version === null ? [] : [{ kind: 'remove', what: name, before: version, after: 'absent' }]
    if (version === null)
      return [{ kind: 'install', what: name, before: 'absent', after: update ?? 'present' }]
    return state === 'latest' && update !== undefined
      ? [{ kind: 'upgrade', what: name, before: version, after: update }]
      : []
  })
}

/** Returns the names of the packages to be handled so. */
export function namesOf(found: readonly Change[], ...kinds: readonly string[]): readonly string[] {
  return found.filter(({ kind }) => kinds.includes(kind)).map(({ what }) => what)
}
