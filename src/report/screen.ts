import { stripVTControlCharacters } from 'node:util'
import { cells } from './printable.ts'

const HIDE_CURSOR = '\u001b[?25l'
const SHOW_CURSOR = '\u001b[?25h'
/** Terminals that know it show what stands between the two at once; others ignore it. */
const BEGIN_UPDATE = '\u001b[?2026h'
const END_UPDATE = '\u001b[?2026l'
const ERASE_LINE_END = '\u001b[K'
const ERASE_BELOW = '\u001b[0J'

/** The lower end of a terminal, drawn again and again, under text that stays. */
export interface Screen {
  readonly open: () => void
  /** Shows these rows in the place of the earlier ones. */
  readonly draw: (rows: readonly string[]) => void
  /** Puts lines above the rows; they stay. */
  readonly above: (lines: readonly string[]) => void
  /** Removes the rows. */
  readonly clear: () => void
  /** Removes the rows and gives the cursor back; may be called any number of times. */
  readonly close: () => void
}

/** Makes a screen over a terminal. Nothing is written before `open`, except by `above`. */
export function makeScreen(write: (text: string) => void, columns: () => number): Screen {
  let isOpen = false
  let rows: readonly string[] = []

  function paint(lines: readonly string[], next: readonly string[]): void {
    const height = heightOf(rows, columns())
    const up = height > 0 ? `\u001b[${height}A\r` : '\r'
    const text = [...lines, ...next].map(line => `${line}${ERASE_LINE_END}\n`).join('')
    write(`${BEGIN_UPDATE}${up}${text}${ERASE_BELOW}${END_UPDATE}`)
    rows = next
  }

  return {
    open() {
      isOpen = true
      write(HIDE_CURSOR)
    },
    draw(next) {
      if (isOpen) paint([], next)
    },
    above(lines) {
      if (lines.length === 0) return
      if (isOpen) paint(lines, rows)
      else write(lines.map(line => `${line}\n`).join(''))
    },
    clear() {
      if (isOpen && rows.length > 0) paint([], [])
    },
    close() {
      if (!isOpen) return
      if (rows.length > 0) paint([], [])
      write(SHOW_CURSOR)
      isOpen = false
    },
  }
}

/** A terminal that became narrower has broken the rows anew, so each may stand on several lines. */
function heightOf(rows: readonly string[], columns: number): number {
  return rows
    .map(row => Math.max(1, Math.ceil(cells(stripVTControlCharacters(row)) / columns)))
    .reduce((sum, lines) => sum + lines, 0)
}
