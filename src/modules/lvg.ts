import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { block, type Block } from '../probes/block.ts'
import { volumeGroup, type VolumeGroup, type VolumeGroupAnswer } from '../probes/lvm.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import {
  carried,
  clearScript,
  devicePath,
  deviceTouches,
  ERASE_NOTES,
  erase,
  guardScript,
  isCalled,
  requireDevice,
  requireFree,
  SETTLE,
  signed,
} from './_disk.ts'
import { lvmName, requireLvm, sizeBytes } from './_lvm.ts'
import { complain, flag } from './_params.ts'
import { needs } from './_tools.ts'
import { changes, defineModule } from './module.ts'

const params = z
  .strictObject({
    vg: lvmName().describe('Name of the volume group.'),
    pvs: z
      .union([
        z.array(devicePath()),
        z
          .string()
          .transform(text => text.split(',').map(one => one.trim()))
          .pipe(z.array(devicePath())),
      ])
      .default([])
      .describe('Devices it consists of, best by names in `/dev/disk/by-id`.'),
    pesize: z
      .union([z.string(), z.number()])
      .default('4')
      .transform((value, context) => sizeBytes(value, context, 'M'))
      .describe('Size of an extent, such as `4` (MiB) or `16M`, where the group is made.'),
    pvresize: flag().default(false).describe('Let physical volumes grow to the size of their devices.'),
    state: z
      .enum(['present', 'absent'])
      .default('present')
      .describe('Whether it should be there; `absent` wants `erase`, and no volumes in it.'),
    remove_extra_pvs: flag()
      .default(false)
      .refine(value => !value, '`true` found; other devices of the group are left in it')
      .describe('Accepted where it is off.'),
    force: flag()
      .default(false)
      .refine(value => !value, '`true` found; name the disk with `erase` instead')
      .describe('Accepted where it is off.'),
    erase: erase(),
  })
  .transform((given, context) => {
    if (given.pvs.length === 0) complain(context, 'pvs', '`pvs` is missing', 'MISSING_PARAM')
    if (given.state === 'absent' && given.erase.length === 0)
      complain(context, 'erase', '`erase` is missing', 'MISSING_PARAM')
    return given
  })
type Params = z.output<typeof params>
type Questions = { readonly vg: Probe<VolumeGroupAnswer> } & Readonly<
  Record<`/${string}`, Probe<Block | null>>
>
type State = StateOf<Questions>

export const lvg = defineModule({
  name: 'lvg',
  summary: 'Keeps a volume group of LVM.',
  examples: [
    '- name: Make room for volumes\n  lvg: { vg: data, pvs: /dev/disk/by-id/ata-WDC_WD40EFRX_WD-WCC7K0PX-part1 }\n',
  ],
  deviations: [
    ...ERASE_NOTES,
    'With several `pvs`, `erase` names the disks of all of them that carry something.',
    '`absent` wants all devices of the group in `pvs`, so that `erase` can be held against their disks.',
    '`remove_extra_pvs` is off, and cannot be on: it is on in Ansible, and takes away whatever the list forgets.',
    '`absent` refuses a group that has volumes, with `force` or without.',
    '`active`, `inactive`, `pv_options`, `vg_options`, `reset_vg_uuid` and `reset_pv_uuid` are not taken.',
  ],
  params,
  probe: ({ vg, pvs }): Questions => ({
    vg: volumeGroup(vg),
    ...Object.fromEntries(pvs.map(pv => [pv, block(pv)])),
  }),
  diff: (wish, state): readonly Change[] => {
    const { vg: name } = wish
    const group = requireLvm(
      state.vg,
      wish.pvs.flatMap(pv => state[pv as `/${string}`] ?? []),
    )
    if (wish.state === 'absent') return group ? removing(wish, state, group) : []
    const missing = missingPvs(wish, state, group)
    for (const [pv, found] of missing) {
      const names = namesFor(found, wish.erase)
      requireDevice(pv, found, names)
      requireFree(pv, found, names)
    }
    const isLost = missing.some(([, found]) => !found.isBlank)
    return changes<Change>(
      !group && {
        kind: 'state',
        what: name,
        before: 'absent',
        after: 'present',
        ...(isLost && { destroys: true }),
      },
      ...missing.map(([pv, found]) => ({
        kind: 'device',
        what: pv,
        before: carried(found),
        after: name,
        ...(!found.isBlank && { destroys: true }),
      })),
      ...(wish.pvresize ? growing(wish, state, group) : []),
    )
  },
  apply: (found, wish, state) => [
    { do: 'run', script: lines(needs('lvm', 'lvm2'), ...scripts(found, wish, state), SETTLE) },
  ],
  expect: expected,
  touches: (_, { vg, pvs }) => deviceTouches(`/dev/${vg}`, ...pvs),
  result: ({ vg }, { vg: group }) => ({
    vg,
    ...(typeof group === 'object' && {
      size: group.size,
      free: group.free,
      pvs: group.pvs.map(({ path }) => path),
    }),
  }),
})

/** What LVM leaves at the ends of a device stays unused. */
const ENDS = 2 * 2 ** 20

function removing(wish: Params, state: State, group: VolumeGroup): readonly Change[] {
  const { vg, pvs } = wish
  if (group.lvs.length > 0)
    throw new TaskError(
      'VG_IN_USE',
      `the group \`${vg}\` has volumes: ${group.lvs.map(({ name }) => name).join(', ')}`,
      'remove them first, once nobody needs them',
    )
  const blocks = pvs.map(pv => [pv, state[pv as `/${string}`] ?? null] as const)
  const stranger = group.pvs.find(({ path }) => !blocks.some(([, found]) => found?.path === path))
  if (stranger)
    throw new TaskError(
      'DISK_IS_ANOTHER',
      `\`${vg}\` lies on \`${stranger.path}\` as well`,
      'list all its devices in `pvs`',
    )
  for (const [pv, found] of blocks) {
    const names = found ? namesFor(found, wish.erase) : []
    requireDevice(pv, found, names.length > 0 ? names : wish.erase)
  }
  return [
    { kind: 'state', what: vg, before: group.pvs.map(({ path }) => path), after: 'absent', destroys: true },
  ]
}

/** Returns the names that are meant for this device. */
function namesFor(found: Block, wanted: readonly string[]): readonly string[] {
  return wanted.filter(name => found.disks.some(disk => isCalled(disk, name)))
}

function missingPvs(
  { pvs, erase: wanted }: Params,
  state: State,
  group: VolumeGroup | undefined,
): readonly (readonly [string, Block])[] {
  const found = pvs.map(pv => [pv, requireDevice(pv, state[pv as `/${string}`] ?? null, [])] as const)
  const stray = wanted.filter(name => !found.some(([, one]) => namesFor(one, [name]).length > 0))
  for (const [pv, one] of found.slice(0, 1)) requireDevice(pv, one, stray)
  return found.filter(([, { path }]) => group?.pvs.some(pv => pv.path === path) !== true)
}

function growing({ pvs }: Params, state: State, group: VolumeGroup | undefined): readonly Change[] {
  return (group?.pvs ?? []).flatMap(({ path, size, deviceSize }) => {
    const pv = pvs.find(one => state[one as `/${string}`]?.path === path)
    const grows = deviceSize - size >= ENDS + (group?.extent ?? 0)
    return pv !== undefined && grows ? [{ kind: 'size', what: pv, before: size, after: deviceSize }] : []
  })
}

function scripts(found: readonly Change[], wish: Params, state: State): readonly (Sh | undefined)[] {
  const { vg, pesize } = wish
  const isNew = found.some(({ kind }) => kind === 'state')
  if (wish.state === 'absent') {
    const own = typeof state.vg === 'object' ? state.vg.pvs.map(({ path }) => path) : []
    const guards = wish.pvs.map(pv => {
      const one = state[pv as `/${string}`]
      return one ? guardScript(pv, one) : undefined
    })
    return [...guards, sh`lvm vgremove -q -- ${vg} >&2 && lvm pvremove -q -- ${own} >&2 || exit`]
  }
  const fresh = found.filter(({ kind }) => kind === 'device').map(({ what }) => what)
  const grown = found.filter(({ kind }) => kind === 'size').map(({ what }) => what)
  return [
    ...fresh.map(pv => {
      const one = state[pv as `/${string}`]
      return one ? lines(clearScript(pv, one), sh`lvm pvcreate -q -- ${pv} >&2 || exit`) : undefined
    }),
    isNew
      ? sh`lvm vgcreate -q -s ${`${pesize}b`} -- ${vg} ${fresh} >&2 || exit`
      : fresh.length > 0
        ? sh`lvm vgextend -q -- ${vg} ${fresh} >&2 || exit`
        : undefined,
    grown.length > 0 ? sh`lvm pvresize -q -- ${grown} >&2 || exit` : undefined,
  ]
}

function expected(wish: Params, state: State): Partial<State> {
  if (wish.state === 'absent') return { vg: 'none' }
  const old = typeof state.vg === 'object' ? state.vg : undefined
  const extent = old?.extent ?? wish.pesize
  const blocks = wish.pvs.flatMap(pv => {
    const found = state[pv as `/${string}`]
    return found ? [[pv, found] as const] : []
  })
  const usable = (size: number): number => Math.floor((size - ENDS / 2) / extent) * extent
  const fresh = blocks.map(([, found]) => found).filter(({ path }) => !old?.pvs.some(pv => pv.path === path))
  const pvs = [
    ...(old?.pvs ?? []).map(pv => (wish.pvresize ? { ...pv, size: usable(pv.deviceSize) } : pv)),
    ...fresh.map(({ path, size }) => ({ path, size: usable(size), deviceSize: size })),
  ]
  const size = pvs.reduce((sum, pv) => sum + pv.size, 0)
  const used = old ? old.size - old.free : 0
  const member = (found: Block): Block => (fresh.includes(found) ? signed(found, 'LVM2_member') : found)
  return {
    vg: { extent, size, free: size - used, pvs, lvs: old?.lvs ?? [] },
    ...Object.fromEntries(blocks.map(([pv, found]) => [pv, member(found)])),
  }
}
