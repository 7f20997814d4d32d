import type { Completed } from '../base/result.ts'
import { sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, endedLines, unreadable } from './unreadable.ts'

const WANTS = ['unknown', 'install', 'hold', 'deinstall', 'purge'] as const
const STATUSES = [
  'not-installed',
  'config-files',
  'half-installed',
  'unpacked',
  'half-configured',
  'triggers-awaited',
  'triggers-pending',
  'installed',
] as const

/** What dpkg's database says about a package. */
export interface Package {
  readonly want: (typeof WANTS)[number]
  readonly status: (typeof STATUSES)[number]
  /** dpkg says that it must be installed again. */
  readonly isBroken: boolean
  /** Empty where there is none. */
  readonly version: string
  readonly architecture: string
}

/** One package as one asks for it: null where not even its configuration is there. */
export interface PackageState {
  readonly package: Package | null
  /** Installed packages that provide the name. Only asked for where no package of the name is there. */
  readonly providers: readonly string[]
}

/** A package's name, with an architecture where it matters, such as `libc6:i386`. Patterns are not names. */
export const PACKAGE_NAME = /^[a-z0-9][a-z0-9+.-]+(:[a-z0-9][a-z0-9-]*)?$/

/**
 * Asks dpkg's database about packages: one process for all of them, a second one where some are not there and may be
 * provided by others. The package `dpkg` is asked for as well: its architecture is that of the host.
 */
export const dpkgFamily: Family<string, PackageState> = {
  name: 'dpkg',
  key: name => name,
  reads: name => [{ kind: 'package', name: name.replace(/:.*/, '') }],
  absent: ({ package: found }) => found === null,
  script: names => sh`export LC_ALL=C
found=$(dpkg-query -W -f '\${Package}\\t\${Architecture}\\t\${db:Status-Want}\\t\${db:Status-Status}\\t\${db:Status-Eflag}\\t\${Version}\\n' dpkg ${names} 2>&1)
code=$?
printf '%s\\n' "$found"
case "$code $found" in
1*|0*not-installed*) printf '\\n'; dpkg-query -W -f '\${db:Status-Status}\\t\${Package}\\t\${Provides}\\n' | grep -F ${names.flatMap(name => ['-e', name.replace(/:.*/, '')])} || [ $? -eq 1 ] ;;
0*) ;;
*) exit "$code" ;;
esac`,
  parse: parsePackages,
}

/** Asks what is known about the package of that name. */
export const dpkg = probeOf(dpkgFamily)

/**
 * Returns less than, equal to or more than 0 as the first version comes before, with or after the second, by the rules of
 * https://www.debian.org/doc/debian-policy/ch-controlfields.html#version.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [splitVersion(a), splitVersion(b)]
  return (
    left.epoch - right.epoch ||
    compareParts(left.upstream, right.upstream) ||
    compareParts(left.revision, right.revision)
  )
}

function splitVersion(version: string): { epoch: number; upstream: string; revision: string } {
  const colon = version.indexOf(':')
  const rest = version.slice(colon + 1)
  const dash = rest.lastIndexOf('-')
  return {
    epoch: colon === -1 ? 0 : Number.parseInt(version.slice(0, colon), 10) || 0,
    upstream: dash === -1 ? rest : rest.slice(0, dash),
    revision: dash === -1 ? '0' : rest.slice(dash + 1),
  }
}

/** Texts and numbers take turns: texts are compared with `~` before the end, the end before letters, letters before signs. */
function compareParts(a: string, b: string): number {
  const [left, right] = [pieces(a), pieces(b)]
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [l, r] = [left[i] ?? '', right[i] ?? '']
    const order = i % 2 === 0 ? compareTexts(l, r) : compareNumbers(l, r)
    if (order !== 0) return order
  }
  return 0
}

/** Text, number, text, number … */
function pieces(text: string): readonly string[] {
  return [...text.matchAll(/(\D*)(\d*)/g)].flatMap(match => [match[1] ?? '', match[2] ?? ''])
}

function compareTexts(a: string, b: string): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = rank(a[i]) - rank(b[i])
    if (order !== 0) return order
  }
  return 0
}

function rank(sign: string | undefined): number {
  if (sign === undefined) return 0
  if (sign === '~') return -1
  return /[A-Za-z]/.test(sign) ? sign.charCodeAt(0) : sign.charCodeAt(0) + 256
}

function compareNumbers(a: string, b: string): number {
  const [left, right] = [BigInt(a === '' ? 0 : a), BigInt(b === '' ? 0 : b)]
  return left < right ? -1 : Number(left > right)
}

const NOT_FOUND = 'dpkg-query: no packages found matching '

function parsePackages(answer: Completed, names: readonly string[]): readonly PackageState[] {
  if (answer.code !== 0) throw brokenOff('dpkg-query', { ...answer, err: answer.err + answer.out })
  const rows = endedLines(answer.out).filter(row => !row.startsWith(NOT_FOUND))
  const end = rows.indexOf('')
  const packages = rows.slice(0, end === -1 ? rows.length : end).map(parsePackage)
  const native = packages.find(one => one.name === 'dpkg')?.state.architecture
  if (native === undefined) throw unreadable('dpkg says nothing about itself')
  const provided = end === -1 ? [] : rows.slice(end + 1).map(parseProvides)
  return names.map(asked => {
    const [name = asked, architecture = native] = asked.split(':')
    const found = packages.find(
      one =>
        one.name === name &&
        one.state.status !== 'not-installed' &&
        [architecture, 'all'].includes(one.state.architecture),
    )
    if (found) return { package: found.state, providers: [] }
    return { package: null, providers: provided.filter(one => one.names.includes(name)).map(one => one.by) }
  })
}

function parsePackage(row: string): { name: string; state: Package } {
  const [name = '', architecture = '', want, status, flag, version, ...more] = row.split('\t')
  const isKnown = WANTS.some(word => word === want) && STATUSES.some(word => word === status)
  if (name === '' || !isKnown || version === undefined || more.length > 0) {
    throw unreadable(`expected a package of dpkg, found \`${row.slice(0, 120)}\``)
  }
  return {
    name,
    state: {
      want: want as Package['want'],
      status: status as Package['status'],
      isBroken: flag !== 'ok',
      version,
      architecture,
    },
  }
}

/** `Provides` reads like `awk, editor (= 1.2)`; what is not installed provides nothing. */
function parseProvides(row: string): { by: string; names: readonly string[] } {
  const [status, by, list] = row.split('\t')
  if (!STATUSES.some(word => word === status) || !by || list === undefined) {
    throw unreadable(`expected what a package provides, found \`${row.slice(0, 120)}\``)
  }
  const names = list.split(',').map(one => one.trim().replace(/[ (:].*/, ''))
  return { by, names: status === 'installed' ? names : [] }
}
