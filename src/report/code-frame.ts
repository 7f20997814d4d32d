import type { SourceError } from '../base/error.ts'
import { showSpan } from '../base/span.ts'
import type { Span } from '../base/span.ts'
import { PLAIN_PALETTE } from './palette.ts'
import type { Palette } from './palette.ts'
import { cells, printable, printableLine } from './printable.ts'

/** Returns a file's text as it was read, or undefined where it cannot or must not be shown (a decrypted file). */
export type TextOf = (file: string) => string | undefined

/** Wider source lines are cut around the place. */
const WIDEST_LINE = 100

/** Returns all problems as text, in the order of files and places, each once, with a final count. */
export function codeFrames(
  problems: readonly SourceError[],
  textOf: TextOf,
  palette: Palette = PLAIN_PALETTE,
): string {
  const sorted = distinct(problems).sort(byPlace)
  const frames = sorted.map(problem => codeFrame(problem, textOf, palette))
  return `${frames.join('\n\n')}\n\n${palette.bad(count(sorted))}\n`
}

/** Returns one problem as text: code and message, the place, the source line with a caret, the hint. */
export function codeFrame(problem: SourceError, textOf: TextOf, palette: Palette = PLAIN_PALETTE): string {
  const spans = [problem.at, ...problem.related]
  const gutter = Math.max(...spans.map(span => String(span.line).length))
  const edge = `${' '.repeat(gutter)} ${palette.note('|')}`
  const shown = (span: Span, mark: '^' | '-'): readonly string[] =>
    excerpt(span, mark, { gutter, textOf, palette })
  const lines = [
    `${palette.bad(`error[${problem.code}]`)} ${palette.strong(printable(problem.message))}`,
    ...shown(problem.at, '^'),
    ...problem.related.flatMap(span => [edge, ...shown(span, '-')]),
  ]
  if (problem.hint !== undefined) {
    lines.push(edge, `${' '.repeat(gutter)} ${palette.note('=')} help: ${printable(problem.hint)}`)
  }
  return lines.join('\n')
}

function excerpt(
  at: Span,
  mark: '^' | '-',
  { gutter, textOf, palette }: { gutter: number; textOf: TextOf; palette: Palette },
): readonly string[] {
  const where = `${' '.repeat(gutter)}${palette.note('-->')} ${printableLine(showSpan(at))}`
  const source = textOf(at.file)?.split(/\r\n|\n|\r/)[at.line - 1]
  if (source === undefined) return [where]
  const { shown, before, length } = cropped(source, at)
  const edge = `${' '.repeat(gutter)} ${palette.note('|')}`
  const paint = mark === '^' ? palette.bad : palette.note
  return [
    where,
    edge,
    `${palette.note(`${String(at.line).padStart(gutter)} |`)} ${shown}`,
    `${edge} ${' '.repeat(before)}${paint(mark.repeat(length))}`,
  ]
}

/** Cuts a long line so that the place stays in sight, and measures where the mark goes. */
function cropped(source: string, at: Span): { shown: string; before: number; length: number } {
  const from = at.col - 1
  const start = from < WIDEST_LINE - 20 ? 0 : from - 40
  const end = start + WIDEST_LINE
  const lead = start > 0 ? '…' : ''
  const tail = source.length > end ? '…' : ''
  const head = lead + printableLine(source.slice(start, from))
  const marked = printableLine(source.slice(from, Math.min(end, from + at.length)))
  const rest = printableLine(source.slice(from + at.length, end))
  return {
    shown: (head + marked + (from + at.length < end ? rest : '') + tail).trimEnd(),
    before: cells(head),
    length: Math.max(1, cells(marked)),
  }
}

function distinct(problems: readonly SourceError[]): SourceError[] {
  const seen = new Map<string, SourceError>()
  for (const problem of problems) {
    const key = `${problem.code} ${showSpan(problem.at)} ${problem.message}`
    if (!seen.has(key)) seen.set(key, problem)
  }
  return [...seen.values()]
}

function byPlace(a: SourceError, b: SourceError): number {
  if (a.at.file !== b.at.file) return a.at.file < b.at.file ? -1 : 1
  return a.at.line - b.at.line || a.at.col - b.at.col
}

function count(problems: readonly SourceError[]): string {
  const files = new Set(problems.map(problem => problem.at.file)).size
  const what = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  return `${what} in ${files === 1 ? '1 file' : `${files} files`}; nothing was contacted`
}
