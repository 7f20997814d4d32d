import type { Failure } from '../base/result.ts'
import type { Palette } from './palette.ts'
import { pad, printable, printableLine } from './printable.ts'

/** Longer output of a failed command is shown from its end, where the reason stands. */
const MOST_LINES = 20

/** Returns a failure as the lines of a card: the place, the command, its status and output, the next step. */
export function failureCard(
  failure: Failure | undefined,
  at: string | undefined,
  palette: Palette,
): readonly string[] {
  const rows: (readonly [string, string])[] = []
  if (at !== undefined) rows.push(['at', printableLine(at)])
  if (failure) rows.push(...failureRows(failure))
  return rows.flatMap(([label, text]) => row(label, text, palette))
}

function failureRows(failure: Failure): readonly (readonly [string, string])[] {
  return [
    ['why', printable(failure.message)] as const,
    ...(failure.command === undefined ? [] : [['command', lastLines(failure.command)] as const]),
    ...(failure.rc === undefined ? [] : [['rc', String(failure.rc)] as const]),
    ...(failure.stdout ? [['stdout', lastLines(failure.stdout)] as const] : []),
    ...(failure.stderr ? [['stderr', lastLines(failure.stderr)] as const] : []),
    ...(failure.hint === undefined ? [] : [['next', printable(failure.hint)] as const]),
  ]
}

function row(label: string, text: string, palette: Palette): readonly string[] {
  return text
    .split('\n')
    .map((line, index) => `${palette.faint(pad(index === 0 ? label : '', 8))} ${line}`.trimEnd())
}

function lastLines(text: string): string {
  const lines = printable(text).trimEnd().split('\n')
  if (lines.length <= MOST_LINES) return lines.join('\n')
  return [`… ${lines.length - MOST_LINES} earlier lines`, ...lines.slice(-MOST_LINES)].join('\n')
}
