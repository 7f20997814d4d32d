import { createHash } from 'node:crypto'
import type { Completed } from '../base/result.ts'
import { plainText, type Secret } from '../base/secret.ts'
import { lines, sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { pathRead } from './resources.ts'
import { sealOf } from './sealed.ts'
import { unreadable } from './unreadable.ts'

export interface HtpasswdArg {
  readonly path: string
  readonly name: string
  /** Undefined where only the name counts. */
  readonly password: string | Secret | undefined
}

/** What the file says of a user: how the password is hashed, and whether it is the given one. Null: nothing. */
export interface HtpasswdEntry {
  readonly scheme: 'bcrypt' | 'apr1' | 'sha256' | 'sha512' | 'sha1' | 'other'
  readonly isSame: boolean
}

/** Asks whether a user has a password in a file of web users. It reaches the programs that hash it through pipes only. */
export const htpasswdFamily: Family<HtpasswdArg, HtpasswdEntry | null> = {
  name: 'htpasswd',
  key: ({ path, name, password }) => `${path} ${name} ${sealOf(password)}`.trimEnd(),
  reads: ({ path }) => pathRead(path),
  script: args =>
    lines(
      sh`same() { s=\${h#?*\\$}; s=\${s%%\\$*}; n=$(openssl passwd $1 -salt "$s" -stdin) || exit; [ "$n" = "$h" ]; }`,
      ...args.map(({ path, name, password }) => {
        const given = plainText(password ?? '')
        const sha1 = `{SHA}${createHash('sha1').update(given).digest('base64')}`
        return lines(
          sh`h=; if [ -e ${path} ] && [ ! -r ${path} ]; then echo denied; else`,
          sh`[ ! -f ${path} ] || while IFS= read -r l || [ -n "$l" ]; do case $l in ${name}:*) h=\${l#*:}; h=\${h%%:*}; break ;; esac; done <${path}`,
          sh`k=other; case $h in '') k=none ;; '$2'*) k=bcrypt ;; '$apr1$'*) k=apr1 ;; '$5$'*) k=sha256 ;; '$6$'*) k=sha512 ;; '{SHA}'*) k=sha1 ;; esac`,
          password === undefined
            ? sh`echo "$k -"`
            : sh`case $k in
bcrypt) command -v htpasswd >/dev/null || { echo missing; exit; }; printf '%s\\n' ${given} | htpasswd -vi ${path} ${name} >/dev/null 2>&1 ;;
apr1) printf '%s\\n' ${given} | same -apr1 ;;
sha256) printf '%s\\n' ${given} | same -5 ;;
sha512) printf '%s\\n' ${given} | same -6 ;;
sha1) [ "$h" = ${sha1} ] ;;
*) false ;; esac && echo "$k same" || echo "$k other"`,
          sh`fi`,
        )
      }),
    ),
  parse: parseEntries,
}

/** Asks whether the user has the password. */
export const htpasswdEntry = probeOf(htpasswdFamily)

function parseEntries(answer: Completed, args: readonly HtpasswdArg[]): readonly (HtpasswdEntry | null)[] {
  const rows = answer.out.split('\n').slice(0, -1)
  if (rows.at(-1) === 'missing')
    throw unreadable('`htpasswd` is missing on the host', 'install `apache2-utils`')
  if (answer.code !== 0 || rows.length !== args.length)
    throw unreadable(`expected a word for each of ${args.length} users, found ${rows.length}`)
  return rows.map((row, index) => {
    if (row === 'denied')
      throw unreadable(`\`${args[index]?.path}\` may not be read`, 'run the task with `become: true`')
    const [, scheme, verdict] = /^(none|bcrypt|apr1|sha256|sha512|sha1|other) (same|other|-)$/.exec(row) ?? []
    if (scheme === undefined)
      throw unreadable(`expected what a file says of a user, found \`${row.slice(0, 80)}\``)
    return scheme === 'none'
      ? null
      : { scheme: scheme as HtpasswdEntry['scheme'], isSame: verdict !== 'other' }
  })
}
