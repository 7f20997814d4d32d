import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { block, type Block } from '../probes/block.ts'
import { volumeGroup, type LogicalVolume, type VolumeGroup, type VolumeGroupAnswer } from '../probes/lvm.ts'
import type { Probe } from '../probes/probe.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import {
  devicePath,
  deviceTouches,
  ERASE_NOTES,
  erase,
  freshDevice,
  guardScript,
  requireDevice,
  requireUnused,
  SETTLE,
  zeroScript,
} from './_disk.ts'
import { lvmName, requireLvm, sizeBytes } from './_lvm.ts'
import { complain, flag } from './_params.ts'
import { needs } from './_tools.ts'
import { splitWords } from './_words.ts'
import { changes, defineModule } from './module.ts'

/** Bytes, or a share of the group or of what is free in it. */
type Size = { readonly bytes: number } | { readonly percent: number; readonly of: 'VG' | 'FREE' }

const size = z.union([z.string(), z.number()]).transform((value, context): Size => {
  const [, percent, of] = /^(\d{1,3})%(VG|FREE)$/i.exec(String(value).trim()) ?? []
  if (percent !== undefined && of !== undefined)
    return { percent: Math.min(Number(percent), WHOLE), of: of.toUpperCase() === 'VG' ? 'VG' : 'FREE' }
  return { bytes: sizeBytes(value, context, 'm') }
})
const WHOLE = 100

const params = z
  .strictObject({
    vg: lvmName().describe('Name of the volume group.'),
    lv: lvmName().describe('Name of the volume.'),
    size: size
      .optional()
      .describe('Its size, such as `512` (MiB), `20G`, `50%VG` or `100%FREE`; at least this much.'),
    pvs: z
      .array(devicePath())
      .default([])
      .describe('Devices of the group it is made on; any where not given.'),
    opts: z.string().default('').describe('Further options of `lvcreate`.'),
    resizefs: flag().default(false).describe('Let the file system on it grow with it.'),
    shrink: flag()
      .default(false)
      .refine(value => !value, '`true` found; volumes never become smaller')
      .describe('Accepted where it is off.'),
    force: flag()
      .default(false)
      .refine(value => !value, '`true` found; name the disk with `erase` instead')
      .describe('Accepted where it is off.'),
    state: z
      .enum(['present', 'absent'])
      .default('present')
      .describe('Whether it should be there; `absent` destroys what is on it, with `erase`.'),
    erase: erase(),
  })
  .transform((given, context) => {
    if (given.state === 'absent' && given.erase.length === 0)
      complain(context, 'erase', '`erase` is missing: all that lies on the volume goes', 'MISSING_PARAM')
    const opts = splitWords(given.opts)?.map(({ text }) => text)
    if (!opts) complain(context, 'opts', 'options expected')
    return { ...given, opts: opts ?? [] }
  })
type Params = z.output<typeof params>
type Questions = { readonly vg: Probe<VolumeGroupAnswer>; readonly block: Probe<Block | null> }

export const lvol = defineModule({
  name: 'lvol',
  summary: 'Keeps a volume of LVM, and lets it grow.',
  examples: [
    '- name: Make the volume of the database, and let it grow\n  lvol: { vg: data, lv: couchdb, size: 20G, resizefs: true }\n',
  ],
  deviations: [
    ...ERASE_NOTES,
    '`shrink` is on in Ansible; here a volume that is larger than wished fails the task, and nothing is ever made smaller.',
    '`100%FREE` takes what is free whenever something is; a smaller share of what is free counts when the volume is made. `+10G` is refused: it would grow with each run.',
    'The beginning of a new volume is filled with zeros, so that nothing of an earlier one appears on it.',
    '`snapshot`, `thinpool`, `active` and `%PVS` are not taken; a volume that is not active is made so.',
  ],
  params,
  probe: ({ vg, lv }): Questions => ({ vg: volumeGroup(vg), block: block(`/dev/${vg}/${lv}`) }),
  diff: (wish, { vg: answer, block: found }): readonly Change[] => {
    const [group, what] = [requireLvm(answer, []), `${wish.vg}/${wish.lv}`]
    const volume = group?.lvs.find(({ name }) => name === wish.lv)
    if (wish.state === 'absent') return volume ? removing(wish, volume, found) : []
    if (!group)
      throw new TaskError('VG_MISSING', `there is no volume group \`${wish.vg}\``, 'make it first with `lvg`')
    const wanted = wantedBytes(wish, group, volume)
    if (wanted - (volume?.size ?? 0) > group.free)
      throw new TaskError(
        'VG_FULL',
        `\`${wish.vg}\` has ${group.free} bytes left, and \`${what}\` needs ${wanted - (volume?.size ?? 0)}`,
        'add a device to the group',
      )
    if (!volume) return [{ kind: 'state', what, before: 'absent', after: wanted }]
    if (wanted < volume.size)
      throw new TaskError(
        'WOULD_SHRINK',
        `\`${what}\` has ${volume.size} bytes, more than ${wanted}`,
        'wish for at least what it has',
      )
    return changes<Change>(
      !volume.isActive && { kind: 'active', what, before: false, after: true },
      wanted > volume.size && { kind: 'size', what, before: volume.size, after: wanted },
    )
  },
  apply: (found, wish, { block: seen }) => [
    {
      do: 'run',
      script: lines(needs('lvm', 'lvm2'), ...found.map(change => scriptOf(change, wish, seen)), SETTLE),
    },
  ],
  expect: (wish, { vg: answer, block: found }) => {
    if (typeof answer === 'string') return {}
    const old = answer.lvs.find(({ name }) => name === wish.lv)
    const others = answer.lvs.filter(one => one !== old)
    if (wish.state === 'absent')
      return { vg: { ...answer, free: answer.free + (old?.size ?? 0), lvs: others }, block: null }
    const bytes = wantedBytes(wish, answer, old)
    const volume = { name: wish.lv, size: bytes, isActive: true, role: old?.role ?? '' }
    const [[, fresh] = []] = freshDevice(deviceOf(wish, bytes))
    const grown = found ? { ...found, size: bytes } : (fresh as Block)
    return {
      vg: { ...answer, free: answer.free + (old?.size ?? 0) - bytes, lvs: [...others, volume] },
      block: grown,
    }
  },
  foretells: (found, wish) => {
    const made = found.find(({ kind }) => kind === 'state')
    if (typeof made?.after !== 'number') return []
    const device = deviceOf(wish, made.after)
    return [...freshDevice(device), ...freshDevice({ ...device, path: mapperPath(wish) })]
  },
  touches: (_, wish) => deviceTouches(`/dev/${wish.vg}`, `/dev/${wish.vg}/${wish.lv}`, mapperPath(wish)),
  result: ({ vg, lv }, { vg: group }) => {
    const volume = typeof group === 'object' ? group.lvs.find(({ name }) => name === lv) : undefined
    return { vg, lv, ...(volume && { size: volume.size }) }
  },
})

/** @throws TaskError with code `DEVICE_IN_USE` or `DISK_IS_ANOTHER`. */
function removing(
  wish: Params,
  { size: bytes, isActive }: LogicalVolume,
  found: Block | null,
): readonly Change[] {
  const [device, what] = [`/dev/${wish.vg}/${wish.lv}`, `${wish.vg}/${wish.lv}`]
  if (!isActive)
    throw new TaskError(
      'DEVICE_MISSING',
      `\`${device}\` is not active, so nobody can see what is on it`,
      'make it active first with `state: present`',
    )
  requireUnused(device, requireDevice(device, found, wish.erase))
  return [{ kind: 'state', what, before: bytes, after: 'absent', destroys: true }]
}

/** Returns how large the volume should be, in whole extents; what it has where nothing is said. */
function wantedBytes(
  { vg, lv, size: wanted }: Params,
  { extent, size: all, free }: VolumeGroup,
  volume: LogicalVolume | undefined,
): number {
  if (wanted === undefined) {
    if (volume) return volume.size
    throw new TaskError(
      'SIZE_MISSING',
      `there is no volume \`${lv}\` in \`${vg}\`, and no size is given`,
      'give `size`',
    )
  }
  if ('bytes' in wanted) return Math.ceil(wanted.bytes / extent) * extent
  const share = (bytes: number): number => Math.floor((bytes / extent) * (wanted.percent / WHOLE)) * extent
  if (wanted.of === 'VG') return share(all)
  if (!volume) return share(free)
  return wanted.percent === WHOLE ? volume.size + free : volume.size
}

const FILE_SYSTEMS = ['ext2', 'ext3', 'ext4', 'xfs']

function scriptOf({ kind, after }: Change, wish: Params, seen: Block | null): Sh {
  const { vg, lv, opts, pvs, resizefs } = wish
  const what = `${vg}/${lv}`
  if (kind === 'active') return sh`lvm lvchange -q -ay -- ${what} >&2 || exit`
  if (kind === 'size') {
    const isFileSystem = seen?.signatures.some(({ type }) => FILE_SYSTEMS.includes(type)) === true
    return sh`lvm lvextend -q ${resizefs && isFileSystem ? ['-r'] : []} -L ${`${String(after)}b`} -- ${what} >&2 || exit`
  }
  if (after === 'absent')
    return lines(
      seen ? guardScript(`/dev/${what}`, seen) : undefined,
      sh`lvm lvremove -q -y -- ${what} >&2 || exit`,
    )
  return lines(
    sh`lvm lvcreate -q -y -W y -Z y ${opts} -L ${`${String(after)}b`} -n ${lv} -- ${vg} ${pvs} >&2 || exit`,
    zeroScript(sh`${`/dev/${what}`}`),
  )
}

/** A dash within a name is written twice there. */
function mapperPath({ vg, lv }: Params): string {
  return `/dev/mapper/${vg.replaceAll('-', '--')}-${lv.replaceAll('-', '--')}`
}

function deviceOf({ vg, lv }: Params, bytes: number): Pick<Block, 'path' | 'type' | 'size' | 'disks'> {
  return { path: `/dev/${vg}/${lv}`, type: 'lvm', size: bytes, disks: [] }
}
