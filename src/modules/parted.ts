import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { block, type Block } from '../probes/block.ts'
import { partitions, type Partition } from '../probes/partitions.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import {
  carried,
  clearScript,
  deviceTouches,
  ERASE_NOTES,
  freshDevice,
  guardScript,
  requireDevice,
  requireFree,
  requireStable,
  requireUnused,
  SETTLE,
  signed,
} from './_disk.ts'
import { partedParams, type PartedWish } from './_parted-params.ts'
import { MIB, positionIn } from './_positions.ts'
import { needs } from './_tools.ts'
import { changes, defineModule } from './module.ts'

export const parted = defineModule({
  name: 'parted',
  summary: 'Keeps a partition of a disk.',
  examples: [
    '- name: Give the whole disk to one partition\n  parted: { device: /dev/disk/by-id/ata-WDC_WD40EFRX_WD-WCC7K0PX, number: 1, name: data, state: present }\n',
  ],
  deviations: [
    ...ERASE_NOTES,
    'A table is never made in place of another one, or of anything else, without `erase`; Ansible makes it where `label` differs, and `label` is `msdos` there where not given.',
    'Where a partition begins and ends is compared; a difference of less than 2 MiB does not count. One that differs is refused, and grows with `resize`; it is never moved and never becomes smaller.',
    'Sizes have a unit; `unit` is not taken. Flags are added, and never taken away.',
  ],
  params: partedParams,
  probe: ({ device }) => ({ block: block(device), table: partitions(device) }),
  diff: (wish, { block: seen, table }): readonly Change[] => {
    const found = requireDevice(wish.device, seen, wish.erase)
    if (wish.state === 'info') return []
    const part = table?.partitions.find(({ number }) => number === wish.number)
    if (wish.state === 'absent') return part ? removing(wish, found) : []
    if (part && table?.label === wish.label) return differences(wish, found, part)
    const others = table?.label === wish.label ? table.partitions : undefined
    if (!others) requireFree(wish.device, found, wish.erase)
    requireRoom(wish, found, others ?? [])
    return changes<Change>(
      !others && {
        kind: 'label',
        what: wish.device,
        before: carried(found),
        after: wish.label,
        ...(!found.isBlank && { destroys: true }),
      },
      {
        kind: 'partition',
        what: partPath(wish),
        before: 'absent',
        after: `${wish.part_start} to ${wish.part_end}`,
      },
    )
  },
  apply: (found, wish, { block: seen }) => [
    {
      do: 'run',
      script: lines(
        needs('parted', 'parted'),
        ...found.map(({ kind }) => (seen ? scriptOf(kind, wish, seen) : undefined)),
        SETTLE,
      ),
    },
  ],
  expect: (wish, { block: found, table }) => {
    if (!found || wish.state === 'info') return {}
    const old = table?.label === wish.label ? table.partitions : []
    const others = old.filter(({ number }) => number !== wish.number)
    if (wish.state === 'absent')
      return { table: { label: table?.label ?? null, partitions: others }, block: found }
    const part = partAfter(
      wish,
      found,
      old.find(({ number }) => number === wish.number),
    )
    return {
      table: { label: wish.label, partitions: [...others, part] },
      block: old.length > 0 ? found : signed(found, wish.label),
    }
  },
  foretells: (found, wish, { block: seen }) => {
    if (!seen?.isBlank || !found.some(({ kind }) => kind === 'partition')) return []
    const { size } = partAfter(wish, seen, undefined)
    return [partPath(wish), kernelPath(seen.path, wish.number)].flatMap(path =>
      freshDevice({ path, type: 'part', size, disks: seen.disks }),
    )
  },
  touches: (_, wish) => deviceTouches(wish.device, partPath(wish)),
  result: ({ device }, { block: found, table }) => ({
    disk: { dev: device, size: found?.size ?? 0, table: table?.label ?? 'unknown' },
    partitions: (table?.partitions ?? []).map(({ number: num, start: begin, size, name, flags }) => ({
      num,
      begin,
      end: begin + size - 1,
      size,
      name,
      flags,
    })),
  }),
})

const TOLERANCE = 2 * MIB

function removing(wish: PartedWish, found: Block): readonly Change[] {
  const own = kernelPath(found.path, wish.number)
  requireUnused(partPath(wish), { ...found, uses: found.uses.filter(({ path }) => path === own) })
  return [{ kind: 'partition', what: partPath(wish), before: 'present', after: 'absent', destroys: true }]
}

function differences(wish: PartedWish, found: Block, part: Partition): readonly Change[] {
  const what = partPath(wish)
  const [start, end] = [positionIn(wish.part_start, found.size), positionIn(wish.part_end, found.size)]
  const now = part.start + part.size
  const grows = end - now >= TOLERANCE
  if (
    Math.abs(start - part.start) >= TOLERANCE ||
    (Math.abs(end - now) >= TOLERANCE && !(grows && wish.resize))
  )
    throw new TaskError(
      'PARTITION_DIFFERS',
      `\`${what}\` reaches from byte ${part.start} to ${now}, not from ${start} to ${end}`,
      grows
        ? 'let it grow with `resize: true`'
        : 'look whether it is the right disk; nothing is moved or made smaller',
    )
  return changes<Change>(
    grows && { kind: 'size', what, before: part.size, after: end - part.start },
    wish.name !== undefined &&
      wish.name !== part.name && { kind: 'name', what, before: part.name, after: wish.name },
    ...wish.flags
      .filter(one => !part.flags.includes(one))
      .map(one => ({ kind: 'flag', what, before: null, after: one })),
  )
}

function requireRoom(wish: PartedWish, found: Block, others: readonly Partition[]): void {
  requireStable(wish.device, found, wish.erase)
  const [start, end] = [positionIn(wish.part_start, found.size), positionIn(wish.part_end, found.size)]
  const hit = others.find(part => start + MIB < part.start + part.size && part.start + MIB < end)
  if (hit)
    throw new TaskError(
      'PARTITION_DIFFERS',
      `partition ${hit.number} is in the place of \`${partPath(wish)}\``,
      'see `state: info` for what is there',
    )
  const taken = others.map(({ number }) => number)
  const next = [...taken, 0]
    .map(number => number + 1)
    .filter(number => !taken.includes(number))
    .toSorted((a, b) => a - b)[0]
  if (wish.part_type !== 'logical' && next !== wish.number)
    throw new TaskError(
      'PARTITION_DIFFERS',
      `the next partition of \`${wish.device}\` is number ${next}, not ${wish.number}`,
      'make them in order',
    )
}

function scriptOf(kind: string, wish: PartedWish, found: Block): Sh {
  const { device, number, label, name, part_start: start, part_end: end, align } = wish
  const order = (...words: readonly string[]): Sh =>
    sh`parted -s -a ${align} -- ${device} ${words} >&2 || exit`
  const flags = wish.flags.map(one => order('set', String(number), one, 'on'))
  if (kind === 'label') return lines(clearScript(device, found), order('mklabel', label))
  if (kind === 'name') return order('name', String(number), name ?? '')
  if (kind === 'flag') return lines(...flags)
  // A partition in use is a question for parted, which it answers itself with "no" where it may not ask.
  if (kind === 'size')
    return sh`printf 'Yes\\n' | parted ---pretend-input-tty -a ${align} -- ${device} resizepart ${number} ${end} >&2 || exit`
  if (wish.state === 'absent') return lines(guardScript(device, found), order('rm', String(number)))
  const sort = label === 'gpt' ? (name ?? 'primary') : wish.part_type
  const words = [sort, ...(wish.fs_type === undefined ? [] : [wish.fs_type]), start, end]
  return lines(order('mkpart', ...words), ...flags)
}

function partAfter(wish: PartedWish, found: Block, old: Partition | undefined): Partition {
  const begin = Math.max(MIB, positionIn(wish.part_start, found.size))
  const end = Math.min(found.size - MIB, positionIn(wish.part_end, found.size))
  const start = old?.start ?? begin
  const isKept = old !== undefined && !wish.resize
  const flags = [...new Set([...(old?.flags ?? []), ...wish.flags])]
  return {
    number: wish.number,
    start,
    size: isKept ? old.size : end - start,
    name: wish.name ?? old?.name ?? '',
    flags,
  }
}

function partPath({ device, number }: PartedWish): string {
  return device.startsWith('/dev/disk/by-') ? `${device}-part${number}` : kernelPath(device, number)
}

function kernelPath(disk: string, number: number): string {
  return `${disk}${/\d$/.test(disk) ? 'p' : ''}${number}`
}
