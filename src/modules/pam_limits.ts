import { z } from 'zod'
import type { Change } from '../base/result.ts'
import { contentTouches, type ContentState } from './_content.ts'
import { asIn, editActions, editAfter, editDiff, editQuestions, textNow, type EditWish } from './_edit.ts'
import { withPair } from './_pairs.ts'
import { complain, flag, path, text } from './_params.ts'
import { defineModule } from './module.ts'

const ITEMS = [
  'core',
  'data',
  'fsize',
  'memlock',
  'nofile',
  'rss',
  'stack',
  'cpu',
  'nproc',
  'as',
  'maxlogins',
  'maxsyslogins',
  'priority',
  'locks',
  'sigpending',
  'msgqueue',
  'nice',
  'rtprio',
  'chroot',
] as const
const WITHOUT_LIMIT = ['unlimited', 'infinity', '-1']

const params = z
  .strictObject({
    domain: z.string().regex(/^\S+$/).describe('Name of a user, `@group`, or `*` for everybody but root.'),
    limit_type: z.enum(['hard', 'soft', '-']).describe('Sort of limit; `-` for both.'),
    limit_item: z.enum(ITEMS).describe('What is limited.'),
    value: text()
      .pipe(z.string().regex(/^(unlimited|infinity|-?\d+|\/\S*)$/, 'a number or `unlimited` expected'))
      .describe('The limit.'),
    use_max: flag().default(false).describe('Leave a greater limit as it is.'),
    use_min: flag().default(false).describe('Leave a smaller limit as it is.'),
    dest: path().default('/etc/security/limits.conf').describe('The file.'),
    comment: z
      .string()
      .regex(/^[^\n]*$/)
      .default('')
      .describe('Note at the end of the line.'),
    backup: flag().default(false).describe('Keep the file as it was.'),
  })
  .superRefine(({ use_max: max, use_min: min, limit_item: item, value }, context) => {
    if (max && min) complain(context, 'use_min', 'either `use_max` or `use_min` expected')
    if (item === 'nice' || item === 'priority') return
    if (item !== 'chroot' && /^-[^1]|^-1.|^\//.test(value))
      complain(context, 'value', `\`${value}\` found, a number or \`unlimited\` expected`)
  })
type Params = z.output<typeof params>

export const pam_limits = defineModule({
  name: 'pam_limits',
  summary: 'Limits what users may take of the host.',
  examples: [
    '- name: Let the database open many files\n  pam_limits:\n    domain: couchdb\n    limit_type: "-"\n    limit_item: nofile\n    value: 65536\n    dest: /etc/security/limits.d/couchdb.conf\n',
  ],
  deviations: [
    'The file is made where there is none.',
    'Limits hold from the next login. Services of systemd take theirs from their units, not from this file.',
    'Several lines about the same limit become one; Ansible repairs the first that differs.',
  ],
  params,
  probe: wish => editQuestions(editOf(wish)),
  diff: (wish, state): readonly Change[] => editDiff(editOf(wish), state, edited(wish, state), false),
  apply: (found, wish, state) => editActions(found, editOf(wish), state, edited(wish, state), false),
  expect: (wish, state) => editAfter(editOf(wish), state, edited(wish, state)),
  touches: (found, { dest }) => contentTouches(found, [dest]),
  result: ({ domain, limit_type: type, limit_item: item, value, dest }) => ({
    dest,
    domain,
    type,
    item,
    value,
  }),
})

function editOf({ dest, backup }: Params): EditWish {
  return { path: dest, create: true, backup }
}

function edited(wish: Params, state: ContentState): string {
  const { domain, limit_type: type, limit_item: item, value, comment } = wish
  const now = textNow(editOf(wish), state)
  const wordsOf = (row: string): readonly string[] => row.replace(/#.*/s, '').trim().split(/\s+/)
  return withPair(now?.text ?? '', {
    isOwn: row => wordsOf(row).slice(0, 3).join(' ') === asIn(now, `${domain} ${type} ${item}`),
    isRight: row => isEnough(wordsOf(row)[3] ?? '', wish),
    line: asIn(now, `${domain}\t${type}\t${item}\t${value}${comment === '' ? '' : `\t# ${comment}`}`),
  })
}

function isEnough(now: string, { value, use_max: max, use_min: min }: Params): boolean {
  const [old, wanted] = [now, value].map(word =>
    WITHOUT_LIMIT.includes(word) ? Infinity : Number(word),
  ) as [number, number]
  if (max && old >= wanted) return true
  if (min && old <= wanted) return true
  return now === value || (old === wanted && !Number.isNaN(old))
}
