import { z } from 'zod'
import type { Block } from '../probes/block.ts'
import type { HeaderCopy, LuksAnswer, LuksKey, Mapping } from '../probes/luks.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import { devicePath, erase } from './_disk.ts'
import { keyOf, passphrase } from './_luks-keys.ts'
import { complain, flag, path } from './_params.ts'

const slot = z.coerce.number().int().min(0).max(31).transform(String)
const word = z.string().regex(/^[\w.:-]+$/, 'one word expected')
const encoding = z.enum(['text', 'base64']).default('text')

const pbkdf = z.strictObject({
  algorithm: z.enum(['argon2id', 'argon2i', 'pbkdf2']).optional().describe('How keys are stretched.'),
  iteration_time: z.number().positive().optional().describe('Seconds it takes.'),
  iteration_count: z.number().int().positive().optional().describe('Rounds it takes, in place of the time.'),
  memory: z.number().int().positive().optional().describe('KiB of memory it takes.'),
  parallel: z.number().int().min(1).max(4).optional().describe('Processors it takes.'),
})

export const luksParams = z
  .strictObject({
    device: devicePath().optional().describe('The device, best by a name in `/dev/disk/by-id`.'),
    state: z
      .enum(['present', 'absent', 'opened', 'closed'])
      .default('present')
      .describe(
        '`present`: a LUKS device; `opened`: open as well, under `name`; `closed`: not open under `name`; `absent`: header and keys destroyed, with `erase`.',
      ),
    name: word.optional().describe('Name below `/dev/mapper` of what is open.'),
    passphrase: passphrase().describe('A passphrase that opens it.'),
    keyfile: path().optional().describe('File on the host that holds a key that opens it.'),
    passphrase_encoding: encoding.describe('How passphrases are written here.'),
    keyslot: slot.optional().describe('Keyslot of the first key, where the device is made.'),
    new_passphrase: passphrase().describe('A further passphrase that should open it.'),
    new_keyfile: path().optional().describe('File on the host with a further key that should open it.'),
    new_keyslot: slot.optional().describe('Keyslot of the further key; the first free one where not given.'),
    remove_passphrase: passphrase().describe('A passphrase that should not open it.'),
    remove_keyfile: path().optional().describe('File on the host with a key that should not open it.'),
    remove_keyslot: slot.optional().describe('Keyslot that should be empty.'),
    label: word.optional().describe('Label of the header.'),
    uuid: z.guid().optional().describe('UUID of the header, where the device is made.'),
    type: z.enum(['luks2']).default('luks2').describe('Version of the header, where the device is made.'),
    cipher: word.optional().describe('Cipher, where the device is made.'),
    keysize: z.number().int().positive().optional().describe('Bits of its key.'),
    hash: word.optional().describe('Hash, where the device is made.'),
    sector_size: z.number().int().positive().optional().describe('Bytes it is encrypted in, such as 4096.'),
    pbkdf: pbkdf.default({}).describe('How new keys are stretched; `cryptsetup` decides where not given.'),
    allow_discards: flag()
      .default(false)
      .describe('Let the disk know what is unused, where it is opened; tells others how full it is.'),
    persistent: flag().default(false).describe('Keep `allow_discards` in the header.'),
    resize: flag().default(false).describe('Let what is open grow to the size of the device.'),
    header_backup: path()
      .optional()
      .describe('File on the host, open to root alone, that holds a copy of the header as it is.'),
    erase: erase(),
  })
  .transform((given, context) => {
    const { passphrase_encoding: how, state, device, name } = given
    const key = keyOf(given, how, context)
    const more = { passphrase: given.new_passphrase, keyfile: given.new_keyfile }
    const less = { passphrase: given.remove_passphrase, keyfile: given.remove_keyfile }
    if (device === undefined && state !== 'closed')
      complain(context, 'device', '`device` is missing', 'MISSING_PARAM')
    if (name === undefined && (state === 'opened' || state === 'closed'))
      complain(context, 'name', '`name` is missing', 'MISSING_PARAM')
    if (state === 'absent' && given.erase.length === 0)
      complain(
        context,
        'erase',
        '`erase` is missing: the keys to all that lies on the device go',
        'MISSING_PARAM',
      )
    return {
      ...given,
      device: device ?? '',
      name: name ?? '',
      key,
      newKey: keyOf(more, how, context, 'new_'),
      oldKey: keyOf(less, how, context, 'remove_'),
    }
  })

export type LuksWish = z.output<typeof luksParams>

/** What must be known of a LUKS device, as far as the wish needs it. */
export type LuksQuestions = {
  readonly block?: Probe<Block | null>
  readonly luks?: Probe<LuksAnswer>
  readonly mapping?: Probe<Mapping | null>
  readonly inner?: Probe<Block | null>
  readonly added?: Probe<LuksKey>
  readonly gone?: Probe<LuksKey>
  readonly copy?: Probe<HeaderCopy>
}
export type LuksState = StateOf<LuksQuestions>
