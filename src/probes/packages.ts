import type { Completed } from '../base/result.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, endedLines, unreadable } from './unreadable.ts'

const MANAGERS = ['apt', 'rpm', 'apk'] as const
export type PackageSource = (typeof MANAGERS)[number]

/** A package that is installed. */
export interface InstalledPackage {
  readonly name: string
  readonly version: string
  /** Only of rpm. */
  readonly release?: string
  /** Only of rpm: the number before the version; null where there is none. */
  readonly epoch?: number | null
  readonly arch: string
  /** Only of apt: the section. */
  readonly category?: string
  readonly source: PackageSource
}

export interface PackagesArg {
  /** Whose packages are asked for, in the order in which they are looked for. */
  readonly managers: readonly PackageSource[]
  /** Stop at the first package manager that is there. */
  readonly onlyFirst: boolean
}

/** Asks for all installed packages: one process for each package manager. Null where none of the managers is there. */
export const packagesFamily: Family<PackagesArg, readonly InstalledPackage[] | null> = {
  name: 'packages',
  key: ({ managers, onlyFirst }) => `${managers.join(' ')} ${onlyFirst ? 'first' : 'all'}`,
  reads: () => [{ kind: 'package', name: '*' }],
  deadline: 60,
  script: args =>
    lines(
      sh`export LC_ALL=C`,
      ...args.flatMap(({ managers, onlyFirst }) => [
        sh`printf '== \\n'; found=`,
        ...managers.map(
          manager =>
            sh`if ${onlyFirst ? sh`[ -z "$found" ] &&` : sh``} ${PRESENT[manager]}; then found=1; printf '= %s\\n' ${manager}; ${LISTING[manager]} || exit; fi`,
        ),
      ]),
    ),
  parse: parsePackages,
}

/** Asks for all installed packages. */
export const packages = probeOf(packagesFamily)

/** A dpkg without a database is a program that somebody installed elsewhere. */
const PRESENT: Readonly<Record<PackageSource, Sh>> = {
  apt: sh`command -v dpkg-query >/dev/null && [ -s /var/lib/dpkg/status ]`,
  rpm: sh`command -v rpm >/dev/null && [ -d /var/lib/rpm -o -d /usr/lib/sysimage/rpm ]`,
  apk: sh`[ -r /lib/apk/db/installed ]`,
}

const LISTING: Readonly<Record<PackageSource, Sh>> = {
  apt: sh`dpkg-query -W -f '\${db:Status-Status}\\t\${Package}\\t\${Version}\\t\${Architecture}\\t\${Section}\\n'`,
  rpm: sh`rpm -qa --qf '%{NAME}\\t%{VERSION}\\t%{RELEASE}\\t%{EPOCH}\\t%{ARCH}\\n'`,
  apk: sh`while IFS= read -r l; do case $l in P:*) n=\${l#P:} ;; V:*) v=\${l#V:} ;; A:*) a=\${l#A:} ;; '') printf '%s\\t%s\\t%s\\n' "$n" "$v" "$a" ;; esac; done </lib/apk/db/installed`,
}

function parsePackages(
  answer: Completed,
  args: readonly PackagesArg[],
): readonly (readonly InstalledPackage[] | null)[] {
  if (answer.code !== 0) throw brokenOff('sh', answer)
  const sections: (InstalledPackage[] | null)[] = []
  let source: PackageSource | undefined
  for (const row of endedLines(answer.out)) {
    if (row === '== ') {
      sections.push(null)
      source = undefined
      continue
    }
    const named = MANAGERS.find(manager => row === `= ${manager}`)
    if (sections.length === 0 || (named === undefined && source === undefined)) throw strange(row)
    source = named ?? source
    const list = (sections[sections.length - 1] ??= [])
    if (named === undefined && source !== undefined) list.push(...READERS[source](row))
  }
  if (sections.length !== args.length) throw unreadable('an answer about packages is missing')
  return sections
}

const READERS: Readonly<Record<PackageSource, (row: string) => readonly InstalledPackage[]>> = {
  apt: row => {
    const [status, name, version, arch, category, ...more] = row.split('\t')
    if (!name || version === undefined || !arch || category === undefined || more.length > 0)
      throw strange(row)
    return status === 'installed' ? [{ name, version, arch, category, source: 'apt' }] : []
  },
  rpm: row => {
    const [name, version, release, epoch, arch, ...more] = row.split('\t')
    if (!name || !version || !release || !/^(\(none\)|\d+)$/.test(epoch ?? '') || !arch || more.length > 0)
      throw strange(row)
    // Keys that were imported are kept among the packages.
    if (name === 'gpg-pubkey') return []
    return [{ name, version, release, epoch: epoch === '(none)' ? null : Number(epoch), arch, source: 'rpm' }]
  },
  apk: row => {
    const [name, version, arch, ...more] = row.split('\t')
    if (!name || !version || !arch || more.length > 0) throw strange(row)
    return [{ name, version, arch, source: 'apk' }]
  },
}

function strange(row: string): Error {
  return unreadable(`expected an installed package, found \`${row.slice(0, 120)}\``)
}
