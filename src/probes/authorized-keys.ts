import { isUtf8 } from 'node:buffer'
import type { Completed } from '../base/result.ts'
import { lines, sh } from '../shell/sh.ts'
import { getent } from './accounts.ts'
import { probeOf, type Family } from './probe.ts'
import { pathRead } from './resources.ts'
import { unreadable } from './unreadable.ts'

export interface AuthorizedKeysArg {
  readonly user: string
  /** Where the keys are; `.ssh/authorized_keys` in the user's home folder where not given. */
  readonly path?: string | undefined
  /** Said of the user that the host is reached as; comes back with the answer. */
  readonly login?: Login | undefined
}

export interface Login {
  /** Fingerprint of the key that was used, `SHA256:…`; undefined where that is not known. */
  readonly key: string | undefined
}

/** A file or folder itself; a symbolic link is not followed. */
export interface Entry {
  readonly kind: 'file' | 'directory' | 'link' | 'other'
  readonly mode: string
  readonly uid: number
  readonly gid: number
}

/** The file that says which keys may log in as a user. */
export interface AuthorizedKeys {
  readonly uid: number
  readonly gid: number
  readonly home: string
  readonly path: string
  readonly folder: Entry | null
  readonly file: Entry | null
  /** Empty where there is no file; null where it may not be read. */
  readonly text: string | null
  readonly encoding: 'utf8' | 'latin1'
  readonly login: Login | null
}

/** Asks for the files of authorized keys of users, wherever their homes are. Null where there is no such user. */
export const authorizedKeysFamily: Family<AuthorizedKeysArg, AuthorizedKeys | null> = {
  name: 'authorized-keys',
  key: ({ user, path = '', login }) => `${user} ${path}${login ? ` ${login.key ?? '?'}` : ''}`,
  reads: ({ user, path = `${homeOf(user)}/.ssh/authorized_keys` }) => [
    { kind: 'user', name: user },
    ...pathRead(path),
    ...pathRead(path.slice(0, path.lastIndexOf('/')) || '/'),
  ],
  script: args => sh`${getent('passwd', [...new Set(args.map(({ user }) => user))])}
look() { if [ -e "$2" ] || [ -L "$2" ]; then stat -c "$1 %f %u %g" -- "$2" || exit; else printf '%s -\\n' "$1"; fi; }
ask() {
line=
while IFS= read -r l; do case $l in "$1":*) line=$l ;; esac; done <<END
$found
END
if [ -z "$line" ]; then printf 'none\\n'; return; fi
IFS=: read -r n p u g c h s <<END
$line
END
f=\${2:-\${h%/}/.ssh/authorized_keys}
printf '%s:%s:%s:%s\\n' "$u" "$g" "$h" "$f"
look folder "\${f%/*}"; look file "$f"
if [ ! -f "$f" ]; then printf 'text 0\\n'; elif [ ! -r "$f" ]; then printf 'text -\\n'
else k=$(stat -L -c %s -- "$f") || exit; printf 'text %s\\n' "$k"; cat -- "$f" || exit; fi
}
${lines(...args.map(({ user, path = '' }) => sh`ask ${user} ${path}`))}`,
  parse: parseFiles,
}

/** Asks for the file of authorized keys of the user. */
export const authorizedKeys = probeOf(authorizedKeysFamily)

function homeOf(user: string): string {
  return user === 'root' ? '/root' : `/home/${user}`
}

function parseFiles(
  { code, out, err, encoding }: Completed,
  args: readonly AuthorizedKeysArg[],
): readonly (AuthorizedKeys | null)[] {
  if (code !== 0) throw unreadable(`asking for authorized keys ended with status ${code}: ${err.trim()}`)
  let rest = Buffer.from(out, encoding)
  const line = (): string => {
    const end = rest.indexOf(0x0a)
    if (end < 0) throw unreadable('the answer stops in the middle of a line')
    const row = rest.toString('utf8', 0, end)
    rest = rest.subarray(end + 1)
    return row
  }
  const bytes = (size: number): Buffer => {
    if (size > rest.length) throw unreadable('the file shrank while it was read')
    const taken = rest.subarray(0, size)
    rest = rest.subarray(size)
    return taken
  }
  const found = args.map(({ login = null }) => {
    const file = parseFile(line, bytes)
    return file && { ...file, login }
  })
  if (rest.length > 0) throw unreadable('there is more in the answer than was asked')
  return found
}

function parseFile(
  line: () => string,
  bytes: (size: number) => Buffer,
): Omit<AuthorizedKeys, 'login'> | null {
  const first = line()
  if (first === 'none') return null
  const [, uid, gid, home, path] = /^(\d+):(\d+):([^:]*):(\/.*)$/.exec(first) ?? []
  if (path === undefined || home === undefined) {
    throw unreadable(`expected a user, found \`${first.slice(0, 80)}\``)
  }
  const folder = entryOf('folder', line())
  const file = entryOf('file', line())
  const size = /^text (\d{1,8}|-)$/.exec(line())?.[1]
  if (size === undefined) throw unreadable('expected the size of a file, found something else')
  const content = size === '-' ? null : bytes(Number(size))
  const encoding = content === null || isUtf8(content) ? 'utf8' : 'latin1'
  const text = content === null ? null : content.toString(encoding)
  return { uid: Number(uid), gid: Number(gid), home, path, folder, file, text, encoding }
}

const KINDS: Readonly<Record<number, Entry['kind']>> = { 0o04: 'directory', 0o10: 'file', 0o12: 'link' }

function entryOf(name: string, row: string): Entry | null {
  if (row === `${name} -`) return null
  const [, word, bits = '', uid, gid] = /^(\w+) ([0-9a-f]+) (\d+) (\d+)$/.exec(row) ?? []
  if (word !== name) throw unreadable(`expected a ${name}, found \`${row.slice(0, 80)}\``)
  const number = Number.parseInt(bits, 16)
  const mode = (number & 0o7777).toString(8).padStart(4, '0')
  return { kind: KINDS[number >> 12] ?? 'other', mode, uid: Number(uid), gid: Number(gid) }
}
