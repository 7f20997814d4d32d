import type { Completed } from '../base/result.ts'
import { Secret } from '../base/secret.ts'
import { sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { treeRead } from './resources.ts'
import { brokenOff, endedLines, unreadable } from './unreadable.ts'

export interface DebconfArg {
  /** Such as `postfix/mailname`. */
  readonly question: string
  /** The answer itself, a password, or whether somebody has seen the question. */
  readonly about: 'value' | 'password' | 'seen'
}

const VERBS = { value: 'GET', password: 'GET', seen: 'FGET' } as const
/** Status that debconf gives to a question it does not know. */
const UNKNOWN = 10

/** Asks debconf what it would answer to questions of packages: one process for all of them. Null where it knows no such question. */
export const debconfFamily: Family<DebconfArg, string | Secret | null> = {
  name: 'debconf',
  key: ({ question, about }) => `${question} ${about}`,
  reads: () => treeRead('/var/cache/debconf'),
  script: args => sh`export LC_ALL=C DEBIAN_FRONTEND=noninteractive
command -v debconf-communicate >/dev/null || exit 127
printf '%s\\n' ${args.map(({ question, about }) => `${VERBS[about]} ${question}${about === 'seen' ? ' seen' : ''}`)} | debconf-communicate
code=$?; [ "$code" -eq ${UNKNOWN} ] || exit "$code"`,
  parse: parseAnswers,
}

/** Asks what debconf would answer. */
export const debconf = probeOf(debconfFamily)

function parseAnswers(answer: Completed, args: readonly DebconfArg[]): readonly (string | Secret | null)[] {
  if (answer.code !== 0) throw brokenOff('debconf-communicate', answer)
  const rows = endedLines(answer.out)
  if (rows.length !== args.length) {
    throw unreadable(`${rows.length} answers of debconf to ${args.length} questions`)
  }
  return args.map(({ about }, index) => {
    const [, status, value = ''] = /^(\d+)(?: (.*))?$/.exec(rows[index] ?? '') ?? []
    if (status === String(UNKNOWN)) return null
    // The answer is not shown: it may be a password.
    if (status !== '0') throw unreadable('expected an answer of debconf, found something else')
    return about === 'password' ? new Secret(value) : value
  })
}
