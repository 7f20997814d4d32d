import { isUtf8 } from 'node:buffer'
import { gunzipSync } from 'node:zlib'
import { TaskError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import { sh } from '../shell/sh.ts'
import type { Unread } from './checksum.ts'
import { probeOf, type Family } from './probe.ts'
import { pathRead } from './resources.ts'

/** The largest file that is fetched. */
const LARGEST = 8 * 1024 * 1024

/** From so many bytes on, what is sent is packed: settings with their comments come in a third of the space. */
const WORTH_PACKING = 2048

/** A file's content. `latin1` is said of bytes that are not UTF-8: each character is one byte, so that editing keeps them. */
export interface FileText {
  readonly text: string
  readonly encoding: 'utf8' | 'latin1'
}

/**
 * Asks for whole files of up to 8 MiB: one `stat` for the sizes and one `cat` for all of them, packed where the host has gzip. Null where no regular file
 * is at the path; symbolic links are followed.
 */
export const textFamily: Family<string, FileText | Unread | null> = {
  name: 'text',
  key: path => path,
  reads: pathRead,
  deadline: 120,
  script: paths => sh`set --; s= n=
for f in ${paths}; do
if [ ! -f "$f" ]; then s=$s-; elif [ -r "$f" ]; then s=$s+; set -- "$@" "$f"; else s=$s!; fi
done
case $s in *+*) n=$(stat -L -c %s -- "$@") || exit ;; esac
t=0 z=
for k in $n; do if [ "$k" -le ${LARGEST} ]; then t=$((t+k)); set -- "$@" "$1"; fi; shift; done
[ $t -lt ${WORTH_PACKING} ] || ! command -v gzip >/dev/null || z=' gzip'
printf '%s\\n' "$s$z" $n
if [ "$z" ]; then cat -- "$@" | gzip -c; elif [ $# -gt 0 ]; then cat -- "$@"; fi`,
  parse: parseTexts,
}

/** Asks for the content of the file at the path. */
export const text = probeOf(textFamily)

/** Returns the bytes that the text stands for. */
export function bytesOf({ text, encoding }: FileText): Uint8Array {
  return Buffer.from(text, encoding)
}

function parseTexts(answer: Completed, paths: readonly string[]): readonly (FileText | Unread | null)[] {
  if (answer.code !== 0) throw unreadable(`reading ended with status ${answer.code}: ${answer.err.trim()}`)
  const bytes = Buffer.from(answer.out, answer.encoding)
  const head = readerOf(bytes)
  const [flags = '', packed] = head.line().split(' ')
  if (!/^[-+!]*$/.test(flags) || flags.length !== paths.length) {
    throw unreadable(`expected a sign for each of ${paths.length} paths, found \`${flags.slice(0, 80)}\``)
  }
  const sizes = [...flags].filter(flag => flag === '+').map(() => sizeOf(head.line()))
  const reader = packed === undefined ? head : readerOf(unpack(head.rest(), sizes))
  const found = paths.map((path, index) => {
    const flag = flags[index]
    if (flag === '!') return { path, unread: 'denied' as const }
    const size = flag === '+' ? sizes.shift() : undefined
    if (size === undefined) return null
    return size > LARGEST ? { path, unread: 'too large' as const } : decode(reader.take(size))
  })
  if (reader.left() > 0) throw unreadable('a file grew while it was read')
  return found
}

/** No answer becomes larger than it says it is. */
function unpack(bytes: Buffer, sizes: readonly number[]): Buffer {
  const size = sizes.filter(one => one <= LARGEST).reduce((sum, one) => sum + one, 0)
  try {
    return gunzipSync(bytes, { maxOutputLength: size + 1 })
  } catch (cause) {
    throw unreadable(`what was packed on the host cannot be unpacked: ${String(cause)}`)
  }
}

function sizeOf(line: string): number {
  if (!/^\d{1,15}$/.test(line)) throw unreadable(`expected a size, found \`${line.slice(0, 80)}\``)
  return Number(line)
}

function decode(bytes: Buffer): FileText {
  const encoding = isUtf8(bytes) ? 'utf8' : 'latin1'
  return { text: bytes.toString(encoding), encoding }
}

interface Reader {
  readonly line: () => string
  readonly take: (size: number) => Buffer
  readonly left: () => number
  readonly rest: () => Buffer
}

function readerOf(bytes: Buffer): Reader {
  let at = 0
  return {
    line: () => {
      const end = bytes.indexOf(0x0a, at)
      if (end < 0) throw unreadable('the answer stops in the middle of a line')
      const line = bytes.toString('latin1', at, end)
      at = end + 1
      return line
    },
    take: size => {
      if (at + size > bytes.length) throw unreadable('a file shrank while it was read')
      at += size
      return bytes.subarray(at - size, at)
    },
    left: () => bytes.length - at,
    rest: () => bytes.subarray(at),
  }
}

function unreadable(message: string): TaskError {
  return new TaskError('PROBE_UNREADABLE', message)
}
