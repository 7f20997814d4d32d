import { createHash } from 'node:crypto'
import type { Completed } from '../base/result.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, unreadable } from './unreadable.ts'

/** A physical disk, as far as the host sees: a device that lies on no other. */
export interface PhysicalDisk {
  readonly path: string
  readonly serial: string | null
  /** Names in `/dev/disk/by-id`. */
  readonly ids: readonly string[]
  /** No other disk of the host says the same serial number. */
  readonly isUnique: boolean
}

/** What a superblock or partition table says about itself. */
export interface Signature {
  /** As `wipefs` calls it, such as `ext4`, `crypto_LUKS`, `LVM2_member`, `gpt`. */
  readonly type: string
  readonly uuid: string | null
  readonly label: string | null
}

/** Something that holds the device or a part of it. */
export interface Use {
  readonly path: string
  /** Mount point, `[SWAP]`, or the sort of device that lies on it, such as `crypt`. */
  readonly by: string
}

/** A block device with all that decides whether anything would be lost. */
export interface Block {
  /** Where the name leads in the end, such as `/dev/vdb1`. */
  readonly path: string
  /** Such as `disk`, `part`, `crypt`, `lvm`, `loop`. */
  readonly type: string
  /** Bytes. */
  readonly size: number
  readonly isReadOnly: boolean
  readonly signatures: readonly Signature[]
  /** No signature, and nothing but zeros where it was looked at: a damaged header is no emptiness. */
  readonly isBlank: boolean
  readonly uses: readonly Use[]
  /** Partitions on it, by path. */
  readonly parts: readonly string[]
  readonly disks: readonly PhysicalDisk[]
  /** Checksum of all that was seen; a script that destroys looks again and compares. */
  readonly seal: string
}

/**
 * Defines `look PATH`, which prints all that is known of a block device. The answers of udev's memory are not asked for:
 * signatures are read from the device itself. A device without one is blank only where it holds zeros: the first MiB
 * of what lies on other devices, and 64 KiB at sixteen places more of a disk or partition.
 */
export const LOOK: Sh = sh`look() ( LC_ALL=C; export LC_ALL
p=$(readlink -f -- "$1")
if [ ! -e "$p" ]; then echo none; exit; fi
if [ ! -b "$p" ]; then echo other; exit; fi
if [ ! -r "$p" ]; then echo denied; exit; fi
s=$(wipefs -J -O TYPE,UUID,LABEL -- "$p") || exit
printf '%s\\n' "$p"
lsblk -J -b -o NAME,PATH,TYPE,SIZE,RO,MOUNTPOINTS -- "$p" && printf '\\0' && lsblk -s -J -o NAME,PATH,TYPE,SERIAL -- "$p" && printf '\\0%s\\0' "$s" || exit
case $s in *'"type"'*) printf '0'; exit ;; esac
n=$(lsblk -bdno SIZE -- "$p") && t=$(lsblk -dno TYPE -- "$p") || exit
zeros() { cmp -s -n "$2" -i "$1:0" -- "$p" /dev/zero || { printf 1; exit; }; }
zeros 0 $((n<1048576?n:1048576))
case $t in disk|part|loop|raid*) [ $n -lt 1048576 ] || for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do zeros $((n/65536*i/16*65536)) 65536; done; [ $n -lt 65536 ] || zeros $((n-65536)) 65536 ;; esac
printf 0 )`

const END = '\0//\n'
const EVERYWHERE = sh`lsblk -J -d -o PATH,SERIAL || exit; printf '\\0'
if [ -d /dev/disk/by-id ]; then for f in /dev/disk/by-id/*; do printf '%s\\n' "\${f##*/}"; done; printf '\\0'; readlink -- /dev/disk/by-id/*; else printf '\\0'; fi
printf '\\0//\\n'`

/** Asks about block devices. Null where nothing is at the path. */
export const blockFamily: Family<string, Block | null> = {
  name: 'block',
  key: path => path,
  reads: path => [
    { kind: 'device', name: path },
    { kind: 'mount', name: '*' },
  ],
  deadline: 120,
  script: paths => lines(LOOK, EVERYWHERE, ...paths.map(path => sh`look ${path} || exit; printf '\\0//\\n'`)),
  parse: parseBlocks,
}

/** Asks about the block device at the path. */
export const block = probeOf(blockFamily)

function parseBlocks(answer: Completed, paths: readonly string[]): readonly (Block | null)[] {
  if (answer.code !== 0) throw brokenOff('lsblk or wipefs', answer)
  const pieces = answer.out.split(END)
  if (pieces.pop() !== '' || pieces.length !== paths.length + 1)
    throw unreadable(`expected ${paths.length} devices, found ${pieces.length - 1}`)
  const [everywhere = '', ...looks] = pieces
  const known = readEverywhere(everywhere)
  return looks.map((look, index) => readLook(look, paths[index] ?? '', known, answer.encoding))
}

interface Everywhere {
  readonly serials: readonly string[]
  /** Names in `/dev/disk/by-id`, and the kernel's name of what each leads to. */
  readonly ids: readonly (readonly [id: string, name: string])[]
}

function readEverywhere(piece: string): Everywhere {
  const [disks = '', names = '', targets = ''] = piece.split('\0')
  const devices = devicesIn(disks)
  const found = targets.split('\n').slice(0, -1)
  const ids = names.split('\n').slice(0, found.length)
  return {
    serials: devices.map(({ serial }) => serial).filter(serial => serial !== null),
    ids: ids.map((id, index) => [id, (found[index] ?? '').replace(/^.*\//, '')]),
  }
}

function readLook(
  look: string,
  asked: string,
  known: Everywhere,
  encoding: Completed['encoding'],
): Block | null {
  if (look === 'none\n') return null
  if (look === 'other\n') throw unreadable(`\`${asked}\` is no block device`)
  if (look === 'denied\n')
    throw unreadable(`\`${asked}\` may not be read`, 'run the task with `become: true`')
  const [head = '', above = '', signs = '', blank] = look.split('\0')
  const end = head.indexOf('\n')
  const path = head.slice(0, end)
  const device = devicesIn(head.slice(end + 1))[0]
  if (!device || !path.startsWith('/dev/') || (blank !== '0' && blank !== '1'))
    throw unreadable(`expected a block device, found \`${look.slice(0, 80)}\``)
  const signatures = signaturesIn(signs)
  const root = devicesIn(above)
  return {
    path,
    type: device.type,
    size: device.size,
    isReadOnly: device.isReadOnly,
    signatures,
    isBlank: signatures.length === 0 && blank === '0',
    uses: usesOf(device),
    parts: device.children.filter(({ type }) => type === 'part').map(child => child.path),
    disks: root.flatMap(leavesOf).map(leaf => diskOf(leaf, known)),
    seal: createHash('sha256').update(Buffer.from(look, encoding)).digest('hex').slice(0, SEAL_LENGTH),
  }
}

/** Hexadecimal digits of a seal. */
export const SEAL_LENGTH = 24

interface Device {
  readonly path: string
  readonly type: string
  readonly size: number
  readonly isReadOnly: boolean
  readonly serial: string | null
  readonly mounts: readonly string[]
  readonly children: readonly Device[]
}

function usesOf(device: Device): readonly Use[] {
  return [
    ...device.mounts.map(by => ({ path: device.path, by })),
    ...device.children.flatMap(child =>
      child.type === 'part' ? usesOf(child) : [{ path: device.path, by: `${child.type} ${child.path}` }],
    ),
  ]
}

/** Listed from the device down to what it lies on, a disk is what lies on nothing. */
function leavesOf(device: Device): readonly Device[] {
  return device.children.length === 0 ? [device] : device.children.flatMap(leavesOf)
}

function diskOf({ path, serial }: Device, { serials, ids }: Everywhere): PhysicalDisk {
  const name = path.replace(/^.*\//, '')
  return {
    path,
    serial,
    ids: ids.filter(([, target]) => target === name).map(([id]) => id),
    isUnique: serials.filter(other => other === serial).length <= 1,
  }
}

function signaturesIn(text: string): readonly Signature[] {
  if (text.trim() === '') return []
  const found = fieldsOf(jsonIn(text), 'signatures').map(row => ({
    type: textOf(row, 'type') ?? 'unknown',
    uuid: textOf(row, 'uuid'),
    label: textOf(row, 'label'),
  }))
  const shown = (one: Signature): string => JSON.stringify(one)
  return found.filter((one, index) => found.findIndex(other => shown(other) === shown(one)) === index)
}

function devicesIn(text: string): readonly Device[] {
  return fieldsOf(jsonIn(text), 'blockdevices').map(readDevice)
}

function readDevice(row: Json): Device {
  const path = textOf(row, 'path')
  if (path === null) throw unreadable('lsblk names a device without a path')
  const { mountpoints: mounts } = row
  return {
    path,
    type: textOf(row, 'type') ?? 'disk',
    size: Number(row['size'] ?? 0),
    isReadOnly: row['ro'] === true || row['ro'] === '1',
    serial: textOf(row, 'serial'),
    mounts: Array.isArray(mounts) ? mounts.filter(mount => typeof mount === 'string') : [],
    children: fieldsOf(row, 'children').map(readDevice),
  }
}

type Json = Readonly<Record<string, unknown>>

function jsonIn(text: string): Json {
  try {
    const found: unknown = JSON.parse(text)
    if (isMap(found)) return found
  } catch {
    // What is no JSON is told below.
  }
  throw unreadable(`expected JSON, found \`${text.slice(0, 80)}\``)
}

function fieldsOf(row: Json, key: string): readonly Json[] {
  const found = row[key]
  return Array.isArray(found) ? found.filter(isMap) : []
}

function isMap(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(row: Json, key: string): string | null {
  const value = row[key]
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null
}
