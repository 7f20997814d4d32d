import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { Secret } from '../base/secret.ts'
import { htpasswdEntry } from '../probes/htpasswd.ts'
import { followed, stat, visible } from '../probes/stat.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { afterwards, attributeChanges, attributeScript, describe, newStat } from './_attributes.ts'
import { contentTouches, keptOwnership } from './_content.ts'
import { freshFileScript } from './_fresh-file.ts'
import { complain, flag, maybeSecret, ownership, path } from './_params.ts'
import { folderOf, realPath, requireFolder } from './_paths.ts'
import { needs } from './_tools.ts'
import { defineModule } from './module.ts'

const SCHEMES = {
  bcrypt: 'bcrypt',
  apr_md5_crypt: 'apr1',
  sha256_crypt: 'sha256',
  sha512_crypt: 'sha512',
} as const
const user = z.string().regex(/^[^\s:*?[\]\\/]{1,255}$/, 'the name of a user expected')

const params = z
  .strictObject({
    path: path().optional().describe('Absolute path of the file.'),
    dest: path().optional().describe('Same as `path`.'),
    name: user.optional().describe('Name of the user.'),
    username: user.optional().describe('Same as `name`.'),
    password: maybeSecret().optional().describe('Password of the user.'),
    hash_scheme: z
      .enum(Object.keys(SCHEMES) as (keyof typeof SCHEMES)[])
      .default('bcrypt')
      .describe('How it is hashed.'),
    state: z
      .enum(['present', 'absent'])
      .default('present')
      .describe('Whether the user should be in the file.'),
    create: flag().default(true).describe('Make the file where there is none.'),
    ...ownership,
  })
  .transform(({ path: at, dest, name, username, ...given }, context) => {
    const [file, who] = [at ?? dest, name ?? username]
    if (file === undefined) complain(context, 'path', '`path` is missing', 'MISSING_PARAM')
    if (who === undefined) complain(context, 'name', '`name` is missing', 'MISSING_PARAM')
    const { password, state } = given
    if (state === 'present' && password === undefined)
      complain(context, 'password', '`password` is missing', 'MISSING_PARAM')
    const shown = password instanceof Secret ? password.reveal() : (password ?? 'x')
    if (shown === '' || /[\0\r\n]/.test(shown)) complain(context, 'password', 'one line expected')
    return { ...given, path: file ?? '/', name: who ?? '' }
  })
type Params = z.output<typeof params>

export const htpasswd = defineModule({
  name: 'htpasswd',
  summary: 'Keeps a user in a file of users of a web server.',
  examples: [
    '- name: Let the operator see the metrics\n  htpasswd:\n    path: /etc/nginx/metrics.htpasswd\n    name: operator\n    password: "{{ metrics_password }}"\n    group: www-data\n    mode: "0640"\n',
  ],
  deviations: [
    '`hash_scheme` is `bcrypt` where not given, for which the host needs `htpasswd`; the others need `openssl`. A password that is right but hashed otherwise is hashed anew.',
    'A new file is open to its owner alone where `mode` is not given.',
    'The password reaches the programs through their standard input.',
  ],
  params,
  probe: ({ path: file, name, password, state }) => ({
    file: stat(file),
    folder: stat(folderOf(file)),
    entry: htpasswdEntry({ path: file, name, password: state === 'present' ? password : undefined }),
  }),
  diff: (wish, { file, folder, entry }): readonly Change[] => {
    const { path: at, name, state } = wish
    const seen = followed(file)
    if (seen && seen.kind !== 'file')
      throw new TaskError('NOT_A_FILE', `\`${at}\` is a ${seen.kind}, not a file`)
    if (state === 'absent')
      return entry ? [{ kind: 'user', what: `${at}: ${name}`, before: entry.scheme, after: 'absent' }] : []
    if (!seen && !wish.create)
      throw new TaskError('FILE_MISSING', `\`${at}\` is not there`, 'set `create: true` to make it')
    if (!seen) requireFolder(at, folder)
    const scheme = SCHEMES[wish.hash_scheme]
    const attributes = seen ? attributeChanges(at, seen, wish) : []
    if (entry?.isSame === true && entry.scheme === scheme) return attributes
    const kind = entry === null ? 'user' : entry.isSame ? 'scheme' : 'password'
    const shown = kind === 'password' ? ['another', 'as wished'] : [entry?.scheme ?? 'absent', scheme]
    return [{ kind, what: `${at}: ${name}`, before: shown[0] ?? '', after: shown[1] ?? '' }, ...attributes]
  },
  apply: (found, wish, { file }) => {
    const { path: at, password } = wish
    const isFresh = found.some(({ kind }) => ['user', 'scheme', 'password'].includes(kind))
    if (!isFresh) return [{ do: 'run', script: lines(...found.map(attributeScript)), detached: false }]
    const seen = followed(file)
    const kept = keptOwnership(wish, seen)
    const script = freshFileScript(realPath(at, visible(file)), fillScript(wish, seen !== null), {
      ...kept,
      mode: kept.mode ?? (seen ? seen.mode : (wish.mode ?? '0600')),
    })
    if (wish.state === 'absent' || password === undefined) return [{ do: 'run', script, detached: false }]
    const stdin = password instanceof Secret ? new Secret(`${password.reveal()}\n`) : `${password}\n`
    return [{ do: 'run', script, stdin }]
  },
  expect: (wish, { file, folder }) => {
    const seen = visible(file)
    const scheme = SCHEMES[wish.hash_scheme]
    const fresh = newStat('file', { ...wish, mode: wish.mode ?? '0600' })
    const after = seen
      ? afterwards(seen, wish.state === 'absent' ? {} : wish, true)
      : wish.state === 'absent'
        ? null
        : fresh
    return { folder, file: after, entry: wish.state === 'absent' ? null : { scheme, isSame: true } }
  },
  touches: (_, { path: at }) => contentTouches([], [at]),
  result: ({ path: at, name }, { file }) => {
    const seen = followed(file)
    return { path: at, name, ...(seen && describe(seen)) }
  },
})

/** The user's line stays where it is; further lines of the same user go. */
function fillScript({ path: file, name, state, hash_scheme: scheme }: Params, isThere: boolean): Sh {
  const make =
    scheme === 'bcrypt'
      ? lines(needs('htpasswd', 'apache2-utils'), sh`h=$(htpasswd -niB ${name}) || exit; h=\${h#*:}`)
      : lines(
          needs('openssl', 'openssl'),
          sh`h=$(openssl passwd ${{ apr_md5_crypt: '-apr1', sha256_crypt: '-5', sha512_crypt: '-6' }[scheme]} -stdin) || exit`,
        )
  return lines(
    state === 'present' && make,
    sh`{ d=; ${
      isThere
        ? sh`while IFS= read -r l || [ -n "$l" ]; do case $l in
${name}:*) ${state === 'present' ? sh`[ "$d" ] || { printf '%s:%s\\n' ${name} "$h"; d=1; }` : sh`:`} ;;
*) printf '%s\\n' "$l" ;; esac; done <${file}`
        : sh`:`
    }`,
    state === 'present' && sh`[ "$d" ] || printf '%s:%s\\n' ${name} "$h"`,
    sh`} >"$t" || exit`,
  )
}
