import { sh } from '../shell/sh.ts'
import { factFamily } from './fact.ts'
import type { Resource } from './probe.ts'
import { endedLines, unreadable } from './unreadable.ts'

const ANY_PACKAGE: readonly Resource[] = [{ kind: 'package', name: '*' }]

export interface Os {
  /** Such as `debian`, `ubuntu`, `rocky`, `alpine`. */
  readonly id: string
  /** Such as `debian`, `redhat`, `suse`, `alpine`, `arch`; the id where it is none of them. */
  readonly family: string
  readonly name: string
  /** Such as `12` or `24.04`; empty where the system does not say (Debian testing). */
  readonly version: string
  readonly major: number | null
  readonly codename: string
}

export const osFamily = factFamily<Os>({
  name: 'os',
  reads: [{ kind: 'host', name: 'os' }, ...ANY_PACKAGE],
  script: sh`for f in /etc/os-release /usr/lib/os-release; do
[ -r "$f" ] || continue
while IFS= read -r l || [ -n "$l" ]; do printf '%s\\n' "$l"; done <"$f"
exit 0
done
printf 'there is no /etc/os-release\\n' >&2; exit 1`,
  parse: parseOs,
})

export interface Kernel {
  readonly release: string
  readonly version: string
  /** Such as `x86_64` or `aarch64`. */
  readonly architecture: string
}

export const kernelFamily = factFamily<Kernel>({
  name: 'kernel',
  reads: [{ kind: 'host', name: 'kernel' }],
  script: sh`uname -r && uname -m && uname -v`,
  parse: out => {
    const [release = '', architecture = '', version = '', ...more] = endedLines(out)
    if (release === '' || architecture === '' || more.length > 0)
      throw unexpected('three words of uname', out)
    return { release, version, architecture }
  },
})

export interface Hostname {
  /** The running kernel's name for the host, up to the first dot. */
  readonly name: string
  /** With the domain, where `/etc/hosts` or the name itself gives one; never asked of the network. */
  readonly fqdn: string
  readonly domain: string
  /** What `/etc/hostname` holds: the name after the next start. */
  readonly static: string
}

export const hostnameFamily = factFamily<Hostname>({
  name: 'hostname',
  reads: [{ kind: 'host', name: 'hostname' }],
  script: sh`IFS= read -r name </proc/sys/kernel/hostname || exit
printf '%s\\n' "$name"
static=; [ ! -r /etc/hostname ] || IFS= read -r static </etc/hostname
printf '%s\\n' "$static"
[ ! -r /etc/hosts ] || while read -r address names; do
case " $names " in *" $name "*) printf '%s\\n' "$names" ;; esac
done </etc/hosts`,
  parse: parseHostname,
})

export interface PackageManager {
  /** `apt`, `dnf`, `yum`, `zypper`, `apk` or `pacman`; null where there is none of them. */
  readonly name: string | null
  /** The architecture in its words, such as `amd64`. */
  readonly architecture: string | null
}

export const packageManagerFamily = factFamily<PackageManager>({
  name: 'package-manager',
  reads: ANY_PACKAGE,
  script: sh`has() { command -v "$1" >/dev/null 2>&1; }
if has apt-get && has dpkg; then a=$(dpkg --print-architecture) || exit; printf 'apt %s\\n' "$a"
elif has dnf; then a=$(rpm --eval '%{_arch}') || exit; printf 'dnf %s\\n' "$a"
elif has yum; then a=$(rpm --eval '%{_arch}') || exit; printf 'yum %s\\n' "$a"
elif has zypper; then a=$(rpm --eval '%{_arch}') || exit; printf 'zypper %s\\n' "$a"
elif has apk; then a=$(apk --print-arch) || exit; printf 'apk %s\\n' "$a"
elif has pacman; then a=$(uname -m) || exit; printf 'pacman %s\\n' "$a"
else printf 'none -\\n'; fi`,
  parse: out => {
    const [, name = '', architecture = ''] = /^([a-z]+) (\S+)\n$/.exec(out) ?? []
    if (name === '') throw unexpected('a package manager', out)
    return name === 'none' ? { name: null, architecture: null } : { name, architecture }
  },
})

export interface ServiceManager {
  /** `systemd`, `openrc`, or the name of the first process. */
  readonly name: string
  /** systemd's version, such as 252. */
  readonly version: number | null
}

export const serviceManagerFamily = factFamily<ServiceManager>({
  name: 'service-manager',
  reads: [{ kind: 'host', name: 'service-manager' }],
  script: sh`if [ -d /run/systemd/system ]; then systemctl --version
elif [ -d /run/openrc ]; then printf 'openrc\\n'
else IFS= read -r c </proc/1/comm && printf '%s\\n' "$c"; fi`,
  parse: out => {
    const [name = '', version = ''] = (out.split('\n')[0] ?? '').split(' ')
    if (name === '') throw unexpected('a service manager', out)
    return { name, version: name === 'systemd' && /^\d+/.test(version) ? Number.parseInt(version, 10) : null }
  },
})

export interface Reboot {
  /** The host says that a restart is due (`/run/reboot-required`). */
  readonly required: boolean
  /** Packages that ask for it. */
  readonly packages: readonly string[]
}

export const rebootFamily = factFamily<Reboot>({
  name: 'reboot',
  reads: [{ kind: 'path', name: '/run/reboot-required' }, ...ANY_PACKAGE],
  script: sh`r=no; [ ! -e /run/reboot-required ] || r=yes
printf '%s\\n' "$r"
[ ! -r /run/reboot-required.pkgs ] || while IFS= read -r l; do printf '%s\\n' "$l"; done </run/reboot-required.pkgs`,
  parse: out => {
    const [required, ...packages] = endedLines(out)
    if (required !== 'yes' && required !== 'no') throw unexpected('`yes` or `no`', out)
    return { required: required === 'yes', packages: [...new Set(packages)].sort() }
  },
})

const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  debian: ['debian', 'ubuntu'],
  redhat: ['rhel', 'fedora', 'centos', 'rocky', 'almalinux', 'ol', 'amzn'],
  suse: ['suse', 'opensuse', 'sles'],
  alpine: ['alpine'],
  arch: ['arch'],
}

function parseOs(out: string): Os {
  const values = new Map(out.split('\n').flatMap(parseAssignment))
  const id = values.get('ID') ?? 'linux'
  if (values.size === 0) throw unexpected('assignments as in os-release', out)
  const words = [id, ...(values.get('ID_LIKE') ?? '').split(' ')]
  const family = Object.keys(FAMILIES).find(name => words.some(word => FAMILIES[name]?.includes(word)))
  const version = values.get('VERSION_ID') ?? ''
  const major = Number.parseInt(version, 10)
  return {
    id,
    family: family ?? id,
    name: values.get('PRETTY_NAME') ?? values.get('NAME') ?? id,
    version,
    major: Number.isNaN(major) ? null : major,
    codename: values.get('VERSION_CODENAME') ?? '',
  }
}

/** `NAME="some text"`, as a shell would read it. */
function parseAssignment(row: string): [string, string][] {
  const [, name = '', value = ''] = /^([A-Z_0-9]+)=(.*)$/.exec(row) ?? []
  if (name === '') return []
  const [, double] = /^"(.*)"$/.exec(value) ?? []
  const [, single] = /^'(.*)'$/.exec(value) ?? []
  return [[name, single ?? (double ?? value).replaceAll(/\\(.)/g, '$1')]]
}

function parseHostname(out: string): Hostname {
  const [full = '', saved = '', ...hosts] = endedLines(out)
  if (full === '') throw unexpected('a host name', out)
  const [name = full] = full.split('.')
  const known = [full, ...hosts.flatMap(row => row.split(/\s+/))]
  const fqdn = known.find(word => word.startsWith(`${name}.`)) ?? full
  return { name, fqdn, domain: fqdn.slice(name.length + 1), static: saved.trim() }
}

function unexpected(wanted: string, out: string): Error {
  return unreadable(`expected ${wanted}, found \`${out.slice(0, 120)}\``)
}
