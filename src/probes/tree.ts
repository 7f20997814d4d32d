import type { Completed } from '../base/result.ts'
import { lines, sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { treeRead } from './resources.ts'
import { readLine, type FileStat } from './stat.ts'
import { brokenOff, unreadable } from './unreadable.ts'

export interface TreeArg {
  readonly path: string
  /** How deep to go; 1 is what lies in the folder itself. No limit where not given. */
  readonly depth?: number | undefined
  /** Look at what symbolic links lead to. */
  readonly follow?: boolean | undefined
  /** Ask for the SHA-256 of regular files. */
  readonly sums?: boolean | undefined
  /** Pattern of `grep -E` that a line of a regular file must hold; others are left out. */
  readonly contains?: string | undefined
}

/** One thing below a folder. */
export interface TreeEntry extends FileStat {
  /** Relative to the folder. */
  readonly name: string
  readonly sha256?: string
}

export interface Tree {
  readonly entries: readonly TreeEntry[]
  /** Seconds since 1970, by the host's clock. */
  readonly now: number
}

/** The format that `stat` of this room reads. */
const FORMAT = '%f %u %g %s %Y %h %i %d:%U:%G'

/**
 * Asks for all that lies below folders: one `find` a folder, which hands what it finds to a shell in large batches. Each batch
 * tells how many there are, a line of `stat` and, where asked for, of `sha256sum` for each, then the names. Null where no
 * folder is at the path.
 */
export const treeFamily: Family<TreeArg, Tree | null> = {
  name: 'tree',
  key: ({ path, depth = '', follow = false, sums = false, contains = '' }) =>
    `${path} ${depth} ${follow} ${sums} ${contains}`.trimEnd(),
  reads: ({ path }) => treeRead(path),
  deadline: 300,
  script: args =>
    lines(
      ...args.map(({ path, depth, follow, sums, contains }) =>
        lines(
          sh`if [ -d ${path} ]; then printf '+ %s\\n' "$(date +%s)"`,
          sh`find ${follow === true ? sh`-L` : sh`-H`} ${path} -mindepth 1 ${depth === undefined ? sh`` : sh`-maxdepth ${depth}`} ${contains === undefined ? sh`` : sh`-type f -exec grep -qE -e ${contains} {} \\;`} -exec sh -c ${BATCH.text} sh ${sums === true ? '1' : '0'} ${FORMAT} ${follow === true ? '-L' : '-c'} {} + || exit`,
          sh`printf '.\\n'; else printf -- '-\\n'; fi`,
        ),
      ),
    ),
  parse: parseTrees,
}

/** Asks for all that lies below the folder. */
export const tree = probeOf(treeFamily)

/** A dash stands for what is no regular file, and is not summed. */
const BATCH = sh`w=$1 f=$2 l=$3; shift 3
echo $#
if [ $l = -L ]; then stat -L -c "$f" -- "$@"; else stat -c "$f" -- "$@"; fi || exit
if [ $w = 1 ]; then for p do if [ -f "$p" ] && [ ! -h "$p" ]; then sha256sum <"$p" || exit; else echo -; fi; done; fi
for p do [ ! -h "$p" ] || [ $l = -L ] || { readlink -- "$p"; printf '\\0'; }; done
printf '%s\\0' "$@"; echo`

function parseTrees(answer: Completed, args: readonly TreeArg[]): readonly (Tree | null)[] {
  if (answer.code !== 0) throw brokenOff('find', answer)
  if (answer.err.trim() !== '')
    throw unreadable(`find could not look everywhere: ${answer.err.trim().slice(0, 200)}`)
  const reader = readerOf(answer.out)
  const found = args.map(arg => readTree(reader, arg))
  if (!reader.isAtEnd()) throw unreadable('there is more in the answer than was asked')
  return found
}

function readTree(reader: Reader, { path, sums }: TreeArg): Tree | null {
  const head = reader.upTo('\n')
  if (head === '-') return null
  const now = /^\+ (\d+)$/.exec(head)?.[1]
  if (now === undefined) throw unreadable(`expected what find found, found \`${head.slice(0, 80)}\``)
  const entries: TreeEntry[] = []
  for (let count = reader.upTo('\n'); count !== '.'; count = reader.upTo('\n')) {
    if (!/^\d{1,9}$/.test(count)) throw unreadable(`expected a number, found \`${count.slice(0, 80)}\``)
    entries.push(...readBatch(reader, Number(count), path, sums === true))
  }
  return { entries, now: Number(now) }
}

function readBatch(reader: Reader, count: number, path: string, hasSums: boolean): readonly TreeEntry[] {
  const times = <T>(work: () => T): readonly T[] => {
    const all: T[] = []
    for (let done = 0; done < count; done++) all.push(work())
    return all
  }
  const stats = times(() => readLine(reader.upTo('\n')))
  const sums = hasSums ? times(() => sumIn(reader.upTo('\n'))) : []
  const targets = stats.map(({ kind }) => (kind === 'link' ? reader.upTo('\n\0') : undefined))
  const names = times(() => reader.upTo('\0'))
  if (reader.upTo('\n') !== '') throw unreadable('a name is too long')
  const prefix = path === '/' ? '/' : `${path}/`
  return stats.map((stat, index) => {
    const name = names[index] ?? ''
    if (!name.startsWith(prefix))
      throw unreadable(`expected a path below \`${path}\`, found \`${name.slice(0, 80)}\``)
    const [sum, target] = [sums[index], targets[index]]
    const own = name.slice(prefix.length)
    return {
      name: own,
      ...stat,
      ...(sum !== undefined && { sha256: sum }),
      ...(target !== undefined && { target }),
    }
  })
}

function sumIn(row: string): string | undefined {
  if (row === '-') return undefined
  const digits = /^([0-9a-f]{64})\b/.exec(row)?.[1]
  if (digits === undefined) throw unreadable(`expected a checksum, found \`${row.slice(0, 80)}\``)
  return digits
}

interface Reader {
  readonly upTo: (end: string) => string
  readonly isAtEnd: () => boolean
}

function readerOf(text: string): Reader {
  let at = 0
  return {
    upTo: end => {
      const found = text.indexOf(end, at)
      if (found < 0) throw unreadable('the answer stops in the middle')
      const piece = text.slice(at, found)
      at = found + end.length
      return piece
    },
    isAtEnd: () => at === text.length,
  }
}
