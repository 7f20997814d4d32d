import { rowsOf } from './_line-edit.ts'

/** A line that gives a name a value, in files where such a line stands for itself. */
export interface Pair {
  /** Matches the lines that are about the name. */
  readonly isOwn: (row: string) => boolean
  /** The line as it should be, without its end. */
  readonly line: string
  /** Says the same as the line, though it may be spelt otherwise. */
  readonly isRight: (row: string) => boolean
}

/** Returns the text with exactly one line about the name, which stands where the first one stood, or at the end. */
export function withPair(text: string, { isOwn, line, isRight }: Pair): string {
  const rows = rowsOf(text)
  const own = rows.filter(isOwn)
  if (own.length === 1 && own.every(isRight)) return text
  const first = rows.findIndex(isOwn)
  if (first >= 0)
    return rows
      .map((row, index) => (index === first ? `${line}\n` : row))
      .filter((row, index) => index <= first || !isOwn(row))
      .join('')
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`
}

/** Returns the text without any line about the name. */
export function withoutPair(text: string, isOwn: (row: string) => boolean): string {
  return rowsOf(text)
    .filter(row => !isOwn(row))
    .join('')
}
