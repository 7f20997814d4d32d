import type { Event, HostCounts, Mode } from '../base/event.ts'
import type { Palette } from './palette.ts'
import { cells, pad, printableLine } from './printable.ts'
import { duration, plural, size } from './quantity.ts'

export type HostDone = Extract<Event, { type: 'host_done' }>
type RunDone = Extract<Event, { type: 'run_done' }>

/** With more hosts, those with equal counts and without a failure share one row. */
const MOST_ROWS = 20

const COUNTS = [
  'ok',
  'changed',
  'would_change',
  'unknown',
  'failed',
  'ignored',
  'unreachable',
  'skipped',
] as const satisfies readonly (keyof HostCounts)[]

export interface Outcome {
  /** In the order of the inventory. */
  readonly hosts: readonly HostDone[]
  readonly done: RunDone
  readonly mode: Mode
  /** Tasks for which nothing could be compared. */
  readonly uncheckable: number
}

/** Returns the hosts in the order of the inventory. */
export function inOrder(hosts: readonly HostDone[], names: readonly string[]): readonly HostDone[] {
  const order = new Map(names.map((name, index) => [name, index]))
  return hosts.toSorted((a, b) => (order.get(a.host) ?? 0) - (order.get(b.host) ?? 0))
}

/** Returns the table of hosts and the closing line; `everyHost` keeps a row for each. */
export function summary(outcome: Outcome, palette: Palette, everyHost: boolean): readonly string[] {
  const { hosts, uncheckable } = outcome
  const rows = everyHost || hosts.length <= MOST_ROWS ? hosts.map(host => [host]) : alike(hosts)
  return [
    ...(hosts.length > 0 ? ['', ...table(rows, outcome, palette)] : []),
    '',
    ...(uncheckable > 0 ? [uncheckableText(uncheckable, palette)] : []),
    closing(outcome, palette),
  ]
}

function table(
  rows: readonly (readonly HostDone[])[],
  outcome: Outcome,
  palette: Palette,
): readonly string[] {
  const counted = shownCounts(outcome)
  const head = ['host', ...counted.map(name => name.replace('_', ' ')), 'frames', 'sent', 'received', 'time']
  const grid = [head, ...rows.map(row => rowOf(row, counted))]
  const widths = head.map((_, column) => Math.max(...grid.map(row => cells(row[column] ?? ''))))
  return grid.map((row, index) => {
    const line = row.map((cell, column) => pad(cell, widths[column] ?? 0, column === 0 ? 'left' : 'right'))
    return index === 0 ? palette.faint(line.join('  ')) : painted(line, counted, palette).join('  ')
  })
}

/** Puts hosts with equal counts together; one that failed or was lost stands alone. */
function alike(hosts: readonly HostDone[]): readonly (readonly HostDone[])[] {
  const rows = new Map<string, HostDone[]>()
  for (const host of hosts) {
    const key = isLost(host) || host.counts.failed > 0 ? host.host : JSON.stringify(host.counts)
    const row = rows.get(key)
    if (row) row.push(host)
    else rows.set(key, [host])
  }
  return [...rows.values()]
}

/** Returns which counts say something of this run. */
export function shownCounts({ hosts, mode }: Outcome): readonly (typeof COUNTS)[number][] {
  return COUNTS.filter(name => isShown(name, mode) || hosts.some(host => host.counts[name] > 0))
}

function isShown(name: (typeof COUNTS)[number], mode: Mode): boolean {
  if (name === 'changed') return mode === 'apply'
  if (name === 'would_change' || name === 'unknown') return mode !== 'apply'
  return name !== 'ignored'
}

/** A row of several hosts shows the counts of each and the most of the rest. */
function rowOf(hosts: readonly HostDone[], counted: readonly (typeof COUNTS)[number][]): string[] {
  const most = (value: (host: HostDone) => number): number => Math.max(...hosts.map(value))
  const name = printableLine(hosts[0]?.host ?? '')
  return [
    hosts.length === 1 ? name : `${name} and ${hosts.length - 1} alike`,
    ...counted.map(count => String(hosts[0]?.counts[count] ?? 0)),
    String(most(host => host.frames)),
    size(most(host => host.bytes_sent)),
    size(most(host => host.bytes_received)),
    duration(most(host => host.ms)),
  ]
}

function painted(
  line: readonly string[],
  counted: readonly (typeof COUNTS)[number][],
  palette: Palette,
): readonly string[] {
  return line.map((cell, column) => {
    const name = counted[column - 1]
    if (name === undefined || cell.trim() === '0') return name === undefined ? cell : palette.faint(cell)
    if (name === 'failed' || name === 'unreachable') return palette.bad(cell)
    if (name === 'ok') return palette.good(cell)
    return name === 'changed' || name === 'would_change' ? palette.changed(cell) : cell
  })
}

function uncheckableText(count: number, palette: Palette): string {
  const what = count === 1 ? '1 task' : `${count} tasks`
  return palette.note(`${what} cannot be checked: commands without \`creates\`, \`removes\` or \`unless\``)
}

function closing(outcome: Outcome, palette: Palette): string {
  const { done } = outcome
  const verdict = verdictOf(outcome)
  const colour = done.exit === 0 ? palette.good : done.exit === 2 ? palette.changed : palette.bad
  return `${colour(verdict)} ${palette.faint(`(exit ${done.exit}, ${duration(done.ms)})`)}`
}

/** The exit status in words. */
export function verdictOf({ hosts, done, mode }: Outcome): string {
  const { counts } = done
  const where = (name: keyof HostCounts): string =>
    `on ${plural(hosts.filter(host => host.counts[name] > 0).length, 'host')}`
  switch (done.exit) {
    case 0:
      if (mode !== 'apply') return 'no differences'
      return counts.changed === 0
        ? 'done, nothing to change'
        : `done, ${counts.changed} changed ${where('changed')}`
    case 1:
      return [`${plural(counts.failed, 'task')} failed ${where('failed')}`, ...lostText(hosts)].join(', ')
    case 2:
      return `${plural(counts.would_change, 'task')} would change ${where('would_change')}, ${counts.unknown} unknown`
    case 3:
      return lostText(hosts).join('')
    case 130:
      return 'interrupted'
    default:
      return 'ended'
  }
}

function lostText(hosts: readonly HostDone[]): readonly string[] {
  const lost = hosts.filter(isLost).length
  return lost === 0 ? [] : [`${plural(lost, 'host')} unreachable`]
}

export function isLost(host: HostDone): boolean {
  return host.failure !== undefined || host.counts.unreachable > 0
}
