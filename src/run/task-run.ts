import { SourceError, TaskError } from '../base/error.ts'
import { Unknown } from '../base/unknown.ts'
import { Pending } from '../vars/pending.ts'
import { containsTemplate, render } from '../vars/render.ts'
import { notifiedBy } from './guarded.ts'
import { failed, failureOf, isLocked, isUndecided, skipped, unknown, type Outcome } from './outcome.ts'
import { handlerName } from './owed.ts'
import type { SharedResult } from './stage.ts'
import { finish, runTurn, type Finished } from './turn-run.ts'
import { flag, number } from './unit.ts'
import type { Turn } from './units.ts'
import { registerOf } from './verdict.ts'
import { Stop, type Spot } from './walk.ts'
import { withFacts } from './with-facts.ts'

/**
 * Runs one task on one host, all turns of its loop, and reports them.
 *
 * @throws Stop where it failed and nothing forgives it; ConnectError or DeadlineError where the host is lost.
 */
export async function runTask(spot: Spot): Promise<void> {
  const { walk, stage, step } = spot
  if (isLinear(spot)) await stage.inStep(walk.state.host.name, step)
  if (stage.isOver) throw new Stop('stage')
  const way = await wayOf(spot)
  if (way instanceof Error) {
    const { outcome } = finish(spot, undefined, failed(failureOf(way)), 0)
    throw new Stop(isLocked(outcome) ? 'locked' : 'failed')
  }
  if (way.isOnce) return runOnce(spot)
  await stage.throttled(step, way.width, () => work(spot))
}

/** Returns who does the task and how many at a time, or what is wrong with the texts that say so. */
async function wayOf(
  spot: Spot,
): Promise<{ readonly isOnce: boolean; readonly width: number | undefined } | Error> {
  const { walk, play, step, names } = spot
  try {
    await withFacts(spot, () => openKeywords(spot))
    const scope = walk.state.scope(play, step, names)
    return { isOnce: flag(step, 'run_once', scope) === true, width: number(step, 'throttle', scope) }
  } catch (error) {
    if (error instanceof SourceError || error instanceof TaskError) return error
    throw error
  }
}

/** Keywords that may hold a template and are asked for outside of the task's turns. */
const KEYWORDS = [
  'run_once',
  'throttle',
  'check_mode',
  'diff',
  'no_log',
  'timeout',
  'retries',
  'delay',
  'backoff',
  'delegate_to',
  'ignore_errors',
  'ignore_unreachable',
]

/** @throws Pending where one of them waits for a fact; whatever else is wrong with them shows in its place. */
function openKeywords({ walk, play, step, names }: Spot): void {
  const written = KEYWORDS.flatMap(keyword => step.settings.keywords.get(keyword) ?? []).filter(
    containsTemplate,
  )
  const scope = walk.state.scope(play, step, names)
  for (const node of [...written, ...step.settings.notify]) {
    try {
      render(node, scope)
    } catch (error) {
      if (error instanceof Pending) throw error
    }
  }
}

/** One host does it, and what it registers all others have as well. */
async function runOnce(spot: Spot): Promise<void> {
  const { isMine, result } = spot.stage.once(spot.step, () => work(spot))
  const shared = await result
  if (isMine || shared === undefined) return
  const register = spot.step.settings.keywords.get('register')
  if (register?.kind === 'scalar') spot.walk.state.set({ [register.text]: shared })
}

async function work(spot: Spot): Promise<SharedResult> {
  const finished = await runTurns(spot)
  const result = remember(spot, finished)
  const hasFailed = finished.some(
    ({ outcome }) => outcome.status === 'failed' || outcome.status === 'unreachable',
  )
  // Whatever forgives a failure means the task's, not that the host is somebody else's for now.
  if (finished.some(({ outcome }) => isLocked(outcome))) throw new Stop('locked')
  if (!hasFailed || isIgnored(spot, finished)) return result
  spot.walk.failed = {
    task: spot.step.title,
    result: registerOf(finished, spot.step.settings.keywords.has('loop'), spot.step.title),
  }
  throw new Stop('failed')
}

async function runTurns(spot: Spot): Promise<readonly Finished[]> {
  const turns = await turnsOf(spot)
  if (turns instanceof Unknown || turns instanceof Error)
    return [finish(spot, undefined, withoutTurns(turns), 0)]
  if (turns.length === 0) return [finish(spot, undefined, skipped('the loop has no items'), 0)]
  const finished: Finished[] = []
  for (const [index, turn] of turns.entries()) {
    const now = index === 0 ? turns : await turnsOf(spot)
    const fresh = now instanceof Unknown || now instanceof Error ? undefined : now[index]
    finished.push(await runTurn(spot, fresh ?? turn))
  }
  return finished
}

function withoutTurns(turns: Unknown | Error): Outcome {
  return turns instanceof Unknown ? unknown(turns.until) : failed(failureOf(turns))
}

/** Settles the task's texts; where they need a fact, the host is asked first. */
async function turnsOf(spot: Spot): Promise<readonly Turn[] | Unknown | Error> {
  try {
    return await withFacts(spot, () => settled(spot))
  } catch (error) {
    if (error instanceof SourceError || error instanceof TaskError) return error
    throw error
  }
}

/** @throws Pending where a turn waits for a fact. */
function settled({ walk, play, step, names }: Spot): readonly Turn[] | Unknown {
  const turns = walk.turns.of(play, step, names)
  if (turns instanceof Unknown) return turns
  for (const { resolved } of turns) if (resolved instanceof Pending) throw resolved
  return turns
}

/** Keeps what later tasks may ask for: the registered result and the notified handlers. */
function remember(spot: Spot, finished: readonly Finished[]): SharedResult {
  const { walk, step } = spot
  const result = registerOf(finished, step.settings.keywords.has('loop'), step.title)
  const register = step.settings.keywords.get('register')
  if (register?.kind === 'scalar') walk.state.set({ [register.text]: result })
  const notified = finished.some(owesHandlers) ? notifiedBy(spot) : []
  for (const handler of notified) walk.state.pending.add(handler)
  if (finished.some(({ outcome }) => outcome.status === 'unreachable' || isUndecided(outcome)))
    walk.owed.undecided(step)
  else
    walk.owed.notified(
      step,
      notified.map(handler => handlerName(spot.play, handler)),
    )
  return register === undefined ? undefined : result
}

function owesHandlers({ outcome, isHandled = false }: Finished): boolean {
  return !isHandled && (outcome.status === 'changed' || outcome.status === 'would_change')
}

function isIgnored({ walk, play, step, names }: Spot, finished: readonly Finished[]): boolean {
  const scope = walk.state.scope(play, step, names)
  if (flag(step, 'ignore_errors', scope) === true) return true
  const failures = finished.filter(({ outcome }) => outcome.status === 'failed')
  return failures.length === 0 && flag(step, 'ignore_unreachable', scope) === true
}

function isLinear({ play }: Spot): boolean {
  const strategy = play.play.keywords.get('strategy')
  return strategy?.kind === 'scalar' && strategy.value === 'linear'
}
