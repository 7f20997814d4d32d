import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { block, type Block } from '../probes/block.ts'
import { filesystemSize, type FilesystemSize } from '../probes/filesystem-size.ts'
import type { Probe } from '../probes/probe.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import {
  carried,
  clearScript,
  devicePath,
  deviceTouches,
  ERASE_NOTES,
  erase,
  requireDevice,
  requireFree,
  requireUnused,
  SETTLE,
  signed,
} from './_disk.ts'
import { complain, flag } from './_params.ts'
import { needs } from './_tools.ts'
import { splitWords } from './_words.ts'
import { changes, defineModule } from './module.ts'

const TYPES = ['ext2', 'ext3', 'ext4', 'xfs', 'vfat', 'swap'] as const

const params = z
  .strictObject({
    dev: devicePath().optional().describe('The device, best by a name that stays.'),
    device: devicePath().optional().describe('Same as `dev`.'),
    fstype: z.enum(TYPES).optional().describe('Sort of file system.'),
    type: z.enum(TYPES).optional().describe('Same as `fstype`.'),
    state: z
      .enum(['present', 'absent'])
      .default('present')
      .describe('Whether there should be one; `absent` wipes its signature off, with `erase`.'),
    label: z
      .string()
      .regex(/^[\w.:-]{1,16}$/)
      .optional()
      .describe('Its label.'),
    uuid: z
      .string()
      .regex(/^[0-9A-Fa-f-]{9,36}$/)
      .optional()
      .describe('Its UUID, where it is made.'),
    opts: z.string().default('').describe('Options of the program that makes it.'),
    resizefs: flag()
      .default(false)
      .describe('Let it grow to the size of the device: ext2, ext3, ext4, and XFS where it is mounted.'),
    force: flag()
      .default(false)
      .refine(value => !value, '`true` found; name the disk with `erase` instead')
      .describe('Accepted where it is off.'),
    erase: erase(),
  })
  .transform(({ device, type, ...given }, context) => {
    const [dev, fstype] = [given.dev ?? device, given.fstype ?? type]
    if (dev === undefined) complain(context, 'dev', '`dev` is missing', 'MISSING_PARAM')
    if (fstype === undefined && given.state === 'present')
      complain(context, 'fstype', '`fstype` is missing', 'MISSING_PARAM')
    if (given.state === 'absent' && given.erase.length === 0)
      complain(context, 'erase', '`erase` is missing: all that lies on the device goes', 'MISSING_PARAM')
    if (given.resizefs && (fstype === 'vfat' || fstype === 'swap'))
      complain(context, 'resizefs', `\`true\` found; ${fstype} does not grow`)
    const opts = splitWords(given.opts)?.map(({ text }) => text)
    const forced = fstype === 'vfat' ? [] : ['-f', '-F', '--force']
    if (!opts || opts.some(word => forced.includes(word)))
      complain(context, 'opts', 'options expected, none of which overwrites what is there')
    return { ...given, opts: opts ?? [], dev: dev ?? '', fstype: fstype ?? 'ext4' }
  })
type Params = z.output<typeof params>
type Questions = { readonly block: Probe<Block | null>; readonly size?: Probe<FilesystemSize | null> }

export const filesystem = defineModule({
  name: 'filesystem',
  summary: 'Makes a file system on a device that is empty, and lets it grow.',
  examples: [
    '- name: Make the file system of the data disk\n  filesystem: { dev: /dev/mapper/data, fstype: ext4, label: data, resizefs: true }\n',
    '- name: Give up the old disk that is named on the command line\n  filesystem: { dev: /dev/disk/by-id/ata-WDC_WD40EFRX_WD-WCC7K0PX, fstype: xfs, erase: "{{ erase }}" }\n',
  ],
  deviations: [
    ...ERASE_NOTES,
    '`force: true` is refused: it says nothing of which disk is meant.',
    '`resizefs` makes larger, never smaller; a difference of less than 4 MiB does not count.',
    '`label` is set anew on ext2, ext3 and ext4; where another sort has another label, and where the UUID is another, the task fails.',
    'Only ext2, ext3, ext4, XFS, vfat and swap are made.',
  ],
  params,
  probe: ({ dev, resizefs }): Questions => ({
    block: block(dev),
    ...(resizefs && { size: filesystemSize(dev) }),
  }),
  diff: (wish, state): readonly Change[] => {
    const { dev, fstype } = wish
    const found = requireDevice(dev, state.block, wish.erase)
    if (wish.state === 'absent') {
      if (found.signatures.length === 0) return []
      requireUnused(dev, found)
      return [{ kind: 'state', what: dev, before: carried(found), after: 'absent', destroys: true }]
    }
    if (isThere(wish, found))
      return changes(labelChange(wish, found), sizeChange(wish, found, state.size ?? null))
    requireFree(dev, found, wish.erase)
    return [
      {
        kind: 'format',
        what: dev,
        before: carried(found),
        after: fstype,
        ...(!found.isBlank && { destroys: true }),
      },
    ]
  },
  apply: (found, wish, state) => {
    const pieces = found.map(({ kind }) =>
      state.block ? scriptOf(kind, wish, state.block, state.size) : undefined,
    )
    return [{ do: 'run', script: lines(...pieces, SETTLE) }]
  },
  expect: (wish, { block: found, size }) => {
    if (!found) return {}
    if (wish.state === 'absent') return { block: { ...found, signatures: [], isBlank: false } }
    const old = isThere(wish, found) ? found.signatures[0] : undefined
    const after = signed(found, wish.fstype, wish.label ?? old?.label ?? undefined, old?.uuid ?? wish.uuid)
    return {
      block: after,
      ...(size !== undefined && { size: { bytes: found.size, mounted: size?.mounted ?? null } }),
    }
  },
  touches: (_, { dev }) => deviceTouches(dev),
  result: ({ dev, fstype }, { block: found }) => {
    const uuid = found?.signatures.find(({ type }) => type === fstype)?.uuid
    return { dev, fstype, ...(typeof uuid === 'string' && { uuid }) }
  },
})

function isThere({ fstype }: Params, { signatures }: Block): boolean {
  return signatures.some(({ type }) => type === fstype)
}

function labelChange({ dev, fstype, label, uuid }: Params, { signatures }: Block): Change | false {
  const now = signatures.find(({ type }) => type === fstype)
  const differs = (what: string, before: string | null, after: string): TaskError =>
    new TaskError(
      'FILESYSTEM_DIFFERS',
      `the ${what} of the file system on \`${dev}\` is ${before === null ? 'none' : `\`${before}\``}, not \`${after}\``,
      'look whether it is the right device; it is not altered',
    )
  if (uuid !== undefined && now?.uuid?.toLowerCase() !== uuid.toLowerCase())
    throw differs('UUID', now?.uuid ?? null, uuid)
  const before = now?.label ?? null
  if (label === undefined || before === label) return false
  if (!fstype.startsWith('ext')) throw differs('label', before, label)
  return { kind: 'label', what: dev, before, after: label }
}

/** The last group of blocks may be too small to be of use. */
const SLACK = 4 * 2 ** 20

function sizeChange({ dev, fstype }: Params, found: Block, size: FilesystemSize | null): Change | false {
  if (!size || found.size - size.bytes < SLACK) return false
  if (fstype === 'xfs' && size.mounted === null)
    throw new TaskError(
      'NOT_MOUNTED',
      `XFS grows only where it is mounted, and \`${dev}\` is not`,
      'mount it first',
    )
  return { kind: 'size', what: dev, before: size.bytes, after: found.size }
}

function scriptOf(kind: string, wish: Params, found: Block, size: FilesystemSize | null | undefined): Sh {
  const { dev, fstype, label = '' } = wish
  if (kind === 'format') return lines(clearScript(dev, found), makeScript(wish))
  if (kind === 'state') return lines(clearScript(dev, found))
  if (kind === 'label') return lines(needs('e2label', 'e2fsprogs'), sh`e2label ${dev} ${label} || exit`)
  if (fstype === 'xfs') return sh`xfs_growfs -d ${size?.mounted ?? ''} >/dev/null || exit`
  return lines(
    needs('resize2fs', 'e2fsprogs'),
    // A file system that is not mounted is looked over first; status 1 means that something was put right.
    size?.mounted === null && sh`e2fsck -f -p ${dev} >&2 || [ $? -le 1 ] || exit`,
    sh`resize2fs ${dev} >/dev/null || exit`,
  )
}

function makeScript({ dev, fstype, label, uuid, opts }: Params): Sh {
  const named = (option: string, value: string | undefined): readonly string[] =>
    value === undefined ? [] : [option, value]
  if (fstype === 'swap')
    return sh`mkswap ${[...named('-L', label), ...named('-U', uuid), ...opts]} -- ${dev} >/dev/null || exit`
  if (fstype === 'vfat') {
    const words = [...named('-n', label), ...named('-i', uuid?.replaceAll('-', '')), ...opts]
    return lines(needs('mkfs.vfat', 'dosfstools'), sh`mkfs.vfat ${words} ${dev} >/dev/null || exit`)
  }
  if (fstype === 'xfs') {
    const words = [...named('-L', label), ...named('-m', uuid && `uuid=${uuid}`), ...opts]
    return lines(needs('mkfs.xfs', 'xfsprogs'), sh`mkfs.xfs -q ${words} ${dev} || exit`)
  }
  const words = [...named('-L', label), ...named('-U', uuid), ...opts]
  return lines(needs(`mkfs.${fstype}`, 'e2fsprogs'), sh`${`mkfs.${fstype}`} -q ${words} ${dev} || exit`)
}
