import { hostNamed, type Inventory } from '../inventory/model.ts'
import { place, type Event, type EventBody, type HostCounts, type Mode } from '../base/event.ts'
import type { Redactor } from '../base/secret.ts'
import type { PlannedPlay, Project } from '../plan/step.ts'
import type { Connect } from '../transport/session.ts'
import { HostRun } from './host-run.ts'
import { type Generated, HostState, sharedNames } from './host-state.ts'
import { exitCode } from './exit.ts'
import { inParallel } from './parallel.ts'
import { sumCounts } from './outcome.ts'
import { Stage } from './stage.ts'
import { Roster } from './roster.ts'
import { batches, ordered, taskOrder, tooManyFailed } from './rolling.ts'
import type { RunContext } from './walk.ts'
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
  readonly lock?: RunContext['lock']
  readonly operator?: RunContext['operator']
  readonly taskSeconds?: RunContext['taskSeconds']
  readonly connect: Connect
  readonly signal: AbortSignal
  /** Receives every event, masked. */
  readonly emit: (event: Event) => void
  /** Masks what leaves the run; the caller adds the secrets it knows. */
  readonly redactor: Redactor
  /** Key for the fingerprints of a plan that is kept. */
  readonly salt?: string | undefined
  /** Gives the secrets that roles declare with `generate`. */
  readonly generated?: Generated | undefined
  readonly onPlanned?: RunContext['onPlanned']
  readonly allowed?: RunContext['allowed']
  /** Whether hosts keep in mind which handlers they owe, and tell what they owe from a run before. */
  readonly remembers?: boolean
  /** Hosts that take part; all of the plays where it is not given. */
  readonly only?: ReadonlySet<string> | undefined
  /** Told when a host has come to the end of its last play without a failure. */
  readonly onThrough?: ((host: string) => void) | undefined
  /** Told when tasks have added hosts or memberships. */
  readonly onGrown?: ((inventory: Inventory) => void) | undefined
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
  const roster = new Roster(project.inventory, inventory => {
    options.onGrown?.(inventory)
  })
  const { hosts, open } = openHosts(project, options, roster, emit)
  emit({ type: 'run_start', mode: options.mode, playbooks: project.files, hosts: [...hosts.keys()] })
  try {
    for (const [index, planned] of project.plays.entries()) {
      if (options.signal.aborted) break
      const play = roster.begin(planned, emit)
      for (const name of play.isOpen ? play.hosts : []) if (options.only?.has(name) !== false) open(name)
      const later = project.plays.slice(index + 1)
      const named = new Set(later.flatMap(other => other.hosts))
      const isLast = (host: string): boolean => !named.has(host) && !later.some(other => other.isOpen)
      await runPlay({ play, isLast }, hosts, options, emit)
    }
  } finally {
    await inParallel([...hosts.values()], options.forks, host => host.end())
  }
  const counts = sumCounts([...hosts.values()].map(host => host.state.counts))
  const exit = exitCode(counts, options.mode, options.signal.aborted)
  emit({ type: 'run_done', counts, exit, ms: Math.round(performance.now() - started) })
  return { counts, exit }
}

/** Opens the hosts of the project, and those that tasks are delegated to when they first are. */
function openHosts(
  project: Project,
  options: RunOptions,
  roster: Roster,
  emit: (event: EventBody) => void,
): { readonly hosts: Map<string, HostRun>; readonly open: (name: string) => HostRun | undefined } {
  const hosts = new Map<string, HostRun>()
  const open = (name: string): HostRun | undefined => {
    const host = hostNamed(roster.inventory, name)
    const known = hosts.get(name)
    if (host && known && known.state.host !== host) known.state.regroup(host)
    if (host && !known)
      hosts.set(name, new HostRun(new HostState(host, project, shared, options.generated), context))
    return hosts.get(name)
  }
  const shared = sharedNames(
    () => roster.inventory,
    name => open(name)?.state,
  )
  const context: RunContext = {
    ...options,
    emit,
    roster,
    plays: project.plays,
    remembers: options.remembers === true,
    place: name => open(name)?.place,
  }
  for (const name of new Set(project.plays.flatMap(play => play.hosts))) {
    if (options.only?.has(name) !== false) open(name)
  }
  return { hosts, open }
}

/** A play and which hosts are through once it is. */
interface Turn {
  readonly play: PlannedPlay
  readonly isLast: (host: string) => boolean
}

async function runPlay(
  turn: Turn,
  hosts: ReadonlyMap<string, HostRun>,
  options: RunOptions,
  emit: (event: EventBody) => void,
): Promise<void> {
  const { play } = turn
  const order = play.play.keywords.get('order')
  const names = ordered(play.hosts, order?.kind === 'scalar' ? order.text : undefined)
  const taking = names.filter(
    name => hosts.get(name)?.state.isOut === false && options.only?.has(name) !== false,
  )
  if (options.signal.aborted || taking.length === 0) return
  emit({ type: 'play_start', play: play.name, at: place(play.at), hosts: taking })
  const places = taskOrder(play)
  for (const batch of batches(taking, play.play.keywords.get('serial'))) {
    if (options.signal.aborted) return
    const runs = batch.flatMap(name => hosts.get(name) ?? [])
    const isSound = await runBatch(new Stage(play, batch, places), runs, turn, options)
    if (!isSound) return leaveOut(taking.slice(taking.indexOf(batch.at(-1) ?? '') + 1), hosts, play, emit)
  }
}

/** Runs one batch and its health gate; returns whether the next one may start. */
async function runBatch(
  stage: Stage,
  runs: readonly HostRun[],
  turn: Turn,
  options: RunOptions,
): Promise<boolean> {
  const { play } = stage.play
  await inParallel(runs, options.forks, async host => {
    await host.play(stage)
    const isThrough = host.state.isOut || (turn.isLast(host.state.host.name) && stage.play.gate.length === 0)
    if (!isThrough) return
    await host.end()
    if (!host.state.isOut && !options.signal.aborted) options.onThrough?.(host.state.host.name)
  })
  const failed = (): number =>
    runs.filter(host => host.state.hasFailed || host.state.lost !== undefined).length
  if (stage.isOver || tooManyFailed(failed(), runs.length, play.keywords.get('max_fail_percentage')))
    return false
  const standing = runs.filter(host => !host.state.isOut)
  if (stage.play.gate.length === 0 || options.mode !== 'apply') return true
  const before = failed()
  const gate = new Stage(
    stage.play,
    standing.map(host => host.state.host.name),
    new Map(),
  )
  await inParallel(standing, options.forks, host =>
    host.play(gate, [{ name: 'post_tasks', items: stage.play.gate }]),
  )
  for (const host of standing)
    if (!host.state.isOut && turn.isLast(host.state.host.name)) options.onThrough?.(host.state.host.name)
  return failed() === before
}

/** Hosts of later batches take no part any more; that they were left alone is said. */
function leaveOut(
  names: readonly string[],
  hosts: ReadonlyMap<string, HostRun>,
  play: PlannedPlay,
  emit: (event: EventBody) => void,
): void {
  for (const name of names) {
    const host = hosts.get(name)
    if (host) host.state.isOut = true
  }
  if (names.length === 0) return
  emit({
    type: 'warning',
    at: place(play.at),
    message: `the play ends here; left alone: ${names.join(', ')}`,
  })
}

/** The one boundary: every event is stamped and masked here, nowhere else. */
function stamped(options: RunOptions): (event: EventBody) => void {
  return event => {
    options.emit(options.redactor.maskDeep({ ...event, time: new Date().toISOString(), run: options.run }))
  }
}
