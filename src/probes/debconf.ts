import type { Completed } from '../base/result.ts'
import { Secret } from '../base/secret.ts'
import { sh } from '../shell/sh.ts'
import { probeOf, type Family, type Resource } from './probe.ts'
import { brokenOff, endedLines, unreadable } from './unreadable.ts'

export interface DebconfArg {
  /** Such as `postfix/mailname`. */
  readonly question: string
  /** The answer itself, a password, or whether somebody has seen the question. */
  readonly about: 'value' | 'password' | 'seen'
}

/**
 * Asks what debconf keeps as answers to questions of packages: one process for all of them. Null where it keeps none. Its files are
 * read, because its own programs want a lock, which a package that is being installed holds for minutes.
 */
export const debconfFamily: Family<DebconfArg, string | Secret | null> = {
  name: 'debconf',
  key: ({ question, about }) => `${question} ${about}`,
  reads: ({ question }) => [debconfResource(question)],
  script: args => sh`export LC_ALL=C
set -- /var/cache/debconf/config.dat
[ -r "$1" ] || { printf 'there is no debconf\\n' >&2; exit 1; }
if [ -r /var/cache/debconf/passwords.dat ]; then set -- "$@" /var/cache/debconf/passwords.dat
elif [ -e /var/cache/debconf/passwords.dat ]; then printf 'only root may read the answers of debconf\\n' >&2; exit 1; fi
asked=${[...new Set(args.map(({ question }) => question))].join('\n')} awk '
BEGIN { n = split(ENVIRON["asked"], all, "\\n"); for (i = 1; i <= n; i++) want[all[i]] = 1 }
function told() { if (name in want) printf "%s\\t%d\\t%s\\n", name, seen, value; name = "" }
/^Name: / { name = substr($0, 7); value = "-"; seen = 0 }
/^Value:/ { value = "=" substr($0, 8) }
/^Flags: / { seen = (" " substr($0, 8) " ") ~ /[ ,]seen[ ,]/ }
/^$/ { told() }
END { told(); print "end" }' "$@"`,
  parse: parseAnswers,
}

/** Asks what debconf keeps as the answer. */
export const debconf = probeOf(debconfFamily)

/** Returns what an answer depends on: its own place in the files, so that one answer leaves the others as they are. */
export function debconfResource(question: string): Resource {
  return { kind: 'path', name: `/var/cache/debconf/${question}` }
}

function parseAnswers(answer: Completed, args: readonly DebconfArg[]): readonly (string | Secret | null)[] {
  if (answer.code !== 0) throw brokenOff('awk', answer)
  const rows = [...endedLines(answer.out)]
  if (rows.pop() !== 'end') throw unreadable('the answer stops before its end')
  const found = new Map(rows.map(parseRow))
  return args.map(({ question, about }) => {
    const kept = found.get(question)
    if (kept === undefined) return null
    if (about === 'seen') return String(kept.isSeen)
    return about === 'password' && kept.value !== null ? new Secret(kept.value) : kept.value
  })
}

/** A line that cannot be read is not shown: it may hold a password. */
function parseRow(row: string): [string, { isSeen: boolean; value: string | null }] {
  const [, question = '', seen, value] = /^([^\t]+)\t([01])\t(-|=.*)$/.exec(row) ?? []
  if (value === undefined) throw unreadable('expected an answer of debconf, found something else')
  return [question, { isSeen: seen === '1', value: value === '-' ? null : value.slice(1) }]
}
