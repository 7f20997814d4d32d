import { structuredPatch } from 'diff'
import type { Change } from '../base/result.ts'
import type { Palette } from './palette.ts'
import { clip, printable, printableLine } from './printable.ts'

/** Longer diffs end with a count of what is left out. */
const LONGEST_DIFF = 200
/** Beyond that many differing lines a diff costs more time than it is worth. */
const MOST_EDITS = 2000
const WIDEST_VALUE = 120

/** Returns one change as lines: what differs, before and after; of long texts the count of differing lines, or with `diff` the lines. */
export function changeText(change: Change, diff: boolean, palette: Palette): readonly string[] {
  const before = valueText(change.before)
  const after = valueText(change.after)
  const head = `${printableLine(change.kind)} ${clip(printableLine(change.what), WIDEST_VALUE)}`
  const loss = change.destroys === true ? ` ${palette.bad('(destroys data)')}` : ''
  if (!isText(change.before) && !isText(change.after)) {
    return [`${head}${transition(change, before, after)}${loss}`]
  }
  const lines = patch(lineText(change.before), lineText(change.after))
  const title = `${head}: ${change.before === null ? 'absent → ' : ''}${countText(lines)}${loss}`
  return diff && lines ? [title, ...shortened(lines).map(line => painted(line, palette))] : [title]
}

/** Returns a value on one line. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'absent'
  if (typeof value === 'string') return value === '' ? '""' : clip(printableLine(value), WIDEST_VALUE)
  if (Array.isArray(value)) return clip(`[${value.map(valueText).join(', ')}]`, WIDEST_VALUE)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return clip(printableLine(plainText(value)), WIDEST_VALUE)
}

/** Secrets and unknowns print themselves; anything else is data. */
function plainText(value: unknown): string {
  const json: unknown = JSON.parse(JSON.stringify(value) ?? 'null')
  return typeof json === 'string' ? json : JSON.stringify(json)
}

function transition(change: Change, before: string, after: string): string {
  if (change.before === null && (change.after === null || change.after === change.kind)) return ''
  if (before === after) return `: ${after}`
  return `: ${before} → ${after}`
}

function isText(value: Change['before']): value is string {
  return typeof value === 'string' && value.includes('\n')
}

function lineText(value: Change['before']): string {
  if (value === null) return ''
  return typeof value === 'string' ? value : plainText(value)
}

/** Returns the unified diff without its header, or undefined where the texts differ too much to be worth comparing. */
function patch(before: string, after: string): readonly string[] | undefined {
  const options = { context: 3, maxEditLength: MOST_EDITS }
  const found = structuredPatch('', '', printable(before), printable(after), '', '', options)
  return found?.hunks.flatMap(hunk => [
    `@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@`,
    ...hunk.lines,
  ])
}

function countText(lines: readonly string[] | undefined): string {
  if (lines === undefined) return 'another text'
  const added = lines.filter(line => line.startsWith('+')).length
  const removed = lines.filter(line => line.startsWith('-')).length
  return `+${added} −${removed} lines`
}

function shortened(lines: readonly string[]): readonly string[] {
  if (lines.length <= LONGEST_DIFF) return lines
  return [...lines.slice(0, LONGEST_DIFF), `… ${lines.length - LONGEST_DIFF} more lines`]
}

function painted(line: string, palette: Palette): string {
  if (line.startsWith('+')) return palette.good(line)
  if (line.startsWith('-')) return palette.bad(line)
  return line.startsWith('@@') ? palette.note(line) : line
}
