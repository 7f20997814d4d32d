import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import type { Secret } from '../base/secret.ts'
import { getentEntries, type Entries, type Row } from '../probes/getent.ts'
import { flag, text } from './_params.ts'
import { defineModule } from './module.ts'

const BLANKS = [
  'hosts',
  'ahosts',
  'ahostsv4',
  'ahostsv6',
  'networks',
  'protocols',
  'services',
  'rpc',
  'ethers',
]

const params = z.strictObject({
  database: z
    .string()
    .regex(/^[a-z0-9_]+$/)
    .describe('Name of the database, such as `passwd`, `group` or `hosts`.'),
  key: text()
    .pipe(z.string().regex(/^[^\n]+$/))
    .optional()
    .describe('What to look for; everything where not given.'),
  service: z
    .string()
    .regex(/^[\w.-]+$/)
    .optional()
    .describe('Source to ask, such as `files`, in place of all of them.'),
  split: z
    .string()
    .length(1)
    .optional()
    .describe('What stands between the fields: `:` or blanks where not given.'),
  fail_key: flag().default(true).describe('Fail where the key is not there.'),
})
type Params = z.output<typeof params>

export const getent = defineModule({
  name: 'getent',
  summary: 'Tells what the host knows of users, groups, hosts and the like, for `register`.',
  examples: [
    '- name: Look where the home is\n  getent:\n    database: passwd\n    key: app\n  register: found\n',
  ],
  deviations: [
    'The answer is in `getent_DATABASE` of the registered result; no fact is set.',
    'Passwords of `shadow` and `gshadow` are secrets.',
  ],
  params,
  probe: ({ database, key, service }) => ({ entries: getentEntries({ database, key, service }) }),
  diff: (wish, { entries }): readonly Change[] => {
    requireAnswer(wish, entries)
    return []
  },
  apply: () => [],
  touches: () => [],
  reads: true,
  result: (wish, { entries }) => ({
    [`getent_${wish.database}`]: Array.isArray(entries)
      ? Object.fromEntries((entries as readonly Row[]).map(row => entryOf(row, wish)))
      : { [wish.key ?? '']: null },
  }),
})

function requireAnswer({ database, key, fail_key: fails }: Params, entries: Entries): void {
  if (entries === 'unknown')
    throw new TaskError('DATABASE_UNKNOWN', `the host knows no database \`${database}\``)
  if (entries === 'not listed')
    throw new TaskError('KEY_MISSING', `\`${database}\` tells only what it is asked for`, 'give a `key`')
  if (entries === null && fails) {
    throw new TaskError(
      'KEY_NOT_FOUND',
      `there is no \`${key ?? ''}\` in \`${database}\``,
      'set `fail_key: false` if it need not be there',
    )
  }
}

function entryOf(row: Row, { database, split }: Params): [string, readonly (string | Secret)[]] {
  const between = split ?? (BLANKS.includes(database) ? /\s+/ : ':')
  const [name = '', ...fields] = typeof row === 'string' ? row.split(between) : row
  return [String(name), fields]
}
