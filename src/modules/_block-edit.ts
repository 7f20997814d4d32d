import { TaskError } from '../base/error.ts'
import { rowsOf } from './_line-edit.ts'
import { matchLines } from './_regexp.ts'

/** An edit of the lines between two markers, in the words of Ansible's `blockinfile`. */
export interface BlockEdit {
  readonly path: string
  /** The lines, without the markers; empty to remove the block with its markers. */
  readonly block: string
  readonly begin: string
  readonly end: string
  readonly insertAfter?: RegExp | 'BOF' | 'EOF' | undefined
  readonly insertBefore?: RegExp | 'BOF' | 'EOF' | undefined
  readonly prependNewline: boolean
  readonly appendNewline: boolean
}

/**
 * Returns the text with the block in it, in place of the old one or where it should be inserted.
 *
 * @throws TaskError with code `MARKERS_DAMAGED` where one marker is missing, doubled or in the wrong place: nobody knows
 * then which lines belong to the block.
 */
export function withBlock(text: string, edit: BlockEdit): string {
  const rows = rowsOf(text)
  const old = findBlock(rows, edit)
  const at = old ? old.first : placeFor(rows, edit)
  if (old) rows.splice(old.first, old.last - old.first + 1)
  if (edit.block === '') return rows.join('')
  const before = rows[at - 1]
  if (before !== undefined && !before.endsWith('\n')) rows[at - 1] = `${before}\n`
  const isAfterText = at > 0 && rows[at - 1] !== '\n'
  const isBeforeText = at < rows.length && rows[at] !== '\n'
  const block = edit.block.endsWith('\n') ? edit.block : `${edit.block}\n`
  const piece = [
    ...(edit.prependNewline && isAfterText ? ['\n'] : []),
    `${edit.begin}\n${block}${edit.end}\n`,
    ...(edit.appendNewline && isBeforeText ? ['\n'] : []),
  ]
  return rows.toSpliced(at, 0, ...piece).join('')
}

interface Block {
  readonly first: number
  readonly last: number
}

function findBlock(rows: readonly string[], { path, begin, end }: BlockEdit): Block | undefined {
  const numbersOf = (marker: string): readonly number[] =>
    rows.flatMap((row, index) => (row.replace(/\r?\n$/, '') === marker ? [index] : []))
  const begins = numbersOf(begin)
  const ends = numbersOf(end)
  const [first] = begins
  const [last] = ends
  if (first === undefined && last === undefined) return undefined
  if (first !== undefined && last !== undefined && begins.length === 1 && ends.length === 1 && first < last) {
    return { first, last }
  }
  const lines = (numbers: readonly number[]): string =>
    numbers.map(number => number + 1).join(', ') || 'nowhere'
  throw new TaskError(
    'MARKERS_DAMAGED',
    `in \`${path}\` the block begins in line ${lines(begins)} and ends in line ${lines(ends)}`,
    'repair or remove the markers by hand',
  )
}

function placeFor(rows: readonly string[], { insertAfter, insertBefore }: BlockEdit): number {
  const anchor = insertAfter instanceof RegExp ? insertAfter : insertBefore
  if (anchor instanceof RegExp) {
    const bare = rows.map(row => (row.endsWith('\n') ? row.slice(0, -1) : row))
    const index = matchLines(anchor, bare).findLastIndex(match => match !== null)
    if (index < 0) return rows.length
    return anchor === insertAfter ? index + 1 : index
  }
  return insertBefore === 'BOF' || insertAfter === 'BOF' ? 0 : rows.length
}
