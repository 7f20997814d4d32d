import { z } from 'zod'
import type { Change, Registered } from '../base/result.ts'
import { checksum, readable, type Algorithm } from '../probes/checksum.ts'
import { followed, stat as statOf, visible, type FileStat } from '../probes/stat.ts'
import { flag, path } from './_params.ts'
import { defineModule } from './module.ts'

const ALGORITHMS = ['sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'md5'] as const satisfies Algorithm[]

export const stat = defineModule({
  name: 'stat',
  summary: 'Tells what is at a path, for `register`.',
  examples: ['- name: Look for the marker\n  stat:\n    path: /var/lib/app/ready\n  register: marker\n'],
  deviations: [
    '`checksum_algorithm` is `sha256` where not given; Ansible takes `sha1`.',
    'MIME type, file attributes and SELinux context are not told: they need programs that a host may not have.',
  ],
  params: z.strictObject({
    path: path().describe('Absolute path to look at.'),
    follow: flag().default(false).describe('Tell about what a symbolic link leads to.'),
    get_checksum: flag().default(true).describe('Compute the checksum of a regular file.'),
    checksum_algorithm: z.enum(ALGORITHMS).default('sha256').describe('The sort of checksum.'),
    get_mime: flag().default(false).describe('Accepted for Ansible playbooks; nothing is told.'),
    get_attributes: flag().default(false).describe('Accepted for Ansible playbooks; nothing is told.'),
  }),
  probe: params => ({
    file: statOf(params.path),
    ...(params.get_checksum && {
      sum: checksum({ path: params.path, algorithm: params.checksum_algorithm }),
    }),
  }),
  diff: (): readonly Change[] => [],
  apply: () => [],
  touches: () => [],
  reads: true,
  result: (params, state) => {
    const seen = params.follow ? followed(state.file) : visible(state.file)
    if (!seen) return { stat: { exists: false } }
    const sum = seen.kind === 'file' && state.sum !== undefined ? readable(state.sum) : null
    return {
      stat: { exists: true, path: params.path, ...told(seen), ...(sum !== null && { checksum: sum }) },
    }
  },
})

const KIND_NAMES = {
  isreg: 'file',
  isdir: 'directory',
  islnk: 'link',
  isblk: 'block',
  ischr: 'char',
  isfifo: 'fifo',
  issock: 'socket',
} as const
const BIT_NAMES = [
  'xoth',
  'woth',
  'roth',
  'xgrp',
  'wgrp',
  'rgrp',
  'xusr',
  'wusr',
  'rusr',
  'isvtx',
  'isgid',
  'isuid',
]

function told(seen: FileStat): Registered {
  const bits = Number.parseInt(seen.mode, 8)
  return {
    mode: seen.mode,
    uid: seen.uid,
    gid: seen.gid,
    pw_name: seen.user,
    gr_name: seen.group,
    size: seen.size,
    mtime: seen.mtime,
    nlink: seen.nlink,
    inode: seen.inode,
    dev: seen.device,
    ...Object.fromEntries(Object.entries(KIND_NAMES).map(([name, kind]) => [name, seen.kind === kind])),
    ...Object.fromEntries(BIT_NAMES.map((name, bit) => [name, (bits & (1 << bit)) !== 0])),
    ...(seen.target !== undefined && { lnk_target: seen.target, lnk_source: seen.real ?? seen.target }),
  }
}
