import { tableWord } from '../probes/mount.ts'
import { withoutPair, withPair } from './_pairs.ts'

/** What fstab says of a mount point: fstab(5). */
export interface FstabLine {
  readonly src: string
  readonly path: string
  readonly fstype: string
  readonly opts: string
  readonly dump: string
  readonly passno: string
}

/** Returns the text of fstab with this line about the mount point. A line that says the same keeps its spelling. */
export function withMount(text: string, wish: FstabLine): string {
  const line = fieldsOf(wish).join(' ')
  return withPair(text, {
    isOwn: row => isAbout(row, wish),
    isRight: row => wordsOf(row).join(' ') === line,
    line,
  })
}

/** Returns the text of fstab without the mount point. */
export function withoutMount(text: string, path: string): string {
  return withoutPair(text, row => isAbout(row, { path, src: '' }))
}

/** Swap has no mount point, so its source tells it. */
function isAbout(row: string, { path, src }: Pick<FstabLine, 'path' | 'src'>): boolean {
  const [source = '', point = ''] = wordsOf(row)
  return path === 'none' || path === 'swap'
    ? ['none', 'swap'].includes(point) && source === tableWord(src)
    : tidy(point) === tableWord(path)
}

function tidy(point: string): string {
  return point.replace(/(.)\/+$/, '$1')
}

function fieldsOf({ src, path, fstype, opts, dump, passno }: FstabLine): readonly string[] {
  return [tableWord(src), tableWord(path), fstype, tableWord(opts), dump, passno]
}

/** The last two numbers may be left out. */
function wordsOf(row: string): readonly string[] {
  const words = row.trim().split(/\s+/)
  if (words.length < 3 || row.trimStart().startsWith('#')) return []
  const [src = '', point = '', fstype = '', opts = 'defaults', dump = '0', passno = '0'] = words
  return [src, tidy(point), fstype, opts, dump, passno]
}
