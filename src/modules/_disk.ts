import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import { block, LOOK, SEAL_LENGTH, type Block, type PhysicalDisk } from '../probes/block.ts'
import { filesystemSize } from '../probes/filesystem-size.ts'
import { luks } from '../probes/luks.ts'
import type { Resource } from '../probes/probe.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { words } from './_params.ts'
import type { Foretold } from './module.ts'

/** The parameter by which a disk is given up; the same for every module that can destroy what a disk carries. */
export function erase() {
  return words()
    .default([])
    .describe(
      'Serial number, or name in `/dev/disk/by-id`, of the disk whose content may be destroyed; a list where the device lies on several. Give it for one run (`-e`), not for ever.',
    )
}

/** What the pages of these modules say about it. */
export const ERASE_NOTES = [
  'Nothing that carries data is overwritten unless `erase` names the very disk it lies on, by serial number or by its name in `/dev/disk/by-id`. Data is any signature that `wipefs` knows, and anything but zeros: a damaged header is no emptiness. What is mounted, swapped to, or held by another device is never overwritten.',
  'An `erase` that names another disk than the one the device lies on fails the task, whether there is anything to do or not.',
  'All of this is judged twice: when the host is looked at, and once more by the script that destroys, immediately before it does. Where anything moved in between, it stops.',
] as const

/** Kernel's names move from one start to the next: https://wiki.archlinux.org/title/Persistent_block_device_naming. */
const MOVING = /^\/dev\/(?:[shv]d[a-z]+|xvd[a-z]+|nvme\d+n\d+|mmcblk\d+|nbd\d+|dm-\d+)(?:p?\d+)?$/

/**
 * Makes sure that the device is there, and lies on the disk that `erase` names, where it names one.
 *
 * @throws TaskError with code `DEVICE_MISSING` or `DISK_IS_ANOTHER`.
 */
export function requireDevice(device: string, found: Block | null, wanted: readonly string[]): Block {
  if (!found)
    throw new TaskError('DEVICE_MISSING', `\`${device}\` is not there`, 'see `facts.disks` for what is')
  if (wanted.length > 0) requireNamed(device, found, wanted)
  return found
}

/**
 * Makes sure that the device may be made into something new: that nothing is lost by it, or that whoever wrote the wish gave
 * up the very disk.
 *
 * @throws TaskError with code `DEVICE_IN_USE`, `DEVICE_HOLDS_DATA` or `DISK_NOT_NAMED`.
 */
export function requireFree(device: string, found: Block, wanted: readonly string[]): void {
  requireUnused(device, found)
  if (wanted.length > 0) return
  if (!found.isBlank) {
    throw new TaskError(
      'DEVICE_HOLDS_DATA',
      `\`${device}\` carries ${carried(found)}`,
      `if nothing on it is needed any more, name the disk: \`erase: ${namesOf(found).join(', ') || 'its serial number'}\``,
    )
  }
  requireStable(device, found, wanted)
}

/**
 * Makes sure that the name of the device means the same one after the next start of the host.
 *
 * @throws TaskError with code `DISK_NOT_NAMED`.
 */
export function requireStable(device: string, found: Block, wanted: readonly string[]): void {
  if (wanted.length > 0 || !MOVING.test(device)) return
  const stable = found.disks.flatMap(({ ids }) => ids)[0]
  throw new TaskError(
    'DISK_NOT_NAMED',
    `\`${device}\` may be another disk after the next start of the host`,
    stable === undefined
      ? 'name it by serial number with `erase`'
      : `name it by /dev/disk/by-id, such as ${stable}`,
  )
}

/**
 * Makes sure that nobody holds the device or a part of it.
 *
 * @throws TaskError with code `DEVICE_IN_USE`.
 */
export function requireUnused(device: string, { uses }: Block): void {
  const [use] = uses
  if (!use) return
  const how = use.by.startsWith('/')
    ? `mounted at \`${use.by}\``
    : use.by === '[SWAP]'
      ? 'swapped to'
      : `held by ${use.by}`
  throw new TaskError(
    'DEVICE_IN_USE',
    `\`${use.path}\` is ${how}`,
    use.path === device ? 'free it first' : `free it first; it is, or belongs to, \`${device}\``,
  )
}

/** Returns in words what is on the device. */
export function carried({ signatures, isBlank }: Pick<Block, 'signatures' | 'isBlank'>): string {
  if (isBlank) return 'nothing'
  return signatures.length === 0
    ? 'data without a signature'
    : [...new Set(signatures.map(({ type }) => type))].join(', ')
}

/**
 * Returns the script that makes sure that the device still is what was seen: same disk, same size, same signatures, nobody
 * holds it. It must run in the very script that destroys.
 */
export function guardScript(device: string, { seal }: Pick<Block, 'seal'>): Sh {
  return lines(
    LOOK,
    sh`s=$(look ${device} | sha256sum | cut -c 1-${SEAL_LENGTH}) || exit`,
    sh`[ "$s" = ${seal} ] || { printf '%s is not any more as it was when it was looked at: nothing was done\\n' ${device} >&2; exit 1; }`,
  )
}

/** Returns the script that makes sure of it and wipes the signatures off, those of its partitions first. */
export function clearScript(device: string, found: Block): Sh {
  const signed = found.isBlank || found.signatures.length === 0 ? [] : [...found.parts, found.path]
  return lines(
    guardScript(device, found),
    ...signed.map(path => sh`wipefs -a -q -- ${path} || exit`),
    found.parts.length > 0 && SETTLE,
  )
}

/** Names of what was made appear a moment later. */
export const SETTLE: Sh = sh`! command -v udevadm >/dev/null || udevadm settle --timeout=30 || :`

/** Returns the script that leaves zeros where a later look expects them: what is new is empty, whatever lay there before. */
export function zeroScript(path: Sh): Sh {
  return sh`dd if=/dev/zero of=${path} bs=1048576 count=1 conv=fsync,nocreat 2>/dev/null || exit`
}

/** What is known beforehand of a device that a task makes. */
export type FreshDevice = Pick<Block, 'path' | 'type' | 'size' | 'disks'>

/** Returns how questions about a device that a task makes will be answered: there is nothing on it. */
export function freshDevice(device: FreshDevice): readonly Foretold[] {
  const nothing = { signatures: [], isBlank: true, uses: [], parts: [], isReadOnly: false, seal: '' }
  const found: Block = { ...nothing, ...device }
  return [
    [block(device.path), found],
    [filesystemSize(device.path), null],
    [luks(device.path), 'none'],
  ]
}

/** Returns the block with these signatures and no other. */
export function signed(found: Block, type: string, label?: string, uuid?: string): Block {
  return {
    ...found,
    isBlank: false,
    parts: [],
    signatures: [{ type, label: label ?? null, uuid: uuid ?? null }],
  }
}

/** Returns what changing these devices alters; what lies on them may have other names as well. */
export function deviceTouches(...paths: readonly string[]): readonly Resource[] {
  return ['*', ...paths].map(name => ({ kind: 'device', name }))
}

/** Returns whether the name, with or without the folder, is the disk's serial number or one of its names by-id. */
export function isCalled({ serial, ids, isUnique }: PhysicalDisk, name: string): boolean {
  return ids.includes(name.replace(/^\/dev\/disk\/by-id\//, '')) || (serial === name && isUnique)
}

function requireNamed(device: string, { disks }: Block, wanted: readonly string[]): void {
  const stranger = disks.find(disk => !wanted.some(name => isCalled(disk, name)))
  const missing = wanted.find(name => !disks.some(disk => isCalled(disk, name)))
  if (disks.length > 0 && !stranger && missing === undefined) return
  const twin = disks.find(({ serial, isUnique }) => serial !== null && !isUnique && wanted.includes(serial))
  throw new TaskError(
    'DISK_IS_ANOTHER',
    twin
      ? `several disks say that their serial number is \`${twin.serial}\``
      : `\`${device}\` lies on ${disks.map(shownDisk).join(' and ')}; \`erase\` names ${wanted.join(', ')}`,
    twin ? 'name the disk as in /dev/disk/by-id' : 'look at the label of the disk, then at the inventory',
  )
}

function shownDisk({ path, serial, ids }: PhysicalDisk): string {
  const name = serial ?? ids[0]
  return name === undefined ? `\`${path}\`, which has no serial number` : `\`${path}\` (${name})`
}

function namesOf({ disks }: Block): readonly string[] {
  return disks
    .map(({ serial, ids, isUnique }) => (isUnique ? (serial ?? ids[0]) : ids[0]))
    .filter(name => name !== undefined)
}

/** A device, by any of its names. */
export function devicePath() {
  return z
    .string()
    .regex(/^\/dev\/[^\s\0]+$/, 'the path of a device, such as `/dev/disk/by-id/…`, expected')
    .refine(path => !path.split('/').includes('..'), 'a path without `..` expected')
}
