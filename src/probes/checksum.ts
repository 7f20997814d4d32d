import { TaskError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { pathRead } from './resources.ts'

const DIGITS = { md5: 32, sha1: 40, sha224: 56, sha256: 64, sha384: 96, sha512: 128 } as const
export type Algorithm = keyof typeof DIGITS

export interface ChecksumArg {
  readonly path: string
  readonly algorithm?: Algorithm | undefined
}

/** Why a file's content cannot be told. */
export interface Unread {
  readonly path: string
  readonly unread: 'denied' | 'too large'
}

/** Hexadecimal digits; null where nothing, or no regular file, is at the path. Symbolic links are followed. */
export type Checksum = string | null | Unread

/** Asks for checksums: one process for each algorithm that is asked for. */
export const checksumFamily: Family<ChecksumArg, Checksum> = {
  name: 'checksum',
  key: ({ path, algorithm = 'sha256' }) => `${algorithm} ${path}`,
  reads: ({ path }) => pathRead(path),
  deadline: 300,
  script: args =>
    lines(
      ...algorithmsOf(args).map(algorithm =>
        sumScript(
          sh`${`${algorithm}sum`}`,
          args.filter(arg => (arg.algorithm ?? 'sha256') === algorithm).map(({ path }) => path),
        ),
      ),
    ),
  parse: parseSums,
}

/** Asks for the checksum of the file at the path. */
export const checksum = probeOf(checksumFamily)

/**
 * Returns the content or checksum, or null where there is none.
 *
 * @throws TaskError with code `PROBE_UNREADABLE` where the user may not read the file, or it is too large.
 */
export function readable<T>(answer: T | Unread): T {
  if (!isUnread(answer)) return answer
  throw new TaskError(
    'PROBE_UNREADABLE',
    answer.unread === 'denied'
      ? `\`${answer.path}\` may not be read`
      : `\`${answer.path}\` is too large to be edited`,
    answer.unread === 'denied' ? 'run the task with `become: true`' : undefined,
  )
}

function isUnread(answer: unknown): answer is Unread {
  return typeof answer === 'object' && answer !== null && 'unread' in answer
}

/** A sign for each path (`+` read, `-` no regular file, `!` denied), then a checksum for each `+`. */
function sumScript(sum: Sh, paths: readonly string[]): Sh {
  return sh`set --; s=
for f in ${paths}; do
if [ ! -f "$f" ]; then s=$s-; elif [ -r "$f" ]; then s=$s+; set -- "$@" "$f"; else s=$s!; fi
done
printf '%s\\n' "$s"
case $s in *+*) ${sum} -- "$@" || exit ;; esac`
}

function algorithmsOf(args: readonly ChecksumArg[]): readonly Algorithm[] {
  return [...new Set(args.map(arg => arg.algorithm ?? 'sha256'))]
}

function parseSums(answer: Completed, args: readonly ChecksumArg[]): readonly Checksum[] {
  if (answer.code !== 0) throw unreadable(`checksums ended with status ${answer.code}: ${answer.err.trim()}`)
  const rows = answer.out.split('\n')
  if (rows.pop() !== '') throw unreadable('the answer stops in the middle of a line')
  const found = new Map<string, Checksum>()
  for (const algorithm of algorithmsOf(args)) {
    const asked = args.filter(arg => (arg.algorithm ?? 'sha256') === algorithm)
    const flags = rows.shift() ?? ''
    if (!/^[-+!]*$/.test(flags) || flags.length !== asked.length) {
      throw unreadable(`expected a sign for each of ${asked.length} paths, found \`${flags.slice(0, 80)}\``)
    }
    asked.forEach(({ path }, index) => {
      const flag = flags[index]
      const value = flag === '+' ? sumOf(rows.shift() ?? '', algorithm) : null
      found.set(`${algorithm} ${path}`, flag === '!' ? { path, unread: 'denied' } : value)
    })
  }
  if (rows.length > 0) throw unreadable('there is more in the answer than was asked')
  return args.map(arg => found.get(checksumFamily.key(arg)) ?? null)
}

/** A name with odd characters makes GNU's programs begin the line with a backslash. */
function sumOf(row: string, algorithm: Algorithm): string {
  const digits = /^\\?(?<digits>[0-9a-f]+) [ *]/.exec(row)?.groups?.['digits']
  if (digits?.length !== DIGITS[algorithm])
    throw unreadable(`expected a checksum, found \`${row.slice(0, 80)}\``)
  return digits
}

function unreadable(message: string): TaskError {
  return new TaskError('PROBE_UNREADABLE', message)
}
