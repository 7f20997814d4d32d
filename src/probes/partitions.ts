import type { Completed } from '../base/result.ts'
import { lines, sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, endedLines, unreadable } from './unreadable.ts'

export interface Partition {
  readonly number: number
  /** Bytes from the beginning of the disk. */
  readonly start: number
  readonly size: number
  readonly name: string
  /** As `parted` calls them. */
  readonly flags: readonly string[]
}

export interface PartitionTable {
  /** `gpt` or `msdos`; null where there is none. */
  readonly label: string | null
  readonly partitions: readonly Partition[]
}

/** Asks how disks are partitioned: one `blkid` for the disk and one for each partition. Null where there is no such disk. */
export const partitionsFamily: Family<string, PartitionTable | null> = {
  name: 'partitions',
  key: path => path,
  reads: path => [{ kind: 'device', name: path }],
  script: paths =>
    lines(
      sh`table() { p=$(readlink -f -- "$1"); if [ ! -b "$p" ]; then echo none; return; fi
if [ ! -r "$p" ]; then printf '%s may not be read\\n' "$p" >&2; return 1; fi
printf 'table %s\\n' "$(blkid -p -s PTTYPE -o value -- "$p")"
for d in /sys/class/block/"\${p##*/}"/*/partition; do [ -r "$d" ] || continue; d=\${d%/*}
IFS= read -r n <"$d/partition" && IFS= read -r s <"$d/start" && IFS= read -r z <"$d/size" || return
printf 'part %s %s %s\\n' "$n" "$s" "$z"; blkid -p -o export -- "/dev/\${d##*/}" | grep '^PART_ENTRY_\\(NAME\\|TYPE\\|FLAGS\\)='; done; :; }`,
      ...paths.map(path => sh`table ${path} || exit; echo //`),
    ),
  parse: parseTables,
}

/** Asks how the disk is partitioned. */
export const partitions = probeOf(partitionsFamily)

const SECTOR = 512

/** Types of partitions that parted shows as flags: https://uapi-group.org/specifications/specs/discoverable_partitions_specification/. */
const TYPES: Readonly<Record<string, string>> = {
  'c12a7328-f81f-11d2-ba4b-00a0c93ec93b': 'esp',
  'e6d6d379-f507-44c2-a23c-238f2a3df928': 'lvm',
  'a19d880f-05fc-4d3b-a006-743f0f84911e': 'raid',
  '0657fd6d-a4ab-43c4-84e5-0933c84b4f4f': 'swap',
  '21686148-6449-6e6f-744e-656564454649': 'bios_grub',
  '0xef': 'esp',
  '0x8e': 'lvm',
  '0xfd': 'raid',
  '0x82': 'swap',
}

function parseTables(answer: Completed, paths: readonly string[]): readonly (PartitionTable | null)[] {
  if (answer.code !== 0) throw brokenOff('blkid', answer)
  const pieces = answer.out.split('//\n')
  if (pieces.pop() !== '' || pieces.length !== paths.length)
    throw unreadable(`expected ${paths.length} disks, found ${pieces.length}`)
  return pieces.map(piece => (piece === 'none\n' ? null : readTable(endedLines(piece))))
}

function readTable([head = '', ...rows]: readonly string[]): PartitionTable {
  const kind = /^table (\w*)$/.exec(head)?.[1]
  if (kind === undefined) throw unreadable(`expected a partition table, found \`${head.slice(0, 80)}\``)
  const found: Partition[] = []
  for (const row of rows) {
    if (row.startsWith('part ')) found.push(readPart(row))
    else {
      const last = found.pop()
      if (!last) throw unreadable(`expected a partition, found \`${row.slice(0, 80)}\``)
      found.push(withEntry(last, row))
    }
  }
  const label = kind === 'dos' ? 'msdos' : kind
  return { label: label === '' ? null : label, partitions: found.toSorted((a, b) => a.number - b.number) }
}

function readPart(row: string): Partition {
  const [, number, start, size] = /^part (\d+) (\d+) (\d+)$/.exec(row) ?? []
  if (size === undefined) throw unreadable(`expected a partition, found \`${row.slice(0, 80)}\``)
  return {
    number: Number(number),
    start: Number(start) * SECTOR,
    size: Number(size) * SECTOR,
    name: '',
    flags: [],
  }
}

const ACTIVE = '0x80'
/** Bit 2 of the attributes. */
const LEGACY_BOOT = 4

function withEntry(part: Partition, row: string): Partition {
  const [, key = '', value = ''] = /^PART_ENTRY_(\w+)=(.*)$/.exec(row) ?? []
  if (key === 'NAME') return { ...part, name: value.replaceAll(/\\(.)/g, '$1') }
  if (key === 'TYPE') {
    const flag = TYPES[value]
    return flag === undefined ? part : { ...part, flags: [...part.flags, flag] }
  }
  if (value === ACTIVE) return { ...part, flags: [...part.flags, 'boot'] }
  const isLegacy = Math.floor(Number(value) / LEGACY_BOOT) % 2 === 1
  return isLegacy ? { ...part, flags: [...part.flags, 'legacy_boot'] } : part
}
