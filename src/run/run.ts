import type { Event, EventBody, HostCounts, Mode } from '../base/event.ts'
import { Redactor } from '../base/secret.ts'
import type { PlannedPlay, Project } from '../plan/step.ts'
import type { Connect } from '../transport/session.ts'
import { HostRun } from './host-run.ts'
import { hostsByGroup, HostState } from './host-state.ts'
import { exitCode } from './exit.ts'
import { inParallel } from './parallel.ts'
import { sumCounts } from './outcome.ts'
import type { RunContext } from './task-run.ts'
import type { DefaultBecome } from './units.ts'

/** How a run is done. */
export interface RunOptions {
  readonly mode: Mode
  /** Identifier of the run, unique on the controller; part of directory names on the hosts. */
  readonly run: string
  /** Ask for contents, so that changes can be shown as text. */
  readonly wantsDiff: boolean
  /** Hosts worked on at once. */
  readonly forks: number
  readonly become: DefaultBecome
  readonly connect: Connect
  readonly signal: AbortSignal
  /** Receives every event, masked. */
  readonly emit: (event: Event) => void
  /** Masks what leaves the run; the caller adds the secrets it knows. */
  readonly redactor: Redactor
  /** Told how each task is worked out; nothing is applied by it. Only in modes that write nothing. */
  readonly onExplained?: RunContext['onExplained']
}

export interface RunResult {
  readonly counts: HostCounts
  readonly exit: number
}

/**
 * Runs the plays one after the other, each on all its hosts side by side: a slow or hung host delays no other within a
 * play. Never throws for what goes wrong on hosts.
 */
export async function run(project: Project, options: RunOptions): Promise<RunResult> {
  const started = performance.now()
  const emit = stamped(options)
  const context: RunContext = { ...options, emit }
  const hosts = hostRuns(project, context)
  emit({ type: 'run_start', mode: options.mode, playbooks: project.files, hosts: [...hosts.keys()] })
  try {
    for (const play of project.plays) await runPlay(play, hosts, options, emit)
  } finally {
    await inParallel([...hosts.values()], options.forks, host => host.end())
  }
  const counts = sumCounts([...hosts.values()].map(host => host.state.counts))
  const exit = exitCode(counts, options.mode, options.signal.aborted)
  emit({ type: 'run_done', counts, exit, ms: Math.round(performance.now() - started) })
  return { counts, exit }
}

function hostRuns(project: Project, context: RunContext): Map<string, HostRun> {
  const groups = hostsByGroup(project)
  const names = new Set(project.plays.flatMap(play => play.hosts))
  const runs = new Map<string, HostRun>()
  for (const name of names) {
    const host = project.inventory.hosts.get(name)
    if (host) runs.set(name, new HostRun(new HostState(host, project, groups), context))
  }
  return runs
}

async function runPlay(
  play: PlannedPlay,
  hosts: ReadonlyMap<string, HostRun>,
  options: RunOptions,
  emit: (event: EventBody) => void,
): Promise<void> {
  const taking = play.hosts.flatMap(name => hosts.get(name) ?? []).filter(host => !host.state.isOut)
  if (options.signal.aborted || taking.length === 0) return
  emit({
    type: 'play_start',
    play: play.name,
    at: `${play.at.file}:${play.at.line}:${play.at.col}`,
    hosts: taking.map(host => host.state.host.name),
  })
  await inParallel(taking, options.forks, host => host.play(play))
}

/** The one boundary: every event is stamped and masked here, nowhere else. */
function stamped(options: RunOptions): (event: EventBody) => void {
  return event => {
    options.emit(
      options.redactor.maskDeep({ ...event, time: new Date().toISOString(), run: options.run }) as Event,
    )
  }
}
