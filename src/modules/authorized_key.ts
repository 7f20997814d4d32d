import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { ACCOUNT_NAME } from '../probes/accounts.ts'
import { authorizedKeys, type AuthorizedKeys, type Entry } from '../probes/authorized-keys.ts'
import { pathResources } from '../probes/resources.ts'
import { lines, sh } from '../shell/sh.ts'
import {
  fingerprintOf,
  keyChanges,
  keysIn,
  parseKey,
  withKeys,
  type AuthorizedKey,
} from './_authorized-keys.ts'
import { complain, flag, path } from './_params.ts'
import { folderOf } from './_paths.ts'
import { changes, defineModule, type Action } from './module.ts'

const params = z
  .strictObject({
    user: z.string().regex(ACCOUNT_NAME).describe('Name of the user that may log in with the key.'),
    key: z
      .union([z.string(), z.array(z.string())])
      .describe('Public keys: one or several lines of text, or a list of them.'),
    state: z.enum(['present', 'absent']).default('present').describe('Whether the keys should be there.'),
    exclusive: flag().default(false).describe('Remove every other key of the file.'),
    key_options: z
      .string()
      .regex(/^[^\n]*$/)
      .optional()
      .describe('Options of the keys, such as `from="10.0.0.0/8",no-pty`; empty to have none.'),
    comment: z
      .string()
      .regex(/^[^\n]*$/)
      .optional()
      .describe('Comment of the keys.'),
    path: path().optional().describe('File of the keys; that of the user’s home folder where not given.'),
    manage_dir: flag()
      .default(true)
      .describe('Make the folder of the file, and keep it and the file to the user alone.'),
    follow: flag().default(false).describe('Write to where a symbolic link leads, rather than refuse it.'),
    allow_lockout: flag()
      .default(false)
      .describe('Remove even the key that the host is reached with, or the last one of the user.'),
  })
  .transform((given, context) => {
    const rows = [given.key].flat().flatMap(text => text.split('\n').filter(row => row.trim() !== ''))
    const keys = rows.filter(row => !row.trimStart().startsWith('#')).map(row => parseKey(row))
    const stray = keys.findIndex(key => key === undefined)
    if (rows.some(row => /^https?:/.test(row)))
      complain(context, 'key', 'a web address found; write the key itself, so that nobody else can change it')
    else if (stray >= 0) complain(context, 'key', `no public key of OpenSSH found in line ${stray + 1}`)
    if (keys.length === 0) complain(context, 'key', '`key` is missing', 'MISSING_PARAM')
    if (given.exclusive && given.state === 'absent')
      complain(context, 'exclusive', '`state: absent` found with it')
    return { ...given, keys: keys.filter(key => key !== undefined) }
  })
type Params = z.output<typeof params>
export const authorized_key = defineModule({
  name: 'authorized_key',
  summary: 'Says which public keys may log in as a user.',
  examples: [
    '- name: Let the operators in, and nobody else\n  authorized_key:\n    user: ops\n    key:\n      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILtsAIdB75/W282uVED+/vgvS1tMDH1BnDIF/H4RoIXt bob\n      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILBD13Cq6ro0rK6TLIg05X1if2j5mh71hX24E4uqcgxp alice\n    exclusive: true\n',
    '- name: Let the backup server fetch its file, and nothing else\n  authorized_key:\n    user: backup\n    key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKB5E8db7GzA9yzNXZnh4lffF8F1Q2MQ15TBiTPZtbFd backup\n    key_options: restrict,command="/usr/local/bin/send-backup"\n',
  ],
  deviations: [
    'The key that the host is reached with is not removed, nor the last key of the user that logs in where the key is not known, unless `allow_lockout: true` says so.',
    'Keys are compared by the key itself. Options and comment of a key that is there stay as they are, unless `key_options`, `comment` or the key’s own options say otherwise; Ansible takes them away.',
    '`exclusive` keeps empty lines and lines that begin with `#`.',
    'A symbolic link in place of the file, or of a folder in the user’s home, is refused without `follow`: it could lead root anywhere.',
    'A file outside of the home folder belongs to root when it is made, and its folder is left alone.',
    'A web address in place of a key is refused.',
  ],
  params,
  probe: ({ user, path: file }, { login }) => ({
    found: authorizedKeys({
      user,
      path: file,
      ...(login?.user === user && { login: { key: login.key } }),
    }),
  }),
  diff: (wish, { found }): readonly Change[] => {
    if (!found && wish.state === 'absent') return []
    const now = requireFile(wish, found)
    const after = keysIn(edited(wish, now))
    requireAccess(wish, now, after)
    const before = keysIn(now.text ?? '')
    const keys = keyChanges(now.path, before, after)
    const isOther = keys.length === 0 && edited(wish, now) !== (now.text ?? '')
    return changes<Change>(
      wish.state === 'present' &&
        !now.folder && { kind: 'state', what: folderOf(now.path), before: 'absent', after: 'directory' },
      ...keys,
      isOther && { kind: 'lines', what: now.path, before: 'repeated or strange lines', after: null },
      ...attributes(wish, now),
    )
  },
  apply: (found, wish, { found: seen }) => {
    const now = requireFile(wish, seen)
    const folder = folderOf(now.path)
    const owner = `${now.uid}:${now.gid}`
    const of = (what: string, kind: string): boolean =>
      found.some(change => change.what === what && change.kind === kind)
    const script = lines(
      of(folder, 'state') && sh`mkdir -m 0700 -- ${folder} || exit`,
      (of(folder, 'state') || of(folder, 'owner')) && sh`chown -h -- ${owner} ${folder} || exit`,
      of(folder, 'mode') && sh`chmod -- 0700 ${folder} || exit`,
      of(now.path, 'owner') && sh`chown -h -- ${owner} ${now.path} || exit`,
      of(now.path, 'mode') && sh`chmod -- 0600 ${now.path} || exit`,
    )
    const text = edited(wish, now)
    return [
      ...(script.text === '' ? [] : [{ do: 'run', script, detached: false } as const]),
      ...(text === (now.text ?? '') ? [] : [written(wish, now, text)]),
    ]
  },
  expect: (wish, { found: now }) => ({ found: now && afterwards(wish, now) }),
  touches: (
    found,
    { user, path: file = `${user === 'root' ? '/root' : `/home/${user}`}/.ssh/authorized_keys` },
  ) =>
    [...new Set([file, folderOf(file), ...found.map(({ what }) => what.replace(/ SHA256:.*$/, ''))])].flatMap(
      what => pathResources(what),
    ),
  result: ({ user, state, exclusive, keys }, { found }) => ({
    user,
    state,
    exclusive,
    keyfile: found?.path ?? null,
    fingerprints: keys.map(fingerprintOf),
  }),
})

/** What is in the user's home is the user's own; elsewhere the system's. */
function ownFolder({ manage_dir: manages }: Params, { path: file, home }: AuthorizedKeys): boolean {
  return manages && file.startsWith(`${home.replace(/\/+$/, '')}/`)
}

function requireFile(wish: Params, found: AuthorizedKeys | null): AuthorizedKeys {
  if (!found)
    throw new TaskError(
      'USER_NOT_FOUND',
      `there is no user \`${wish.user}\``,
      'make it with the module `user` first',
    )
  const { path: file, folder, text } = found
  const link =
    found.file?.kind === 'link'
      ? file
      : folder?.kind === 'link' && ownFolder(wish, found)
        ? folderOf(file)
        : undefined
  if (link !== undefined && !wish.follow) {
    throw new TaskError(
      'LINK_REFUSED',
      `\`${link}\` is a symbolic link`,
      'set `follow: true` if it is meant to be one',
    )
  }
  if (found.file && !['file', 'link'].includes(found.file.kind))
    throw new TaskError('NOT_A_FILE', `\`${file}\` is not a file`)
  if (text === null) {
    throw new TaskError('PROBE_UNREADABLE', `\`${file}\` may not be read`, 'run the task with `become: true`')
  }
  if (!folder && !ownFolder(wish, found) && wish.state === 'present') {
    throw new TaskError(
      'PARENT_MISSING',
      `the folder \`${folderOf(file)}\` is not there`,
      'make it with the module `file` first',
    )
  }
  return found
}

/** A host that nobody can reach any more costs more than a key too many. */
function requireAccess(
  wish: Params,
  { text, login, path: file }: AuthorizedKeys,
  after: readonly AuthorizedKey[],
): void {
  if (wish.allow_lockout || login === null) return
  const before = keysIn(text ?? '')
  const has = (keys: readonly AuthorizedKey[]): boolean => keys.some(key => fingerprintOf(key) === login.key)
  const losesOwn = has(before) && !has(after)
  const losesLast = login.key === undefined && before.length > 0 && after.length === 0
  if (!losesOwn && !losesLast) return
  throw new TaskError(
    'LOCKOUT',
    losesOwn
      ? `the key \`${login.key ?? ''}\` that the host is reached with would go from \`${file}\``
      : `\`${wish.user}\`, who logs in to the host, would be left without a key in \`${file}\``,
    'log in with a key that stays, or set `allow_lockout: true`',
  )
}

/** sshd takes no key from a file or folder that others may write to. */
function attributes(wish: Params, now: AuthorizedKeys): readonly Change[] {
  if (!ownFolder(wish, now) || wish.state === 'absent') return []
  const of = (what: string, entry: Entry | null, mode: string): readonly Change[] =>
    entry && entry.kind !== 'link'
      ? changes<Change>(
          entry.uid !== now.uid && { kind: 'owner', what, before: entry.uid, after: now.uid },
          entry.mode !== mode && { kind: 'mode', what, before: entry.mode, after: mode },
        )
      : []
  return [...of(folderOf(now.path), now.folder, '0700'), ...of(now.path, now.file, '0600')]
}

function written(wish: Params, now: AuthorizedKeys, content: string): Action {
  const isNew = now.file === null
  const isOwn = ownFolder(wish, now)
  return {
    do: 'write',
    path: now.path,
    content: now.encoding === 'latin1' ? Buffer.from(content, 'latin1') : content,
    ...(isOwn && { mode: '0600', owner: String(now.uid), group: String(now.gid) }),
    ...(isNew && !isOwn && { mode: '0644' }),
  }
}

function edited(
  { keys, state, exclusive, key_options: options, comment }: Params,
  now: AuthorizedKeys,
): string {
  const isPresent = state === 'present'
  return withKeys(now.text ?? '', { keys, isPresent, isExclusive: exclusive, options, comment })
}

function afterwards(wish: Params, now: AuthorizedKeys): AuthorizedKeys {
  if (wish.state === 'absent') return { ...now, text: edited(wish, now) }
  const isOwn = ownFolder(wish, now)
  const entry = (kind: Entry['kind'], mode: string, old: Entry | null): Entry =>
    old && (!isOwn || old.kind === 'link') ? old : { kind, mode, uid: now.uid, gid: now.gid }
  return {
    ...now,
    text: edited(wish, now),
    folder: entry('directory', '0700', now.folder),
    file: entry('file', isOwn ? '0600' : '0644', now.file),
  }
}
