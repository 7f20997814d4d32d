import { apkFamily, apkUpdatesFamily, type ApkPackage } from './apk.ts'
import { aptCandidateFamily, aptListsFamily, type AptLists, type Candidate } from './apt.ts'
import { dpkgFamily, type PackageState } from './dpkg.ts'
import { dnfUpdatesFamily, rpmFamily, type DnfUpdates, type RpmPackage } from './rpm.ts'
import type { Completed } from '../base/result.ts'
import { sh, type Sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, unreadable } from './unreadable.ts'

/** A package manager's answer, in its own terms; null where the host has none of them. */
export type ByManager<Apt, Dnf, Apk> =
  | { readonly manager: 'apt'; readonly known: Apt }
  | { readonly manager: 'dnf'; readonly known: Dnf }
  | { readonly manager: 'apk'; readonly known: Apk }
  | null

/** Asks whichever package manager the host has about packages. */
export const anyPackageFamily: Family<
  string,
  ByManager<PackageState, RpmPackage | null, ApkPackage | null>
> = {
  name: 'any-package',
  key: name => name,
  reads: () => [{ kind: 'package', name: '*' }],
  deadline: 120,
  absent: found =>
    found === null || (found.manager === 'apt' ? found.known.package === null : found.known === null),
  script: names => choose(dpkgFamily.script(names), rpmFamily.script(names), apkFamily.script(names)),
  parse: (answer, names) => {
    const { manager, rest } = chosen(answer)
    if (manager === 'apt') return dpkgFamily.parse(rest, names).map(known => ({ manager, known }))
    if (manager === 'dnf') return rpmFamily.parse(rest, names).map(known => ({ manager, known }))
    if (manager === 'apk') return apkFamily.parse(rest, names).map(known => ({ manager, known }))
    return names.map(() => null)
  },
}

/** Asks whichever package manager the host has about the package. */
export const anyPackage = probeOf(anyPackageFamily)

/** Asks whichever package manager the host has what is newer, or could be installed, of packages. */
export const anyUpdateFamily: Family<
  string,
  ByManager<Candidate, DnfUpdates, Readonly<Record<string, string>>>
> = {
  name: 'any-update',
  key: name => name,
  reads: () => [{ kind: 'package', name: '*' }],
  deadline: 120,
  absent: () => false,
  script: names =>
    choose(
      aptCandidateFamily.script(names.map(name => ({ name }))),
      dnfUpdatesFamily.script([{ options: [] }]),
      apkUpdatesFamily.script([null]),
    ),
  parse: (answer, names) => {
    const { manager, rest } = chosen(answer)
    if (manager === 'apt')
      return aptCandidateFamily
        .parse(
          rest,
          names.map(name => ({ name })),
        )
        .map(known => ({ manager, known }))
    if (manager === 'dnf')
      return dnfUpdatesFamily
        .parse(rest, names.map(() => ({ options: [] })).slice(0, 1))
        .flatMap(known => names.map(() => ({ manager, known })))
    if (manager === 'apk')
      return apkUpdatesFamily
        .parse(
          rest,
          names.map(() => null),
        )
        .map(known => ({ manager, known }))
    return names.map(() => null)
  },
}

/** Asks what is newer of the package. */
export const anyUpdate = probeOf(anyUpdateFamily)

/** Asks how old the package lists are, where they are apt's; the others see to it themselves. */
export const anyListsFamily: Family<null, AptLists | null> = {
  name: 'any-lists',
  key: () => '',
  reads: () => aptListsFamily.reads(null),
  absent: () => false,
  script: () => choose(aptListsFamily.script([null]), sh`:`, sh`:`),
  parse: (answer, args) => {
    const { manager, rest } = chosen(answer)
    return manager === 'apt' ? aptListsFamily.parse(rest, args) : args.map(() => null)
  },
}

/** Asks how old apt's lists are. */
export const anyLists = probeOf(anyListsFamily)

/** A file of the host never says which package manager it has; its programs do. */
function choose(apt: Sh, dnf: Sh, apk: Sh): Sh {
  return sh`has() { command -v "$1" >/dev/null 2>&1; }
if has apt-get && has dpkg-query; then printf 'apt\\n'
${apt}
elif has dnf; then printf 'dnf\\n'
${dnf}
elif has apk; then printf 'apk\\n'
${apk}
else printf 'none\\n'; fi`
}

const MANAGERS = ['apt', 'dnf', 'apk', 'none'] as const

function chosen(answer: Completed): { manager: (typeof MANAGERS)[number]; rest: Completed } {
  const end = answer.out.indexOf('\n')
  const manager = MANAGERS.find(name => name === answer.out.slice(0, Math.max(end, 0)))
  if (manager === undefined) {
    if (answer.code !== 0) throw brokenOff('sh', answer)
    throw unreadable(`expected a package manager, found \`${answer.out.slice(0, 120)}\``)
  }
  return { manager, rest: { ...answer, out: answer.out.slice(end + 1) } }
}
