import type { Completed } from '../base/result.ts'
import { Secret } from '../base/secret.ts'
import { lines, sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, endedLines, unreadable } from './unreadable.ts'

export interface GetentArg {
  readonly database: string
  /** The whole database where not given. */
  readonly key?: string | undefined
  readonly service?: string | undefined
}

/** A line of a database; of one that holds passwords, its fields. */
export type Row = string | readonly (string | Secret)[]

/** The lines of a database; `unknown` where the host has no such database, null where the key is not in it. */
export type Entries = readonly Row[] | 'unknown' | 'not listed' | null

/** Databases whose second field is a password's hash. */
const CLOSED = ['shadow', 'gshadow']
const NAMES = { 1: 'unknown', 2: null, 3: 'not listed' } as const

/** Asks databases of names: one process for each. */
export const getentFamily: Family<GetentArg, Entries> = {
  name: 'getent',
  key: ({ database, key = '', service = '' }) => `${database} ${service} ${key}`,
  reads: ({ database }) => [
    { kind: database === 'group' || database === 'gshadow' ? 'group' : 'user', name: '*' },
    { kind: 'tree', name: '/etc' },
  ],
  absent: answer => answer === null,
  script: args => sh`export LC_ALL=C
command -v getent >/dev/null || { printf 'there is no getent\\n' >&2; exit 127; }
ask() { out=$(getent "$@" 2>/dev/null); code=$?; printf '%s\\n' "$code"; [ -z "$out" ] || printf '%s\\n' "$out"; printf '//\\n'; }
${lines(
  ...args.map(({ database, key, service }) => {
    const words = [
      ...(service === undefined ? [] : ['-s', service]),
      '--',
      database,
      ...(key === undefined ? [] : [key]),
    ]
    return sh`ask ${words}`
  }),
)}`,
  parse: parseEntries,
}

/** Asks a database of names. */
export const getentEntries = probeOf(getentFamily)

function parseEntries(answer: Completed, args: readonly GetentArg[]): readonly Entries[] {
  if (answer.code !== 0) throw brokenOff('getent', answer)
  const rows = [...endedLines(answer.out)]
  const found = args.map(({ database }): Entries => {
    const code = rows.shift() ?? ''
    const end = rows.indexOf('//')
    if (end < 0 || !/^\d+$/.test(code))
      throw unreadable(`expected an answer of getent, found \`${code.slice(0, 80)}\``)
    const own = rows.splice(0, end + 1).slice(0, -1)
    if (code === '0') return CLOSED.includes(database) ? own.map(closed) : own
    const name = NAMES[Number(code) as keyof typeof NAMES]
    if (name === undefined) throw unreadable(`getent ended with status ${code}`)
    return name
  })
  if (rows.length > 0) throw unreadable('there is more in the answer than was asked')
  return found
}

function closed(row: string): Row {
  return row.split(':').map((field, index) => (index === 1 ? new Secret(field) : field))
}
