import type { Completed } from '../base/result.ts'
import { lines, sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, endedLines, unreadable } from './unreadable.ts'

export interface FilesystemSize {
  /** Bytes of the device that the file system makes use of. */
  readonly bytes: number
  /** Where it is mounted; null where it is not. */
  readonly mounted: string | null
}

/**
 * Asks how large file systems are. ext2, ext3 and ext4 are read from their superblock, which the kernel keeps as it is now:
 * https://docs.kernel.org/filesystems/ext4/globals.html. XFS tells by `xfs_info`. Null where it is neither.
 */
export const filesystemSizeFamily: Family<string, FilesystemSize | null> = {
  name: 'filesystem-size',
  key: path => path,
  reads: path => [
    { kind: 'device', name: path },
    { kind: 'mount', name: '*' },
  ],
  script: paths =>
    lines(
      sh`measure() { p=$(readlink -f -- "$1"); if [ ! -b "$p" ]; then echo -; return; fi
m=$(lsblk -dno MOUNTPOINT -- "$p") || return
case $(blkid -p -s TYPE -o value -- "$p") in
ext[234]) s=$(od -An -v -tu4 -w4 -j1024 -N344 -- "$p" | sed -n '2p;7p;25p;85p') || return; echo ext $s ;;
xfs) s=$(xfs_info "\${m:-$p}") || return; printf '%s\\n' "$s" | sed -n 's/^data *= *bsize=\\([0-9]*\\) *blocks=\\([0-9]*\\),.*/xfs \\1 \\2/p' ;;
*) echo - ;; esac; printf '%s\\n' "$m"; }`,
      ...paths.map(path => sh`measure ${path} || exit; echo //`),
    ),
  parse: parseSizes,
}

/** Asks how large the file system on the device is. */
export const filesystemSize = probeOf(filesystemSizeFamily)

function parseSizes(answer: Completed, paths: readonly string[]): readonly (FilesystemSize | null)[] {
  if (answer.code !== 0) throw brokenOff('lsblk, od or xfs_info', answer)
  const rows = endedLines(answer.out)
  const sizes: (FilesystemSize | null)[] = []
  let own: string[] = []
  for (const row of rows) {
    if (row !== '//') own.push(row)
    else {
      sizes.push(sizeIn(own))
      own = []
    }
  }
  if (own.length > 0 || sizes.length !== paths.length)
    throw unreadable(`expected ${paths.length} sizes, found ${sizes.length}`)
  return sizes
}

const IS_64_BIT = 0x80
const SMALLEST_BLOCK = 1024
const HIGH = 2 ** 32

function sizeIn([row = '', mounted = '']: readonly string[]): FilesystemSize | null {
  if (row === '-') return null
  const [kind, ...digits] = row.split(/ +/)
  const numbers = digits.map(Number)
  const isWhole = numbers.length === (kind === 'ext' ? 4 : 2) && numbers.every(Number.isSafeInteger)
  if ((kind !== 'ext' && kind !== 'xfs') || !isWhole)
    throw unreadable(`expected the size of a file system, found \`${row.slice(0, 80)}\``)
  const [first = 0, second = 0, features = 0, high = 0] = numbers
  const blocks = first + (Math.floor(features / IS_64_BIT) % 2 === 1 ? high * HIGH : 0)
  const bytes = kind === 'xfs' ? first * second : blocks * SMALLEST_BLOCK * 2 ** second
  return { bytes, mounted: mounted === '' ? null : mounted }
}
