import type { Completed } from '../base/result.ts'
import { lines, sh } from '../shell/sh.ts'
import { pathRead } from './resources.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, endedLines, unreadable } from './unreadable.ts'

export interface SshdArg {
  /** File of settings that is to be put in place. */
  readonly file: string
  readonly text: string
  /** Who is to be let in with them. */
  readonly user: string
  /** Said of the login in use; comes back with the answer. */
  readonly login?: SshdLogin | undefined
}

export interface SshdLogin {
  readonly user: string
  /** Fingerprint of the key that was used; undefined where there was none or it is not known. */
  readonly key: string | undefined
}

export interface SshdAnswer {
  /** What sshd would do for the user, by keyword in small letters. */
  readonly settings: Readonly<Record<string, readonly string[]>>
  /** Groups of the user. */
  readonly groups: readonly string[]
  /** What sshd has to say of the settings; empty where it takes them. */
  readonly complaint: string
  readonly problem: 'none' | 'missing' | 'denied' | 'invalid' | 'passed-over'
  readonly login: SshdLogin | null
}

/**
 * Asks what sshd would make of its settings with one file of them replaced, for a login of one user. The files are joined as
 * sshd reads them and given to it on standard input, so that nothing is written. `passed-over` means that none of its files includes this one.
 */
export const sshdFamily: Family<SshdArg, SshdAnswer> = {
  name: 'sshd',
  key: ({ file, text, user, login }) => `${file} ${user}${login ? ` ${login.key ?? '?'}` : ''}\n${text}`,
  reads: ({ file, user }) => [
    ...pathRead('/etc/ssh/sshd_config'),
    ...pathRead(file),
    { kind: 'tree', name: '/etc/ssh/sshd_config.d' },
    { kind: 'package', name: 'openssh-server' },
    { kind: 'user', name: user },
  ],
  absent: ({ problem }) => problem === 'missing',
  script: args => sh`export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
nl='
'
set -f
names() { { set +f; for n in $1; do [ ! -e "$n" ] || printf '%s\\n' "$n"; done; case $file in $1) printf '%s\\n' "$file" ;; esac; } | sort -u; }
join() {
if [ "$1" = "$file" ]; then printf '%s\\n' "$text"; else cat -- "$1"; fi | while IFS= read -r l || [ -n "$l" ]; do
case $l in
[Ii][Nn][Cc][Ll][Uu][Dd][Ee][[:blank:]]*)
for p in \${l#???????}; do
case $p in /*) ;; *) p=/etc/ssh/$p ;; esac
names "$p" | while IFS= read -r n; do join "$n"; printf 'Match all\\n'; done
done ;;
*) printf '%s\\n' "$l" ;;
esac
done
}
ask() {
file=$1 text=$2
if ! command -v sshd >/dev/null 2>&1; then printf 'missing\\n'; return; fi
if [ ! -r /etc/ssh/sshd_config ] && [ -e /etc/ssh/sshd_config ]; then printf 'denied\\n'; return; fi
all=$(join /etc/ssh/sshd_config)
case "$nl$all$nl" in *"$nl$text$nl"*) ;; *) printf 'passed-over\\n'; return ;; esac
if out=$(printf '%s\\n' "$all" | "$(command -v sshd)" -T -f /dev/stdin -C "user=$3,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22" 2>&1); then
printf 'settings %s\\n%s\\n' "$(id -Gn -- "$3" 2>/dev/null)" "$out"
else printf 'invalid\\n%s\\n' "$out"; fi
printf 'end\\n'
}
${lines(...args.map(({ file, text, user }) => sh`ask ${file} ${text.trimEnd()} ${user}`))}`,
  parse: parseAnswers,
}

/** Asks what sshd would make of its settings. */
export const sshd = probeOf(sshdFamily)

function parseAnswers(answer: Completed, args: readonly SshdArg[]): readonly SshdAnswer[] {
  if (answer.code !== 0) throw brokenOff('sshd', answer)
  const rows = [...endedLines(answer.out)]
  const block = (): string[] => {
    const end = rows.indexOf('end')
    if (end < 0) throw unreadable('the answer of sshd has no end')
    return rows.splice(0, end + 1).slice(0, -1)
  }
  const found = args.map(({ login = null }): SshdAnswer => {
    const word = rows.shift() ?? ''
    if (word === 'missing' || word === 'denied' || word === 'passed-over')
      return { ...NOTHING, problem: word, login }
    if (word === 'invalid') return { ...NOTHING, complaint: block().join('\n'), problem: 'invalid', login }
    if (!word.startsWith('settings ')) {
      throw unreadable(`expected an answer of sshd, found \`${word.slice(0, 80)}\``)
    }
    const groups = word.split(' ').slice(1).filter(Boolean)
    return { ...NOTHING, settings: readSettings(block()), groups, problem: 'none', login }
  })
  if (rows.length > 0) throw unreadable('there is more in the answer than was asked')
  return found
}

const NOTHING = { settings: {}, groups: [], complaint: '' }

/** A keyword that comes several times, such as `allowusers`, has all its words. */
function readSettings(rows: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const found: Record<string, readonly string[]> = {}
  for (const row of rows) {
    const [key = '', ...words] = row.split(' ')
    found[key] = [...(found[key] ?? []), ...words]
  }
  return found
}
