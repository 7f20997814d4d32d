import { SourceError, TaskError } from '../base/error.ts'
import { place, type Mode } from '../base/event.ts'
import { Unknown } from '../base/unknown.ts'
import type { PlannedPlay, Step } from '../plan/step.ts'
import type { Connect } from '../transport/session.ts'
import { Pending } from '../vars/pending.ts'
import { render } from '../vars/render.ts'
import type { HostState } from './host-state.ts'
import { isLost, type Lanes } from './lanes.ts'
import type { LookAhead } from './look-ahead.ts'
import { failed, failureOf, reported, skipped, unknown, type Emit, type Outcome } from './outcome.ts'
import type { Overlay } from './overlay.ts'
import { settle, type Ground } from './settle.ts'
import { flag, setsOf, titleOf } from './unit.ts'
import type { DefaultBecome, Turn, Turns } from './units.ts'
import { judge, registerOf } from './verdict.ts'

/** What all hosts of a run share. */
export interface RunContext {
  readonly mode: Mode
  readonly run: string
  readonly wantsDiff: boolean
  readonly connect: Connect
  readonly signal: AbortSignal
  readonly emit: Emit
  readonly become: DefaultBecome
  /** Told how each task is worked out; for `explain`. */
  readonly onExplained?: Ground['onExplained']
}

/** Where one host stands in its walk through a play. */
export interface Walk {
  readonly state: HostState
  readonly context: RunContext
  readonly turns: Turns
  readonly ahead: LookAhead
  readonly lanes: Lanes
  readonly overlay: Overlay
  /** Tasks after the present one, as they run when nothing fails. */
  coming: readonly Step[]
  /** Blocks with a `rescue` around the present task. */
  rescuers: number
  /** Jobs started so far. */
  jobs: number
}

/** Variables of loops and includes around a task. */
export type Names = Readonly<Record<string, unknown>>

/** Ends the walk through a play on this host. */
export class Stop extends Error {
  readonly why: 'failed' | 'end_host' | 'end_play'

  constructor(why: Stop['why']) {
    super(why)
    this.why = why
  }
}

interface Finished {
  readonly item: unknown
  readonly outcome: Outcome
}

/**
 * Runs one task on one host, all turns of its loop, and reports them.
 *
 * @throws Stop where it failed and nothing forgives it; ConnectError or DeadlineError where the host is lost.
 */
export async function runTask(
  walk: Walk,
  play: PlannedPlay,
  step: Step,
  names: Names,
  kind: 'task_done' | 'handler_done',
): Promise<void> {
  const finished: Finished[] = []
  const turns = await turnsOf(walk, play, step, names)
  if (turns instanceof Unknown || turns instanceof Error) {
    finished.push(finish(walk, play, step, undefined, withoutTurns(turns), 0, kind))
  } else {
    for (let index = 0; index < turns.length; index++) {
      const fresh = index === 0 ? turns : await turnsOf(walk, play, step, names)
      const turn = Array.isArray(fresh) ? (fresh as readonly Turn[])[index] : turns[index]
      if (turn) finished.push(await runTurn(walk, play, step, turn, names, kind))
    }
    if (turns.length === 0)
      finished.push(finish(walk, play, step, undefined, skipped('the loop has no items'), 0, kind))
  }
  remember(walk, play, step, finished, names)
  if (finished.some(({ outcome }) => outcome.status === 'failed') && !isIgnored(walk, play, step, names))
    throw new Stop('failed')
}

function withoutTurns(turns: Unknown | Error): Outcome {
  return turns instanceof Unknown ? unknown(turns.until) : failed(failureOf(turns))
}

/** Settles the task's texts; where they need a fact, the host is asked first. */
async function turnsOf(
  walk: Walk,
  play: PlannedPlay,
  step: Step,
  names: Names,
): Promise<readonly Turn[] | Unknown | Error> {
  try {
    const turns = settled(walk, play, step, names)
    if (turns !== undefined) return turns
    await askFacts(walk, play, step, names)
    return (
      settled(walk, play, step, names) ??
      new TaskError('FACT_UNKNOWN', 'a fact is mentioned that the host did not give')
    )
  } catch (error) {
    if (error instanceof SourceError || error instanceof TaskError) return error
    throw error
  }
}

/** Returns the turns, or undefined where they wait for a fact. */
function settled(
  walk: Walk,
  play: PlannedPlay,
  step: Step,
  names: Names,
): readonly Turn[] | Unknown | undefined {
  try {
    const turns = walk.turns.of(play, step, names)
    if (turns instanceof Unknown) return turns
    return turns.some(turn => turn.resolved instanceof Pending) ? undefined : turns
  } catch (error) {
    if (error instanceof Pending) return undefined
    throw error
  }
}

/** Facts need no privilege: they are asked in the shell the task runs in, along with the coming tasks' questions. */
async function askFacts(walk: Walk, play: PlannedPlay, step: Step, names: Names): Promise<void> {
  const lane = await walk.lanes.lane(walk.turns.becomeOf(play, step, names))
  const questions = walk.ahead.questions(play, walk.coming, lane, names)
  await walk.lanes.exchange(lane, [], [...walk.state.openFacts(play), ...questions], 0)
  walk.state.absorbFacts(play, lane)
}

async function runTurn(
  walk: Walk,
  play: PlannedPlay,
  step: Step,
  turn: Turn,
  names: Names,
  kind: 'task_done' | 'handler_done',
): Promise<Finished> {
  const started = performance.now()
  walk.context.emit({ type: 'task_start', ...about(walk, play, step, turn) })
  const outcome = await outcomeOf(walk, play, step, turn, names)
  const own = step.settings.keywords.get('register')
  const local = { ...names, ...(own?.kind === 'scalar' ? { [own.text]: outcome.registered } : {}) }
  const judged = judge(
    step,
    outcome,
    walk.state.scope(play, step, { ...local, ...(turn.item === undefined ? {} : { item: turn.item }) }),
  )
  return finish(walk, play, step, turn, judged, performance.now() - started, kind)
}

async function outcomeOf(
  walk: Walk,
  play: PlannedPlay,
  step: Step,
  turn: Turn,
  names: Names,
): Promise<Outcome> {
  const { resolved } = turn
  if (resolved instanceof Error) return failed(failureOf(resolved))
  if (resolved.kind === 'skip') return skipped(resolved.reason)
  if (resolved.kind === 'unknown') return unknown(resolved.until)
  const unit = {
    step,
    title: titleOf(step, turn.scope),
    params: resolved.params,
    env: resolved.env,
    become: turn.become,
  }
  try {
    const outcome = await settle(unit, groundOf(walk, play, step, turn, names))
    if (outcome.status === 'ok' && step.module.sets) walk.state.set(setsOf(step.module, resolved.params))
    return outcome
  } catch (error) {
    if (isLost(error))
      finish(walk, play, step, turn, { ...failed(failureOf(error)), status: 'unreachable' }, 0, 'task_done')
    throw error
  }
}

function groundOf(walk: Walk, play: PlannedPlay, step: Step, turn: Turn, names: Names): Ground {
  const { context } = walk
  walk.jobs += 1
  return {
    mode: context.mode,
    run: context.run,
    job: walk.jobs,
    backupDir: `/var/lib/msingi/backup/${context.run}`,
    wantsDiff: context.wantsDiff,
    lanes: walk.lanes,
    overlay: walk.overlay,
    coming: lane => walk.ahead.questions(play, [step, ...walk.coming], lane, names),
    onExplained: context.onExplained,
    paced: made => {
      walk.ahead.pace(made)
    },
    onOutput: (stream, text) =>
      context.emit({ type: 'task_output', ...about(walk, play, step, turn), stream, text }),
  }
}

function finish(
  walk: Walk,
  play: PlannedPlay,
  step: Step,
  turn: Turn | undefined,
  outcome: Outcome,
  ms: number,
  kind: 'task_done' | 'handler_done',
): Finished {
  const isHidden = turn !== undefined && flag(step, 'no_log', turn.scope) === true
  const ignored = outcome.status === 'failed' && isForgiven(walk, step, turn)
  walk.state.count(ignored ? 'ignored' : outcome.status)
  const register = step.settings.keywords.get('register')
  walk.context.emit({
    type: kind,
    ...about(walk, play, step, turn),
    ...reported(outcome, Math.round(ms), isHidden),
    ...(register?.kind === 'scalar' ? { register: register.text } : {}),
    ...(turn?.item === undefined || isHidden ? {} : { item: turn.item }),
    ...(turn?.label === undefined || isHidden ? {} : { label: turn.label }),
    ...(ignored ? { ignored } : {}),
  })
  return { item: turn?.item, outcome }
}

/** Keeps what later tasks may ask for: the registered result, set variables, notified handlers. */
function remember(
  walk: Walk,
  play: PlannedPlay,
  step: Step,
  finished: readonly Finished[],
  names: Names,
): void {
  const isLoop = step.settings.keywords.has('loop')
  const register = step.settings.keywords.get('register')
  if (register?.kind === 'scalar')
    walk.state.set({ [register.text]: registerOf(finished, isLoop, step.title) })
  if (finished.some(({ outcome }) => outcome.status === 'changed' || outcome.status === 'would_change'))
    notify(walk, play, step, names)
}

function notify(walk: Walk, play: PlannedPlay, step: Step, names: Names): void {
  const scope = walk.state.scope(play, step, names)
  for (const topic of step.settings.notify) {
    const name = String(render(topic, scope))
    for (const handler of play.handlers) if (handler.topics.includes(name)) walk.state.pending.add(handler)
  }
}

function isIgnored(walk: Walk, play: PlannedPlay, step: Step, names: Names): boolean {
  return flag(step, 'ignore_errors', walk.state.scope(play, step, names)) === true
}

function isForgiven(walk: Walk, step: Step, turn: Turn | undefined): boolean {
  return walk.rescuers > 0 || (turn !== undefined && flag(step, 'ignore_errors', turn.scope) === true)
}

function about(
  walk: Walk,
  play: PlannedPlay,
  step: Step,
  turn: Turn | undefined,
): { host: string; play: string; task: string; module: string; at: string } {
  return {
    host: walk.state.host.name,
    play: play.name,
    task: turn ? titleOf(step, turn.scope) : step.title,
    module: step.module.name,
    at: place(step.at),
  }
}
