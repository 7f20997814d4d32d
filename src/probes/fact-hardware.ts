import { sh } from '../shell/sh.ts'
import { factFamily } from './fact.ts'
import { endedLines, unreadable } from './unreadable.ts'

const KIB = 1024

/** All in bytes. */
export interface Memory {
  readonly total: number
  readonly free: number
  readonly available: number
  readonly swap: { readonly total: number; readonly free: number }
}

export const memoryFamily = factFamily<Memory>({
  name: 'memory',
  reads: [{ kind: 'host', name: 'memory' }],
  script: sh`while IFS= read -r l; do
case $l in MemTotal:*|MemFree:*|MemAvailable:*|SwapTotal:*|SwapFree:*) printf '%s\\n' "$l" ;; esac
done </proc/meminfo`,
  parse: parseMemory,
})

export interface Cpu {
  /** Processors the kernel uses, threads counted. */
  readonly count: number
  readonly model: string
  readonly flags: readonly string[]
  /** Average number of running processes over 1, 5 and 15 minutes. */
  readonly load: readonly number[]
}

export const cpuFamily = factFamily<Cpu>({
  name: 'cpu',
  reads: [{ kind: 'host', name: 'cpu' }],
  script: sh`n=0
while read -r name rest; do case $name in cpu[0-9]*) n=$((n + 1)) ;; intr) break ;; esac; done </proc/stat
read -r one five fifteen rest </proc/loadavg || exit
printf '%s %s %s %s\\n' "$n" "$one" "$five" "$fifteen"
grep -m 1 -E '^(model name|Model|cpu model)' /proc/cpuinfo
grep -m 1 -E '^(flags|Features)' /proc/cpuinfo || :`,
  parse: parseCpu,
})

export interface Virtualization {
  /** Such as `none`, `kvm`, `vmware`, `docker`, `lxc`. */
  readonly type: string
  readonly container: boolean
}

export const virtualizationFamily = factFamily<Virtualization>({
  name: 'virtualization',
  reads: [{ kind: 'host', name: 'virtualization' }],
  script: sh`if command -v systemd-detect-virt >/dev/null 2>&1; then
c=$(systemd-detect-virt -c); printf '%s\\n' "$c"
v=$(systemd-detect-virt -v); printf '%s\\n' "$v"
else
c=none
[ ! -e /.dockerenv ] || c=docker
[ ! -e /run/.containerenv ] || c=podman
printf '%s\\n' "$c"
v=none p=
[ ! -r /sys/class/dmi/id/sys_vendor ] || IFS= read -r p </sys/class/dmi/id/sys_vendor
case $p in QEMU*) v=qemu ;; VMware*) v=vmware ;; *Microsoft*) v=microsoft ;; innotek*) v=oracle ;; Xen*) v=xen ;; *)
! grep -q -E '^flags.* hypervisor( |$)' /proc/cpuinfo || v=vm-other ;; esac
printf '%s\\n' "$v"; fi`,
  parse: out => {
    const [container = '', machine = '', ...more] = endedLines(out)
    if (!/^[a-z0-9-]+$/.test(container) || !/^[a-z0-9-]+$/.test(machine) || more.length > 0) {
      throw unreadable(`expected two sorts of virtualization, found \`${out.slice(0, 120)}\``)
    }
    return { type: container === 'none' ? machine : container, container: container !== 'none' }
  },
})

export interface Firmware {
  /** Started by UEFI. */
  readonly efi: boolean
  /** Null where the firmware does not say. */
  readonly secure_boot: boolean | null
  /** A TPM 2.0 is there. */
  readonly tpm: boolean
}

export const firmwareFamily = factFamily<Firmware>({
  name: 'firmware',
  reads: [{ kind: 'host', name: 'firmware' }],
  script: sh`e=no t=no s=-
[ ! -d /sys/firmware/efi ] || e=yes
[ ! -e /sys/class/tpm/tpm0/tpm_version_major ] || read -r v </sys/class/tpm/tpm0/tpm_version_major
[ "\${v-}" != 2 ] || t=yes
f=/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
[ ! -r "$f" ] || s=$(od -A n -t u1 -j 4 -N 1 "$f")
printf '%s %s %s\\n' "$e" "$t" "$s"`,
  parse: out => {
    const [, efi, tpm, secure] = /^(yes|no) (yes|no) +([01-])\n$/.exec(out) ?? []
    if (efi === undefined) throw unreadable(`expected three flags, found \`${out.slice(0, 120)}\``)
    return { efi: efi === 'yes', secure_boot: secure === '-' ? null : secure === '1', tpm: tpm === 'yes' }
  },
})

export interface Security {
  readonly apparmor: boolean
  readonly selinux: 'enforcing' | 'permissive' | 'disabled'
}

export const securityFamily = factFamily<Security>({
  name: 'security',
  reads: [{ kind: 'host', name: 'security' }],
  script: sh`a=N s=-
[ ! -r /sys/module/apparmor/parameters/enabled ] || read -r a </sys/module/apparmor/parameters/enabled
[ ! -r /sys/fs/selinux/enforce ] || read -r s </sys/fs/selinux/enforce || [ -n "$s" ]
printf '%s %s\\n' "$a" "$s"`,
  parse: out => {
    const [, apparmor, selinux] = /^([YN]) ([01-])\n$/.exec(out) ?? []
    if (apparmor === undefined) throw unreadable(`expected two flags, found \`${out.slice(0, 120)}\``)
    return { apparmor: apparmor === 'Y', selinux: SELINUX[selinux ?? '-'] ?? 'disabled' }
  },
})

const SELINUX: Readonly<Record<string, Security['selinux']>> = {
  '1': 'enforcing',
  '0': 'permissive',
  '-': 'disabled',
}

function parseMemory(out: string): Memory {
  const sizes = new Map(
    endedLines(out).map(row => {
      const [, name = '', amount = ''] = /^(\w+): +(\d+) kB$/.exec(row) ?? []
      return [name, Number(amount) * KIB]
    }),
  )
  const size = (name: string): number => {
    const found = sizes.get(name)
    if (found === undefined) throw unreadable(`/proc/meminfo does not say \`${name}\``)
    return found
  }
  const free = size('MemFree')
  return {
    total: size('MemTotal'),
    free,
    available: sizes.get('MemAvailable') ?? free,
    swap: { total: size('SwapTotal'), free: size('SwapFree') },
  }
}

function parseCpu(out: string): Cpu {
  const [first = '', ...rest] = endedLines(out)
  const [count = 0, ...load] = first.split(' ').map(Number)
  if (load.length !== 3 || Number.isNaN(count + load.reduce((sum, one) => sum + one, 0))) {
    throw unreadable(`expected a count and three loads, found \`${first.slice(0, 120)}\``)
  }
  const valueOf = (pattern: RegExp): string =>
    rest.find(row => pattern.test(row))?.replace(/^[^:]*:\s*/, '') ?? ''
  return {
    count,
    model: valueOf(/^(model name|Model|cpu model)/),
    flags: valueOf(/^(flags|Features)/)
      .split(' ')
      .filter(flag => flag !== ''),
    load,
  }
}
