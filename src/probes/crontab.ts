import type { Completed } from '../base/result.ts'
import { sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { pathRead } from './resources.ts'
import { brokenOff, endedLines, unreadable } from './unreadable.ts'

/** A user's table of cron. */
export interface Crontab {
  /** False where the host has no `crontab` that could be asked. */
  readonly hasCron: boolean
  /** Null where the user has none. */
  readonly text: string | null
}

/** Asks for tables of cron by user: a process for each, and one more for a table that is there. */
export const crontabFamily: Family<string, Crontab> = {
  name: 'crontab',
  key: user => user,
  reads: user => pathRead(`/var/spool/cron/crontabs/${user}`),
  absent: ({ text }) => text === null,
  script: users => sh`export LC_ALL=C
command -v crontab >/dev/null || { printf 'none\\n'; exit 0; }
me=$(id -un)
for u in ${users}; do
printf '= %s\\n' "$u"
set -- -u "$u"; [ "$u" != "$me" ] || set --
if t=$(crontab "$@" -l 2>&1); then printf '%s\\n' "$t" | sed 's/^/ /'
else case $t in *'no crontab'*|*'No such file'*) printf -- '-\\n' ;; *) printf '%s\\n' "$t" >&2; exit 1 ;; esac; fi
done`,
  parse: parseTables,
}

/** Asks for the user's table of cron. */
export const crontab = probeOf(crontabFamily)

function parseTables(answer: Completed, users: readonly string[]): readonly Crontab[] {
  if (answer.code !== 0) throw brokenOff('crontab', answer)
  const rows = endedLines(answer.out)
  if (rows.length === 1 && rows[0] === 'none') return users.map(() => ({ hasCron: false, text: null }))
  const tables: { user: string; rows: string[]; isThere: boolean }[] = []
  for (const row of rows) {
    const last = tables.at(-1)
    if (row.startsWith('= ')) tables.push({ user: row.slice(2), rows: [], isThere: true })
    else if (row === '-' && last?.rows.length === 0) last.isThere = false
    else if (row.startsWith(' ') && last?.isThere === true) last.rows.push(row.slice(1))
    else throw unreadable(`expected a line of a crontab, found \`${row.slice(0, 120)}\``)
  }
  if (tables.length !== users.length || tables.some(({ user }, index) => user !== users[index]))
    throw unreadable('the answer of crontab is missing for some of the users')
  return tables.map(({ rows: found, isThere }) => ({
    hasCron: true,
    text: isThere ? found.map(row => `${row}\n`).join('') : null,
  }))
}
