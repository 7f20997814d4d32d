import { z } from 'zod'
import type { Change } from '../base/result.ts'
import { contentTouches, type ContentState } from './_content.ts'
import { editActions, editAfter, editDiff, editQuestions, textNow, type EditWish } from './_edit.ts'
import { parseHostKey, withHostKeys } from './_known-hosts.ts'
import { complain, flag, path } from './_params.ts'
import { defineModule } from './module.ts'

const params = z
  .strictObject({
    name: z
      .string()
      .regex(/^(\[[^\s,|\]]+\]:\d+|[^\s,|[\]]+)$/, 'one host, or `[host]:port`, expected')
      .transform(name => name.toLowerCase().replace(/^\[(.*)\]:22$/, '$1'))
      .optional()
      .describe('Host that the keys belong to; `[host]:port` for another port than 22.'),
    host: z.string().optional().describe('Same as `name`.'),
    key: z
      .string()
      .optional()
      .describe('Public keys of the host, one a line, with or without the host before them.'),
    state: z
      .enum(['present', 'absent'])
      .default('present')
      .describe('Whether the keys should be there; `absent` without `key` means all keys of the host.'),
    path: path().default('/etc/ssh/ssh_known_hosts').describe('The file.'),
    hash_host: flag().default(false).describe('Do not let the file tell the name of the host.'),
  })
  .transform(({ host, ...given }, context) => {
    const name = given.name ?? host?.toLowerCase()
    if (name === undefined) complain(context, 'name', '`name` is missing', 'MISSING_PARAM')
    const rows = (given.key ?? '').split('\n').filter(row => row.trim() !== '' && !row.startsWith('#'))
    const keys = rows.map(row => parseHostKey(row) ?? parseHostKey(withoutHost(row, name ?? '')))
    if (keys.includes(undefined))
      complain(context, 'key', `a public key of \`${name ?? ''}\` expected in each line`)
    if (given.state === 'present' && rows.length === 0)
      complain(context, 'key', '`key` is missing', 'MISSING_PARAM')
    return { ...given, name: name ?? '', keys: keys.filter(key => key !== undefined) }
  })
type Params = z.output<typeof params>

export const known_hosts = defineModule({
  name: 'known_hosts',
  summary: 'Says which keys a host has, for all that log in to it from here.',
  examples: [
    '- name: Know the backup server\n  known_hosts:\n    name: backup.example.org\n    key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKB5E8db7GzA9yzNXZnh4lffF8F1Q2MQ15TBiTPZtbFd\n',
  ],
  deviations: [
    '`path` is `/etc/ssh/ssh_known_hosts`, the file of all users, where not given; Ansible takes that of the user.',
    'Another key of the same type is replaced; keys of other types stay.',
    'Patterns, which stand for many hosts, are left alone.',
  ],
  params,
  probe: wish => editQuestions(editOf(wish)),
  diff: (wish, state): readonly Change[] =>
    isBare(wish, state) ? [] : editDiff(editOf(wish), state, edited(wish, state), false),
  apply: (found, wish, state) => editActions(found, editOf(wish), state, edited(wish, state), false),
  expect: (wish, state) =>
    isBare(wish, state) ? state : editAfter(editOf(wish), state, edited(wish, state)),
  touches: (found, { path: file }) => contentTouches(found, [file]),
  result: ({ name, state, path: file }) => ({ name, state, path: file }),
})

function editOf({ path: file, state }: Params): EditWish {
  return { path: file, create: state === 'present', backup: false }
}

function isBare(wish: Params, state: ContentState): boolean {
  return wish.state === 'absent' && !textNow(editOf(wish), state)
}

/** As `ssh-keyscan` prints them: the host stands before the key. */
function withoutHost(row: string, name: string): string {
  const [, marker = '', hosts = '', rest = ''] = /^((?:@\S+\s+)?)(\S+)\s+(.*)$/.exec(row.trim()) ?? []
  return hosts.split(',').includes(name) || hosts.startsWith('|') ? `${marker}${rest}` : ''
}

function edited(wish: Params, state: ContentState): string {
  const { name, keys, hash_host: isHashed } = wish
  return withHostKeys(textNow(editOf(wish), state)?.text ?? '', {
    name,
    keys,
    isPresent: wish.state === 'present',
    isHashed,
  })
}
