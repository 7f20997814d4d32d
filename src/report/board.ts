import type { Event, TaskOutcome } from '../base/event.ts'
import type { Palette } from './palette.ts'
import { cells, clip, pad, printable, printableLine } from './printable.ts'
import { duration } from './quantity.ts'

/** A task that ends sooner is not worth a moving line where many hosts share the screen. */
const BRIEF_MS = 400
/** Up to here every busy host keeps its line. */
const FEW_HOSTS = 8
const TAIL_LINES = 3
const MOST_ROWS = 30
/** Many hosts come and go; a short list of the slowest is calmer and says more. */
const MOST_ROWS_OF_MANY = 12
const MOST_TAIL = 4096

interface HostLine {
  readonly host: string
  phase: 'waiting' | 'idle' | 'busy' | 'done' | 'failed' | 'lost'
  connected: boolean
  task: string
  since: number
  /** The end of the running task's output; at most a few kilobytes are kept. */
  tail: string
}

/** What the moving part of the screen shows: who does what for how long, and the totals. Pure: time is given, nothing is written. */
export interface Board {
  readonly see: (event: Event, now: number) => void
  /** Returns the rows for a terminal of that size, none wider or more than fit. */
  readonly rows: (
    screen: { readonly columns: number; readonly rows: number },
    now: number,
    spinner: string,
  ) => readonly string[]
}

/** Makes an empty board. */
export function makeBoard(palette: Palette): Board {
  const hosts = new Map<string, HostLine>()
  const totals = { ok: 0, changed: 0, pending: 0, failed: 0 }
  let started: number | undefined

  function see(event: Event, now: number): void {
    started ??= now
    if (event.type === 'run_start') {
      for (const host of event.hosts) hosts.set(host, newLine(host, now))
    }
    if (!('host' in event) || event.host === undefined) return
    const line = hosts.get(event.host)
    if (!line) return
    follow(line, event, now)
    if (event.type === 'task_done' || event.type === 'handler_done') tally(totals, event)
  }

  return {
    see,
    rows(screen, now, spinner) {
      const most = hosts.size <= FEW_HOSTS ? MOST_ROWS : MOST_ROWS_OF_MANY
      const budget = Math.max(1, Math.min(screen.rows - 2, most))
      const busy = busyRows([...hosts.values()], budget - 1, { now, spinner, palette })
      const total = totalsRow([...hosts.values()], totals, now - (started ?? now), palette)
      return [...busy, total].map(row => row(screen.columns - 1))
    },
  }
}

/** A row that fits itself to a width; colours come after cutting, so that no escape is cut. */
type Row = (width: number) => string

function newLine(host: string, now: number): HostLine {
  return { host, phase: 'waiting', connected: false, task: '', since: now, tail: '' }
}

function follow(line: HostLine, event: Event, now: number): void {
  switch (event.type) {
    case 'host_connected':
      Object.assign(line, { phase: line.phase === 'busy' ? 'busy' : 'idle', connected: true, since: now })
      break
    case 'host_lost':
      line.connected = false
      break
    case 'host_reconnected':
      line.connected = true
      break
    case 'task_start':
      Object.assign(line, { phase: 'busy', task: event.task, since: now, tail: '' })
      break
    case 'task_output':
      line.tail = (line.tail + event.text).slice(-MOST_TAIL)
      break
    case 'task_done':
    case 'handler_done':
      Object.assign(line, { phase: phaseAfter(event, line.phase), tail: '' })
      break
    case 'host_done':
      line.phase = event.failure || event.counts.unreachable > 0 ? 'lost' : doneOrFailed(event.counts.failed)
      break
    default:
  }
}

function phaseAfter(outcome: TaskOutcome, phase: HostLine['phase']): HostLine['phase'] {
  if (outcome.status === 'unreachable') return 'lost'
  if (outcome.status === 'failed' && outcome.ignored !== true) return 'failed'
  return phase === 'failed' ? 'failed' : 'idle'
}

function doneOrFailed(failed: number): 'done' | 'failed' {
  return failed > 0 ? 'failed' : 'done'
}

function tally(
  totals: { ok: number; changed: number; pending: number; failed: number },
  outcome: TaskOutcome,
): void {
  if (outcome.status === 'ok') totals.ok++
  if (outcome.status === 'changed') totals.changed++
  if (outcome.status === 'would_change' || outcome.status === 'unknown') totals.pending++
  if (outcome.status === 'failed' && outcome.ignored !== true) totals.failed++
}

/** What every row of one drawing shares. */
interface Frame {
  readonly now: number
  readonly spinner: string
  readonly palette: Palette
}

function busyRows(hosts: readonly HostLine[], budget: number, frame: Frame): readonly Row[] {
  if (budget < 1) return []
  const few = hosts.length <= FEW_HOSTS
  const busy = hosts.filter(line => line.phase === 'busy' && (few || frame.now - line.since >= BRIEF_MS))
  const longestFirst = few ? busy : busy.toSorted((a, b) => a.since - b.since)
  const room = busy.length > budget ? budget - 1 : budget
  const shown = longestFirst.slice(0, Math.max(0, room))
  const tailRoom = Math.min(TAIL_LINES, Math.floor((room - shown.length) / Math.max(1, shown.length)))
  const width = Math.min(30, Math.max(0, ...shown.map(line => cells(printableLine(line.host)))))
  const rows = shown.flatMap(line => [
    busyRow(line, width, frame),
    ...tailRows(line, tailRoom, frame.palette),
  ])
  const hidden = busy.length - shown.length
  return hidden > 0 ? [...rows, cut => frame.palette.faint(clip(`  … and ${hidden} more busy`, cut))] : rows
}

function busyRow(line: HostLine, width: number, { now, spinner, palette }: Frame): Row {
  const ms = now - line.since
  const elapsed = ms >= 1000 ? `  ${duration(Math.floor(ms / 1000) * 1000)}` : ''
  return cut => {
    const name = clip(pad(printableLine(line.host), width), cut - 2)
    const room = cut - 4 - cells(name) - elapsed.length
    if (room < 4) return `${palette.note(spinner)} ${palette.strong(name)}`
    const task = clip(line.connected ? printableLine(line.task) : 'connecting', room)
    return `${palette.note(spinner)} ${palette.strong(name)}  ${task}${palette.faint(elapsed)}`
  }
}

function tailRows(line: HostLine, count: number, palette: Palette): readonly Row[] {
  if (count < 1 || line.tail === '') return []
  const lines = printable(line.tail)
    .split('\n')
    .filter(text => text.trim() !== '')
  return lines.slice(-count).map(text => cut => palette.faint(clip(`    │ ${printableLine(text)}`, cut)))
}

function totalsRow(
  hosts: readonly HostLine[],
  totals: { ok: number; changed: number; pending: number; failed: number },
  ms: number,
  palette: Palette,
): Row {
  const number = (...phases: HostLine['phase'][]): number =>
    hosts.filter(line => phases.includes(line.phase)).length
  const parts: (readonly [string, (text: string) => string])[] = [
    [`${number('busy')}/${hosts.length} hosts busy`, palette.strong],
    ...shownIf(number('waiting'), 'waiting', palette.faint),
    ...shownIf(number('failed'), 'failed', palette.bad),
    ...shownIf(number('lost'), 'unreachable', palette.bad),
    [`${totals.ok} ok`, palette.good],
    ...shownIf(totals.changed, 'changed', palette.changed),
    ...shownIf(totals.pending, 'would change', palette.changed),
    [duration(Math.floor(ms / 1000) * 1000), palette.faint],
  ]
  return cut => {
    let used = 0
    const fitting = parts.filter(([text]) => (used += text.length + 3) - 3 <= cut)
    return fitting.map(([text, paint]) => paint(text)).join(' · ')
  }
}

function shownIf(
  count: number,
  word: string,
  paint: (text: string) => string,
): readonly (readonly [string, (text: string) => string])[] {
  return count === 0 ? [] : [[`${count} ${word}`, paint]]
}
