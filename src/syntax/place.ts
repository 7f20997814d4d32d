import type { Span } from '../base/span.ts'

/** Turns offsets in one text into places; lines and columns count from 1. */
export interface Places {
  readonly file: string
  readonly text: string
  /** Returns the place of `[start, end)`, its length cut at the end of its first line. */
  readonly span: (start: number, end: number) => Span
}

/** Returns the places of a file's text. */
export function placesOf(file: string, text: string): Places {
  const starts = lineStarts(text)
  function span(start: number, end: number): Span {
    const line = lineAt(starts, start)
    const lineStart = starts[line] ?? 0
    const lineEnd = endOfLine(text, starts[line + 1] ?? text.length + 1)
    const length = Math.max(1, Math.min(end, lineEnd) - start)
    return { file, line: line + 1, col: start - lineStart + 1, length }
  }
  return { file, text, span }
}

/** Returns the text of the line, without its line break; the line counts from 1. */
export function lineOf(text: string, line: number): string {
  return text.split('\n', line)[line - 1]?.replace(/\r$/, '') ?? ''
}

function lineStarts(text: string): readonly number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

function lineAt(starts: readonly number[], offset: number): number {
  let low = 0
  let high = starts.length
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle
  }
  return low
}

function endOfLine(text: string, nextStart: number): number {
  const end = nextStart - 1
  return text[end - 1] === '\r' ? end - 1 : end
}
