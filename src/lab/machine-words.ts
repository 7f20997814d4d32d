import { join } from 'node:path'
import { ACCELERATION, KERNEL_WORDS, USUAL_CPUS, type Accel } from './accel.ts'
import { cards } from './identity.ts'
import { IMAGE, ROOT_LABEL } from './image.ts'
import { hostFolder, type Hardware, type LabHost, type OpenLab } from './state.ts'

/**
 * What happens to writes between the machine and the file that holds its disk: `volatile` keeps them until the machine
 * flushes, as the cache of a real disk; `lying` forgets them even then, as a bad disk; `none` writes them at once.
 */
export type DiskCache = 'volatile' | 'lying' | 'none'

/** Names of what stands in a machine's folder; sockets are found from there, because their paths must be short. */
export const FILES = {
  root: 'root.qcow2',
  archive: 'initrd',
  console: 'console.sock',
  consoleLog: 'console.log',
  control: 'control.sock',
  tpm: 'tpm',
  tpmSocket: 'tpm.sock',
  log: 'programs.log',
} as const

export interface Disk {
  readonly name: string
  readonly format: 'qcow2' | 'raw'
  readonly file: string
  /** Where the disk is served when its cache is modelled. */
  readonly socket: string
}

/** Returns the disks of a machine, the root disk first. */
export function disksOf(hardware: Hardware): readonly Disk[] {
  return [
    { name: 'root', format: 'qcow2', file: FILES.root, socket: 'root.disk.sock' },
    ...hardware.disks.map(({ name }) => ({
      name,
      format: 'raw' as const,
      file: `${name}.disk`,
      socket: `${name}.disk.sock`,
    })),
  ]
}

/**
 * Returns the command line that serves a disk and keeps its writes until they are flushed. In the foreground it would end
 * with the process that started it.
 */
export function diskWords(disk: Disk, cache: Exclude<DiskCache, 'none'>): readonly string[] {
  const mode = cache === 'volatile' ? 'writeback' : 'unsafe'
  return [
    ['nbdkit', '--unix', disk.socket, '--filter=cache'],
    ['file', `file=${disk.file}`, `cache=${mode}`],
  ].flat()
}

/** Returns the command line of a software TPM that ends with its machine; its paths must be absolute. */
export function tpmWords(folder: string): readonly string[] {
  return [
    ['swtpm', 'socket', '--tpm2', '--terminate', '--tpmstate', `dir=${join(folder, FILES.tpm)}`],
    ['--ctrl', `type=unixio,path=${join(folder, FILES.tpmSocket)}`],
  ].flat()
}

export interface MachineWish {
  readonly lab: OpenLab
  readonly hardware: Hardware
  readonly host: LabHost
  /** Its place among the lab's hosts, from 1. */
  readonly number: number
  readonly accel: Accel
  readonly diskCache: DiskCache
}

/** Returns the command line of a machine, to be started in its folder. */
export function machineWords(wish: MachineWish): readonly string[] {
  const { lab, hardware, host, accel } = wish
  return [
    ['qemu-system-x86_64', '-name', `${lab.name}/${host.name}`, '-nodefaults', '-no-user-config'],
    ['-display', 'none', '-machine', 'q35', ...ACCELERATION[accel]],
    ['-m', `${Math.round(hardware.memory / 2 ** 20)}M`, '-smp', String(hardware.cpus ?? USUAL_CPUS[accel])],
    ['-kernel', join(hardware.image, IMAGE.kernel), '-initrd', FILES.archive],
    ['-append', `root=LABEL=${ROOT_LABEL} ro console=ttyS0 quiet panic=5${KERNEL_WORDS[accel]}`],
    ['-object', 'rng-random,id=rng,filename=/dev/urandom', '-device', 'virtio-rng-pci,rng=rng'],
    disksOf(hardware).flatMap(disk => diskDevice(disk, wish.diskCache)),
    networkWords(wish),
    hardware.tpm ? TPM : [],
    ['-chardev', consoleWords(), '-serial', 'chardev:console'],
    ['-qmp', `unix:${FILES.control},server=on,wait=off`],
  ].flat()
}

const TPM = [
  ['-chardev', `socket,id=tpm,path=${FILES.tpmSocket}`, '-tpmdev', 'emulator,id=tpm0,chardev=tpm'],
  ['-device', 'tpm-crb,tpmdev=tpm0'],
].flat()

function consoleWords(): string {
  const socket = `socket,id=console,path=${FILES.console},server=on,wait=off`
  return `${socket},logfile=${FILES.consoleLog},logappend=on`
}

function diskDevice({ name, format, file, socket }: Disk, cache: DiskCache): readonly string[] {
  const source =
    cache === 'none'
      ? { driver: 'file', filename: file }
      : { driver: 'nbd', server: { type: 'unix', path: socket } }
  // A discard would pass the cache by and could not be lost.
  const node = { driver: format, 'node-name': `node-${name}`, discard: 'ignore', file: source }
  const device = `virtio-blk-pci,id=disk-${name},drive=node-${name},serial=${name},write-cache=on`
  return ['-blockdev', JSON.stringify(node), '-device', device]
}

function networkWords({ lab, hardware, host, number }: MachineWish): readonly string[] {
  const { outer, inner } = cards(number)
  const published = Object.entries({ ...host.published, 22: host.port })
  const forwards = published.map(([guest, port]) => `hostfwd=tcp:127.0.0.1:${port}-10.0.2.15:${guest}`)
  const user = ['user', 'id=outer', `restrict=${hardware.internet ? 'off' : 'on'}`, 'ipv6=off', ...forwards]
  // Every machine hears what is sent to this group; it never leaves the loopback.
  const wire = ['socket', 'id=inner', `mcast=230.77.0.1:${lab.wire ?? 0}`, 'localaddr=127.0.0.1']
  return [
    ['-netdev', user.join(','), '-device', `virtio-net-pci,id=card-outer,netdev=outer,mac=${outer},romfile=`],
    ['-netdev', wire.join(','), '-device', `virtio-net-pci,id=card-inner,netdev=inner,mac=${inner},romfile=`],
  ].flat()
}

/** The longest path a socket may have. */
const LONGEST_SOCKET = 107

/** Tells whether sockets can be made in the machine's folder by their full path. */
export function fitsSockets(lab: OpenLab, host: string): boolean {
  const longest = Math.max(...[FILES.console, FILES.control, FILES.tpmSocket].map(name => name.length))
  return Buffer.byteLength(hostFolder(lab, host)) + 1 + longest <= LONGEST_SOCKET
}
