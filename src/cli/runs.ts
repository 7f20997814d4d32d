import { existsSync } from 'node:fs'
import { UsageError } from '../base/error.ts'
import type { HostCounts } from '../base/event.ts'
import {
  detailsOf,
  lastRuns,
  runsNamed,
  type KeptHost,
  type KeptRun,
  type KeptTask,
} from '../history/runs.ts'
import { changeText } from '../report/change-text.ts'
import { paletteFor, type Palette } from '../report/palette.ts'
import { pad, printableLine } from '../report/printable.ts'
import { duration, size } from '../report/quantity.ts'
import { EXIT } from './exit.ts'
import type { RunsFlags } from './options.ts'
import { HISTORY } from './record.ts'

/** Lists the last runs, or shows one; returns the exit status. */
export function runs(name: string | undefined, flags: RunsFlags, file = HISTORY): number {
  if (name !== undefined) return show(named(name, file), flags, file)
  const kept = existsSync(file) ? lastRuns(file, flags.count) : []
  if (flags.output === 'json') tell(kept.map(run => JSON.stringify(run)))
  else if (process.stdout.isTTY) tell(table(kept))
  else tell(kept.map(run => cells(run).map(printableLine).join('\t')))
  return EXIT.done
}

/** @throws UsageError BAD_ARGUMENT where no run, or more than one, is called so. */
function named(name: string, file: string): KeptRun {
  const found = existsSync(file) ? runsNamed(file, name === 'last' ? '' : name) : []
  const [run, another] = name === 'last' ? found.slice(-1) : found
  if (run === undefined)
    throw new UsageError('BAD_ARGUMENT', `there is no run \`${name}\``, 'run `msingi runs` for the list')
  if (another !== undefined && run.id !== name) {
    const more = `\`${name}\` is the beginning of ${found.length} runs`
    throw new UsageError('BAD_ARGUMENT', more, `write more of it: ${run.id}`)
  }
  return run
}

function show(run: KeptRun, { output }: RunsFlags, file: string): number {
  const { hosts, tasks } = detailsOf(file, run.id)
  if (output === 'json') {
    tell([JSON.stringify({ ...run, hosts, tasks })])
    return EXIT.done
  }
  const palette = paletteFor(process.stdout, process.env)
  tell([
    ...headLines(run, palette),
    ...(hosts.length > 0 ? ['', ...hosts.map(host => hostLine(host, palette))] : []),
    ...(tasks.length > 0 ? ['', ...tasks.flatMap(task => taskLines(task, palette))] : []),
  ])
  return EXIT.done
}

function headLines(run: KeptRun, palette: Palette): readonly string[] {
  const about = [
    ['run', run.id],
    ['command', run.command.join(' ')],
    ['playbooks', run.playbooks.join(', ')],
    ['inventory', run.inventory.join(', ')],
    ['version', versionText(run)],
    ['by', `${run.user} on ${run.controller}`],
    ['started', run.started],
    ['ended', run.ms === undefined ? endText(run) : `${endText(run)} after ${duration(run.ms)}`],
  ] as const
  return about.map(([word, value]) => `${palette.faint(pad(word, 10))} ${printableLine(value)}`)
}

function versionText({ version }: KeptRun): string {
  if (version === undefined) return 'under no version control'
  return version.isDirty ? `${version.commit} with changes of its own` : version.commit
}

function endText({ exit }: KeptRun): string {
  return exit === undefined ? 'not ended' : `exit ${exit}`
}

function hostLine(
  { host, counts, frames, bytesSent, bytesReceived, ms, failure }: KeptHost,
  palette: Palette,
): string {
  const lost =
    failure === undefined ? '' : ` ${palette.bad(printableLine(`${failure.code}: ${failure.message}`))}`
  const traffic = `${frames} frames, ${size(bytesSent)} sent, ${size(bytesReceived)} received, ${duration(ms)}`
  return `${palette.strong(printableLine(host))}: ${countsText(counts)}; ${traffic}${lost}`
}

function taskLines(
  { host, task, module, at, status, changes, failure }: KeptTask,
  palette: Palette,
): readonly string[] {
  const word = status === 'failed' || status === 'unreachable' ? palette.bad : palette.changed
  const head = printableLine(`${host}: ${task} [${module}] ${at}`)
  return [
    `${word(pad(status.replace('_', ' '), 12))} ${head}`,
    ...changes.flatMap(change => changeText(change, false, palette)).map(line => `${' '.repeat(13)}${line}`),
    ...(failure
      ? [`${' '.repeat(13)}${palette.bad(printableLine(`${failure.code}: ${failure.message}`))}`]
      : []),
  ]
}

function countsText(counts: HostCounts | undefined): string {
  if (counts === undefined) return '-'
  const some = Object.entries(counts).filter(([, count]) => count > 0)
  return some.map(([name, count]) => `${count} ${name.replace('_', ' ')}`).join(', ') || 'nothing done'
}

function cells(run: KeptRun): readonly string[] {
  const commit =
    run.version === undefined ? '-' : `${run.version.commit.slice(0, 8)}${run.version.isDirty ? '+' : ''}`
  return [run.id, run.mode, endText(run), commit, run.user, run.playbooks.join(','), countsText(run.counts)]
}

function table(kept: readonly KeptRun[]): readonly string[] {
  if (kept.length === 0) return [`no run is kept in ${HISTORY}`]
  const rows = kept.map(run => cells(run).map(printableLine))
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => (row[column] ?? '').length)))
  return rows.map(row =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function tell(lines: readonly string[]): void {
  process.stdout.write(lines.map(line => `${line}\n`).join(''))
}
