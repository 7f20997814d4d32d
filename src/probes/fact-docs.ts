import type { Cpu, Firmware, Memory, Security, Virtualization } from './fact-hardware.ts'
import type { Network } from './fact-network.ts'
import type { Disk, Mount } from './fact-storage.ts'
import type { Hostname, Kernel, Os, PackageManager, Reboot, ServiceManager } from './fact-system.ts'
import type { Time } from './fact-time.ts'

/** What a fact tells: every field of it, or of each of its items where it is a list. */
export interface FactDoc {
  readonly summary: string
  readonly fields: Readonly<Record<string, string>>
}

interface FactDocOf<T> extends FactDoc {
  readonly fields: Readonly<Record<keyof T & string, string>>
}

const os: FactDocOf<Os> = {
  summary: 'The operating system, from `/etc/os-release`.',
  fields: {
    id: 'Such as `debian`, `ubuntu`, `rocky`, `alpine`.',
    family: 'Such as `debian`, `redhat`, `suse`, `alpine`, `arch`; the id where it is none of them.',
    name: 'As people say it, such as `Debian GNU/Linux 12 (bookworm)`.',
    version: 'Such as `12` or `24.04`; empty where the system does not say.',
    major: 'The first number of the version, or null.',
    codename: 'Such as `bookworm`; empty where there is none.',
  },
}

const kernel: FactDocOf<Kernel> = {
  summary: 'The running kernel.',
  fields: {
    release: 'Such as `6.1.0-30-amd64`.',
    version: 'How and when it was built.',
    architecture: 'Such as `x86_64` or `aarch64`.',
  },
}

const hostname: FactDocOf<Hostname> = {
  summary: 'Names of the host; the network is never asked.',
  fields: {
    name: 'The running name up to the first dot.',
    fqdn: 'With the domain, where `/etc/hosts` or the name itself gives one.',
    domain: 'What follows the first dot; empty where there is none.',
    static: 'What `/etc/hostname` holds: the name after the next start.',
  },
}

const memory: FactDocOf<Memory> = {
  summary: 'Memory in bytes.',
  fields: {
    total: 'All of it.',
    free: 'What nothing uses.',
    available: 'What programs could still get.',
    swap: '`total` and `free` of the swap space.',
  },
}

const cpu: FactDocOf<Cpu> = {
  summary: 'Processors.',
  fields: {
    count: 'Processors the kernel uses, threads counted.',
    model: 'Its name; empty where the kernel does not say.',
    flags: 'What it can do, such as `aes`.',
    load: 'Average number of running processes over 1, 5 and 15 minutes.',
  },
}

const virtualization: FactDocOf<Virtualization> = {
  summary: 'What the host runs on.',
  fields: {
    type: '`none` on bare metal, else such as `kvm`, `vmware`, `docker`, `lxc`.',
    container: 'Whether it is a container, which shares the kernel of its host.',
  },
}

const firmware: FactDocOf<Firmware> = {
  summary: 'The firmware.',
  fields: {
    efi: 'Whether it was started by UEFI.',
    secure_boot: 'Whether it starts signed kernels only; null where the firmware does not say.',
    tpm: 'Whether there is a TPM 2.0.',
  },
}

const security: FactDocOf<Security> = {
  summary: 'Security modules of the kernel.',
  fields: {
    apparmor: 'Whether AppArmor is enabled.',
    selinux: '`enforcing`, `permissive` or `disabled`.',
  },
}

const mounts: FactDocOf<Mount> = {
  summary: 'A list of what is mounted, from the kernel’s own table: a dead file server holds up nothing.',
  fields: {
    path: 'Where it is mounted.',
    source: 'Such as `/dev/sda1`, `tmpfs` or `server:/export`.',
    type: 'Such as `ext4`, `tmpfs`, `nfs4`.',
    options: 'Options of the mount and of its file system, sorted.',
    read_only: 'Whether it cannot be written to.',
    device: 'Number of the device, such as `8:1`.',
    root: 'The folder of the file system that is seen there; `/` unless it is a bind mount.',
  },
}

const disks: FactDocOf<Disk> = {
  summary: 'A list of block devices, each with what lies on it as `children`.',
  fields: {
    name: 'Such as `sda1`.',
    path: 'Such as `/dev/sda1`.',
    type: 'Such as `disk`, `part`, `crypt`, `lvm`, `raid1`, `rom`, `loop`.',
    size: 'Bytes.',
    rotational: 'Whether it turns.',
    read_only: 'Whether it cannot be written to.',
    removable: 'Whether it can be taken out.',
    model: 'Name given by the maker, or null.',
    serial: 'Serial number, or null.',
    wwn: 'World-wide name, or null.',
    transport: 'Such as `sata`, `nvme`, `usb`, `virtio`, or null.',
    fstype: 'What is on it, such as `ext4`, `crypto_LUKS`, `LVM2_member`, or null.',
    label: 'Label of the file system, or null.',
    uuid: 'UUID of the file system, or null.',
    mountpoint: 'Where it is mounted, or null.',
    children: 'Devices of the same form: partitions, volumes, mappings.',
  },
}

const network: FactDocOf<Network> = {
  summary: 'Network interfaces and ways.',
  fields: {
    interfaces:
      'List of interfaces: `name`, `mac`, `mtu`, `up`, `loopback`, and `addresses` with `family` (`ipv4`, `ipv6`), `address`, `prefix` and `scope` (`global`, `link`, `host`).',
    ipv4: '`interface` and `gateway` of the default route, or null.',
    ipv6: '`interface` and `gateway` of the default route, or null.',
    nameservers: 'Addresses from `/etc/resolv.conf`.',
  },
}

const time: FactDocOf<Time> = {
  summary: 'Clocks.',
  fields: {
    epoch: 'Seconds since 1970 by the host’s clock.',
    hardware: 'Seconds since 1970 by the battery clock, or null.',
    zone: 'Such as `Africa/Nairobi`; empty where the host does not say.',
    offset: 'Minutes east of Greenwich, now.',
    synchronized: 'Whether the clock follows a time server; null where the host does not say.',
    uptime: 'Seconds since the start.',
    boot_id: 'Differs after every start.',
  },
}

const packageManager: FactDocOf<PackageManager> = {
  summary: 'The package manager.',
  fields: {
    name: '`apt`, `dnf`, `yum`, `zypper`, `apk` or `pacman`; null where there is none of them.',
    architecture: 'The architecture in its words, such as `amd64`, or null.',
  },
}

const serviceManager: FactDocOf<ServiceManager> = {
  summary: 'What starts services.',
  fields: {
    name: '`systemd`, `openrc`, or the name of the first process.',
    version: 'Version of systemd, such as 252, or null.',
  },
}

const reboot: FactDocOf<Reboot> = {
  summary: 'Whether the host waits for a restart.',
  fields: {
    required: 'Whether it says that a restart is due (`/run/reboot-required`).',
    packages: 'Packages that ask for it.',
  },
}

/** What every fact tells, by the name under which playbooks ask for it. */
export const FACT_DOCS: Readonly<Record<string, FactDoc>> = {
  os,
  kernel,
  hostname,
  memory,
  cpu,
  virtualization,
  firmware,
  security,
  mounts,
  disks,
  network,
  time,
  package_manager: packageManager,
  service_manager: serviceManager,
  reboot,
}
