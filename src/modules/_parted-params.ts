import { z } from 'zod'
import { devicePath, erase } from './_disk.ts'
import { complain, flag } from './_params.ts'
import { isPosition } from './_positions.ts'

const FLAGS = ['boot', 'esp', 'lvm', 'raid', 'swap', 'bios_grub', 'legacy_boot'] as const
const position = z
  .string()
  .refine(isPosition, 'a share such as `50%`, or a size with its unit such as `1MiB`, expected')

export const partedParams = z
  .strictObject({
    device: devicePath().describe('The disk, best by a name in `/dev/disk/by-id`.'),
    number: z.number().int().positive().optional().describe('Number of the partition.'),
    state: z
      .enum(['present', 'absent', 'info'])
      .default('info')
      .describe('`present`: it is there; `absent`: it is not, which wants `erase`; `info`: only look.'),
    label: z.enum(['gpt', 'msdos']).default('gpt').describe('Sort of the table, where there is none yet.'),
    name: z
      .string()
      .regex(/^[\w.-]{1,36}$/, 'one word expected')
      .optional()
      .describe('Name of the partition; `gpt` alone has one.'),
    part_type: z
      .enum(['primary', 'logical', 'extended'])
      .default('primary')
      .describe('Sort of the partition, for `msdos`.'),
    part_start: position.default('0%').describe('Where it begins.'),
    part_end: position.default('100%').describe('Where it ends.'),
    fs_type: z
      .string()
      .regex(/^[\w()-]+$/)
      .optional()
      .describe('What it is meant for; nothing is made on it.'),
    flags: z.array(z.enum(FLAGS)).default([]).describe('Flags it should have; others are left.'),
    align: z
      .enum(['optimal', 'minimal', 'cylinder', 'none'])
      .default('optimal')
      .describe('What its ends are rounded to.'),
    resize: flag().default(false).describe('Let it grow to `part_end`, in use or not.'),
    erase: erase(),
  })
  .transform((given, context) => {
    const { state, number, label, name } = given
    if (number === undefined && state !== 'info')
      complain(context, 'number', '`number` is missing', 'MISSING_PARAM')
    if (state === 'absent' && given.erase.length === 0)
      complain(context, 'erase', '`erase` is missing: all that lies on the partition goes', 'MISSING_PARAM')
    if (label === 'msdos' && name !== undefined) complain(context, 'name', 'a table of `msdos` has no names')
    return { ...given, number: number ?? 0 }
  })

export type PartedWish = z.output<typeof partedParams>
