import { expandMatch, matchLines } from './_regexp.ts'

/** An edit of one line, in the words of Ansible's `lineinfile`. */
export interface LineEdit {
  readonly line: string
  readonly regexp?: RegExp | undefined
  readonly searchString?: string | undefined
  readonly insertAfter?: RegExp | 'BOF' | 'EOF' | undefined
  readonly insertBefore?: RegExp | 'BOF' | 'EOF' | undefined
  readonly firstMatch: boolean
  readonly backrefs: boolean
}

/** Returns the text with the line in it: in place of the line that matches, else where it should be inserted. */
export function withLine(text: string, edit: LineEdit): string {
  const rows = rowsOf(text)
  const { index, match } = findMatch(rows, edit)
  const exact = index < 0 ? findExact(rows, edit.line) : -1
  if (index >= 0 || exact >= 0) {
    const line = edit.backrefs && match ? expandMatch(edit.line, match) : edit.line
    rows[Math.max(index, exact)] = line.endsWith('\n') ? line : `${line}\n`
    return rows.join('')
  }
  return edit.backrefs ? text : inserted(rows, edit).join('')
}

/** Returns the text without the lines that match; without a pattern, without those that are the very line. */
export function withoutLines(
  text: string,
  { regexp, searchString, line }: Omit<LineEdit, 'line'> & { line: string | undefined },
): string {
  const rows = rowsOf(text)
  const matches = regexp && matchLines(regexp, rows.map(bare))
  const goes = (row: string, index: number): boolean => {
    if (matches) return matches[index] !== null
    return searchString === undefined ? stripped(row) === line : row.includes(searchString)
  }
  return rows.filter((row, index) => !goes(row, index)).join('')
}

interface Found {
  readonly index: number
  readonly match: RegExpExecArray | null
}

/** The last line that matches counts, or the first where that is asked for. */
function findMatch(rows: readonly string[], { regexp, searchString, firstMatch }: LineEdit): Found {
  if (regexp) {
    const matches = matchLines(regexp, rows.map(bare))
    const index = firstMatch
      ? matches.findIndex(match => match !== null)
      : matches.findLastIndex(match => match !== null)
    return { index, match: matches[index] ?? null }
  }
  if (searchString === undefined) return { index: -1, match: null }
  const holds = (row: string): boolean => row.includes(searchString)
  return { index: firstMatch ? rows.findIndex(holds) : rows.findLastIndex(holds), match: null }
}

function findExact(rows: readonly string[], line: string): number {
  return rows.findLastIndex(row => stripped(row) === line)
}

function inserted(rows: string[], { line, insertAfter, insertBefore, firstMatch }: LineEdit): string[] {
  const row = `${line}\n`
  if (insertBefore === 'BOF' || insertAfter === 'BOF') return [row, ...rows]
  const anchor = insertAfter instanceof RegExp ? insertAfter : insertBefore
  const matches = anchor instanceof RegExp ? matchLines(anchor, rows.map(bare)) : []
  const index = firstMatch
    ? matches.findIndex(match => match !== null)
    : matches.findLastIndex(match => match !== null)
  if (index >= 0)
    return rows.toSpliced(anchor === insertAfter ? index + 1 : index, 0, row).map(endedExceptLast)
  const last = rows.at(-1)
  return [...rows, ...(last !== undefined && !/[\r\n]$/.test(last) ? ['\n'] : []), row]
}

/** A line put after a last line that has no end must not stick to it. */
function endedExceptLast(row: string, index: number, rows: readonly string[]): string {
  return index < rows.length - 1 && !row.endsWith('\n') ? `${row}\n` : row
}

/** Returns the lines, each with its end; only the last may have none. */
export function rowsOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? []
}

/** Returns the line as a pattern sees it: `$` is before its end. */
function bare(row: string): string {
  return row.endsWith('\n') ? row.slice(0, -1) : row
}

function stripped(row: string): string {
  return row.replace(/[\r\n]+$/, '')
}
