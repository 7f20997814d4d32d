import { TaskError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import { sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { pathRead } from './resources.ts'

export type FileKind = 'file' | 'directory' | 'link' | 'block' | 'char' | 'fifo' | 'socket'

/** What the file system says about a path; a symbolic link is described itself, not what it leads to. */
export interface FileStat {
  readonly kind: FileKind
  /** Four octal digits, such as `0644`. */
  readonly mode: string
  readonly uid: number
  readonly gid: number
  readonly user: string
  readonly group: string
  readonly size: number
  /** Seconds since 1970, by the host's clock. */
  readonly mtime: number
  readonly nlink: number
  readonly inode: number
  readonly device: number
  /** What a symbolic link holds, as written. */
  readonly target?: string
  /** Where a symbolic link leads in the end, where it leads to something. */
  readonly real?: string
  readonly leadsTo?: FileStat | Hidden
}

/** The user may not look there, so nothing can be said about the path. */
export interface Hidden {
  readonly kind: 'hidden'
  readonly path: string
}

export type Stat = FileStat | Hidden | null

/**
 * Asks about paths: one `stat` process for all of them, two `readlink` for each symbolic link. The answer holds no name of
 * a file, so none can confuse it.
 */
export const statFamily: Family<string, Stat> = {
  name: 'stat',
  key: path => path,
  reads: pathRead,
  script: paths => sh`set --; s=
for f in ${paths}; do
if [ -L "$f" ]; then
if [ -e "$f" ]; then s=\${s}L; else case $(LC_ALL=C stat -L -- "$f" 2>&1) in *ermission*) s=\${s}H ;; *) s=\${s}l ;; esac; fi
elif [ -e "$f" ]; then s=$s+
else d=\${f%/*}
while [ -n "$d" ] && [ ! -e "$d" ]; do d=\${d%/*}; done
if [ -d "\${d:-/}" ] && [ ! -x "\${d:-/}" ]; then s=$s!; else s=$s-; fi
continue; fi
set -- "$@" "$f"
done
printf '%s\\n' "$s"
case $s in *[+lLH]*) stat -c '%f %u %g %s %Y %h %i %d:%U:%G' -- "$@" || exit ;; esac
case $s in *[lLH]*) for f do [ -L "$f" ] || continue
readlink -- "$f" || exit; printf '\\0'
[ ! -e "$f" ] || { readlink -f -- "$f" && printf '\\0' && stat -L -c '%f %u %g %s %Y %h %i %d:%U:%G' -- "$f" && printf '\\0'; } || exit
done ;; esac`,
  parse: parseStats,
}

/** Asks what is at the path. */
export const stat = probeOf(statFamily)

/**
 * Returns the answer, or null where nothing is at the path.
 *
 * @throws TaskError with code `PROBE_UNREADABLE` where the user may not look.
 */
export function visible(stat: Stat): FileStat | null {
  if (stat?.kind !== 'hidden') return stat
  throw new TaskError(
    'PROBE_UNREADABLE',
    `\`${stat.path}\` lies below a folder that may not be searched`,
    'run the task with `become: true`',
  )
}

/** Returns the answer about what the path leads to, symbolic links followed. Throws as `visible` does. */
export function followed(stat: Stat): FileStat | null {
  const seen = visible(stat)
  return seen?.kind === 'link' ? visible(seen.leadsTo ?? null) : seen
}

const KINDS: Readonly<Record<number, FileKind>> = {
  0o01: 'fifo',
  0o02: 'char',
  0o04: 'directory',
  0o06: 'block',
  0o10: 'file',
  0o12: 'link',
  0o14: 'socket',
}
const LINE =
  /^(?<bits>[0-9a-f]+) (?<uid>\d+) (?<gid>\d+) (?<size>\d+) (?<mtime>-?\d+) (?<nlink>\d+) (?<inode>\d+) (?<device>\d+):(?<user>[^:]+):(?<group>[^:]+)$/

function parseStats(answer: Completed, paths: readonly string[]): readonly Stat[] {
  if (answer.code !== 0) throw unreadable(`stat ended with status ${answer.code}: ${answer.err.trim()}`)
  const [flags = '', ...rest] = answer.out.split('\n')
  if (!/^[-+!lLH]*$/.test(flags) || flags.length !== paths.length) {
    throw unreadable(`expected a sign for each of ${paths.length} paths, found \`${flags.slice(0, 80)}\``)
  }
  const present = [...flags].filter(flag => '+lLH'.includes(flag)).length
  const lines = rest.slice(0, present).map(readLine)
  const links = readLinks(rest.slice(present).join('\n'))
  let next = 0
  const found = [...flags].map((flag, index): Stat => {
    if (flag === '-') return null
    if (flag === '!') return { kind: 'hidden', path: paths[index] ?? '' }
    const line = lines[next++]
    if (!line || (line.kind === 'link') !== (flag !== '+'))
      throw unreadable('a path changed while it was read')
    return flag === '+' ? line : { ...line, ...links(flag, paths[index] ?? '') }
  })
  if (links('-', '') !== undefined) throw unreadable('there is more in the answer than was asked')
  return found
}

type LinkPart = Pick<FileStat, 'target' | 'real' | 'leadsTo'>

/** Returns a function that takes the next link's part from the text; for the sign `-` it returns undefined where nothing is left. */
function readLinks(text: string): (flag: string, path: string) => LinkPart | undefined {
  const fields = text.split('\0').map(field => (field.endsWith('\n') ? field.slice(0, -1) : field))
  const take = (): string => {
    const field = fields.shift()
    if (field === undefined || field === '') throw unreadable('the target of a symbolic link is missing')
    return field
  }
  return (flag, path) => {
    if (flag === '-') return fields.every(field => field === '') ? undefined : {}
    const target = take()
    if (flag === 'l') return { target }
    if (flag === 'H') return { target, leadsTo: { kind: 'hidden', path } }
    return { target, real: take(), leadsTo: readLine(take()) }
  }
}

/** Reads one line of `stat`. */
export function readLine(line: string): FileStat {
  const found = LINE.exec(line)?.groups
  const bits = Number.parseInt(found?.['bits'] ?? '', 16)
  const kind = KINDS[bits >> 12]
  if (!found || !kind) throw unreadable(`expected a line of stat, found \`${line.slice(0, 80)}\``)
  return {
    kind,
    mode: (bits & 0o7777).toString(8).padStart(4, '0'),
    uid: Number(found['uid']),
    gid: Number(found['gid']),
    user: found['user'] ?? '',
    group: found['group'] ?? '',
    size: Number(found['size']),
    mtime: Number(found['mtime']),
    nlink: Number(found['nlink']),
    inode: Number(found['inode']),
    device: Number(found['device']),
  }
}

function unreadable(message: string): TaskError {
  return new TaskError('PROBE_UNREADABLE', message)
}
