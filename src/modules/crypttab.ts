import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { sh } from '../shell/sh.ts'
import { contentTouches, type ContentState } from './_content.ts'
import { asIn, editActions, editAfter, editDiff, editQuestions, textNow, type EditWish } from './_edit.ts'
import { withoutPair, withPair } from './_pairs.ts'
import { complain, path } from './_params.ts'
import { defineModule } from './module.ts'

const word = z.string().regex(/^[^\s#]\S*$/, 'one word expected')

const params = z
  .strictObject({
    name: word
      .transform(name => name.replace(/^\/dev\/mapper\//, ''))
      .describe('Name below `/dev/mapper` under which the device is open.'),
    backing_device: word
      .optional()
      .describe('The encrypted device, such as `UUID=…` or a path in `/dev/disk/by-id`.'),
    password: z
      .string()
      .regex(/^(none|-|\/\S+)$/, '`none`, or the path of a key file on the host, expected')
      .optional()
      .describe('File on the host with the key; `none` or `-` where it is asked for, or comes from a token.'),
    opts: word.optional().describe('Options, separated by commas, such as `luks,discard,tpm2-device=auto`.'),
    state: z
      .enum(['present', 'absent', 'opts_present', 'opts_absent'])
      .describe(
        '`present`: the line says this; `absent`: there is none; `opts_present` and `opts_absent`: its options have these, or have not.',
      ),
    path: path().default('/etc/crypttab').describe('The file.'),
  })
  .transform((given, context) => {
    if (given.state.startsWith('opts_') && given.opts === undefined)
      complain(context, 'opts', '`opts` is missing', 'MISSING_PARAM')
    return given
  })
type Params = z.output<typeof params>

export const crypttab = defineModule({
  name: 'crypttab',
  summary: 'Has encrypted devices opened when the host starts.',
  examples: [
    '- name: Open the data disk at the start, with the TPM\n  crypttab:\n    name: data\n    backing_device: /dev/disk/by-id/ata-WDC_WD40EFRX_WD-WCC7K0PX\n    password: none\n    opts: luks,tpm2-device=auto,nofail\n    state: present\n',
  ],
  deviations: [
    '`password` is `none` or a path, as crypttab(5) has it; a passphrase itself has no place in the file.',
    'systemd reads the file again after it was changed. Where the start image of the host needs the device, it is to be made anew: notify a handler with `update-initramfs -u`.',
    'Options that are there are left in their order.',
  ],
  params,
  probe: wish => editQuestions(editOf(wish)),
  diff: (wish, state): readonly Change[] =>
    isBare(wish, state) ? [] : editDiff(editOf(wish), state, edited(wish, state), false),
  apply: (found, wish, state) => [
    ...editActions(found, editOf(wish), state, edited(wish, state), false),
    { do: 'run', script: sh`[ ! -d /run/systemd/system ] || systemctl daemon-reload`, detached: false },
  ],
  expect: (wish, state) => (isBare(wish, state) ? {} : editAfter(editOf(wish), state, edited(wish, state))),
  touches: (found, { path: file }) => [...contentTouches(found, [file]), { kind: 'unit', name: '*' }],
  result: ({ name, path: file }) => ({ name, path: file }),
})

function editOf({ path: file, state }: Params): EditWish {
  return { path: file, create: state === 'present', backup: false }
}

function isBare(wish: Params, state: ContentState): boolean {
  return wish.state === 'absent' && !textNow(editOf(wish), state)
}

function edited(wish: Params, state: ContentState): string {
  const now = textNow(editOf(wish), state)
  const before = now?.text ?? ''
  const name = asIn(now, wish.name)
  const isOwn = (row: string): boolean => wordsOf(row)[0] === name
  if (wish.state === 'absent') return withoutPair(before, isOwn)
  const row = before.split('\n').find(isOwn)
  const wanted = fieldsOf(wish, row).map(field => asIn(now, field))
  return withPair(before, {
    isOwn,
    isRight: other => wordsOf(other).join(' ') === wanted.join(' '),
    line: wanted.join(' '),
  })
}

/** Returns the four fields: crypttab(5), https://www.freedesktop.org/software/systemd/man/latest/crypttab.html. */
function fieldsOf(wish: Params, row: string | undefined): readonly string[] {
  const { name, state } = wish
  const [, device = wish.backing_device, key = 'none', options = ''] = row === undefined ? [] : wordsOf(row)
  if (row === undefined && state !== 'present')
    throw new TaskError(
      'LINE_MISSING',
      `\`${wish.path}\` has no line for \`${name}\``,
      'use `state: present`',
    )
  if (device === undefined)
    throw new TaskError(
      'LINE_MISSING',
      `\`${wish.path}\` has no line for \`${name}\``,
      'give `backing_device`',
    )
  const has = options.split(',').filter(option => option !== '')
  const given = (wish.opts ?? '').split(',').filter(option => option !== '')
  if (state === 'opts_absent') return row4(name, device, key, without(has, given))
  if (state === 'opts_present') return row4(name, device, key, withOptions(has, given))
  return row4(
    name,
    wish.backing_device ?? device,
    wish.password ?? key,
    wish.opts === undefined ? has : given,
  )
}

function row4(name: string, device: string, key: string, options: readonly string[]): readonly string[] {
  const isPlain = options.length === 0
  if (isPlain && (key === 'none' || key === '-')) return [name, device, 'none']
  return isPlain ? [name, device, key] : [name, device, key === '-' ? 'none' : key, options.join(',')]
}

/** An option that has a value is told by its name where it goes, and replaced where it comes. */
function without(has: readonly string[], given: readonly string[]): readonly string[] {
  return has.filter(option => !given.includes(option) && !given.includes(nameOf(option)))
}

function withOptions(has: readonly string[], given: readonly string[]): readonly string[] {
  const kept = has.map(option => given.find(other => nameOf(other) === nameOf(option)) ?? option)
  return [...kept, ...given.filter(option => !kept.includes(option))]
}

function nameOf(option: string): string {
  return option.replace(/=.*$/, '')
}

function wordsOf(row: string): readonly string[] {
  const words = row.trim().split(/\s+/)
  if (words.length < 2 || row.trimStart().startsWith('#')) return []
  const [name = '', device = '', key = 'none', options] = words
  const shown = key === '-' ? 'none' : key
  return options === undefined ? [name, device, shown] : [name, device, shown, options]
}
