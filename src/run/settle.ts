import { TaskError } from '../base/error.ts'
import { place, type Mode } from '../base/event.ts'
import type { Change, Completed, Failure, Registered } from '../base/result.ts'
import { Unknown } from '../base/unknown.ts'
import type { Action, HostView } from '../modules/module.ts'
import type { Step } from '../plan/step.ts'
import type { Probe, Probes } from '../probes/probe.ts'
import type { Sh } from '../shell/sh.ts'
import { WRITE_FAILED, writeError } from '../shell/write.ts'
import type { Become } from '../transport/session.ts'
import { fingerprint } from './fingerprint.ts'
import type { Lane, Lanes } from './lanes.ts'
import {
  changed,
  commandFailure,
  failed,
  failureOf,
  ok,
  outputOf,
  skipped,
  unknown,
  uncheckableCommand,
  wouldChange,
  type Outcome,
} from './outcome.ts'
import type { Overlay } from './overlay.ts'
import { keep } from './keep.ts'
import { bePatient, reboot } from './return.ts'
import { APPLY_DEADLINE_MS, commandOf, prepare, TIMED_OUT } from './perform.ts'

/** One module call on one host, its texts settled. */
export interface Unit {
  readonly step: Step
  readonly title: string
  readonly params: unknown
  readonly env: Readonly<Record<string, string>>
  readonly become: Become | undefined
}

/** What settling a unit needs of the host it runs on. */
export interface Ground {
  readonly mode: Mode
  readonly run: string
  /** Number of the unit's job within the run. */
  readonly job: number
  /** Directory on the host that keeps what this run replaced. */
  readonly backupDir: string
  readonly wantsDiff: boolean
  /** The longest the task's commands may take on the host. */
  readonly seconds?: number
  readonly lanes: Lanes
  readonly overlay: Overlay
  /** Questions of the coming tasks in this shell that are still open, to travel in the same frame. */
  readonly coming: (lane: Lane) => readonly Probe<unknown>[]
  /** Told when a frame went by in which nothing changed, or a change was made; the look-ahead grows or shrinks. */
  readonly paced: (made: 'nothing' | 'known change' | 'any change') => void
  readonly onOutput: (stream: 'stdout' | 'stderr', text: string) => void
  /** Key for the fingerprints of a plan that is kept. */
  readonly salt?: string | undefined
  /** False where a saved plan is applied that does not hold this task. */
  readonly isAllowed: boolean
  readonly onExplained?: ((explained: Explained) => void) | undefined
  readonly signal: AbortSignal
  /** Told when the host was started anew: facts that were asked before are of another life. */
  readonly onRebooted: () => void
}

/** How a task is worked out on a host: what is asked, what came back, what differs, what would be done. */
export interface Explained {
  readonly host: string
  readonly task: string
  readonly at: string
  readonly module: string
  readonly probes: readonly {
    readonly name: string
    readonly question: string
    readonly script: string
    readonly answer: unknown
  }[]
  readonly changes: readonly Change[]
  /** Commands, one an action. */
  readonly actions: readonly string[]
}

/** Asks, compares and, where the mode allows it, acts and looks again. Never throws for what belongs to the task alone. */
export async function settle(unit: Unit, on: Ground): Promise<Outcome> {
  const { module } = unit.step
  try {
    if (module.patience && on.mode === 'apply')
      await bePatient(module.patience(unit.params), { ...on, become: unit.become })
    if (module.controller === true) return onController(unit)
    const lane = await on.lanes.lane(unit.become)
    const probes: Probes = module.probe(unit.params, viewOf(lane, on))
    await ask(Object.values(probes), lane, on)
    return on.mode === 'apply' ? await act(unit, probes, lane, on) : foresee(unit, probes, lane, on)
  } catch (error) {
    return refused(isTaskMatter(error))
  }
}

/** Where a command was run to look, and failed, `register` and `failed_when` see what it answered. */
function refused(error: unknown): Outcome {
  const failure = failureOf(error)
  const answer = error instanceof TaskError ? error.answer : undefined
  const known = error instanceof TaskError ? error.registered : undefined
  if (answer === undefined) return failed(failure, [], known)
  const { code, out, err } = answer
  return failed({ ...failure, rc: code, stdout: out, stderr: err }, [], outputOf(answer))
}

/** Returns what a module may know of the host when it chooses its questions. */
export function viewOf(lane: Lane, on: Pick<Ground, 'wantsDiff'>): HostView {
  const { host, user, uid, login } = lane.session
  return { name: host, user, uid, login, wantsDiff: on.wantsDiff }
}

function onController({ step: { module }, params }: Unit): Outcome {
  try {
    module.diff(params, {})
    return ok(module.result?.(params, {}, []) ?? {})
  } catch (error) {
    return failed(failureOf(isTaskMatter(error)))
  }
}

/** Makes sure every question has an answer that holds, asking the coming tasks' questions along with them. */
async function ask(wanted: readonly Probe<unknown>[], lane: Lane, on: Ground): Promise<void> {
  const open = wanted.filter(probe => lane.answers.get(probe) === undefined)
  if (open.length === 0) return
  await on.lanes.exchange(lane, [], [...open, ...on.coming(lane)], 0)
  on.paced('nothing')
}

async function act(unit: Unit, probes: Probes, lane: Lane, on: Ground): Promise<Outcome> {
  const { module } = unit.step
  const before = observed(probes, lane)
  const found: readonly Change[] = module.diff(unit.params, before)
  if (found.length === 0) return ok(module.result?.(unit.params, before, found) ?? {})
  if (!on.isAllowed) return skipped('it differs, but the plan does not hold it')
  const done = await applyAndLookAgain(unit, found, before, probes, lane, on)
  if (done.completed.code !== 0) return failed(endedBadly(done, on.seconds), found, outputIn(done))
  const output = done.captured && module.said ? module.said(unit.params, done.completed) : outputIn(done)
  const isVerifiable = module.verifiable?.(unit.params, found) !== false
  const after = isVerifiable ? observed(probes, done.lane) : before
  const left = isVerifiable
    ? module.diff(unit.params, after).filter((change: Change) => shows(unit, change))
    : []
  const registered = { ...(module.result?.(unit.params, after, found) ?? {}), ...output }
  if (left.length > 0) return failed(notTaken(left, done), left, registered)
  return module.waits === true ? ok(registered) : changed(found, registered)
}

function outputIn({ captured, completed }: Done): Registered {
  return captured ? outputOf(completed) : {}
}

/** A change that the probe never shows, such as a time that is set to now, cannot be left over. */
function shows({ step, params }: Unit, change: Change): boolean {
  return step.module.verifiable?.(params, [change]) !== false
}

interface Done {
  readonly completed: Completed
  readonly command: string
  readonly actions: readonly Action[]
  readonly captured: boolean
  /** The shell that has the answers: another one after a restart. */
  readonly lane: Lane
}

/** Sends the actions, the module's own questions again, and those of the coming tasks, as one frame. */
async function applyAndLookAgain(
  unit: Unit,
  found: readonly Change[],
  before: Registered,
  probes: Probes,
  lane: Lane,
  on: Ground,
): Promise<Done> {
  const { module } = unit.step
  const actions: readonly Action[] = module.apply(found, unit.params, before)
  const restart = actions.find(action => action.do === 'reboot')
  if (restart) return rebooted(restart, unit, probes, lane, on)
  for (const action of actions) if (action.do === 'keep') await keep(action, part => alone(part, lane, on))
  const prepared = await prepare(actions, { ...on, session: lane.session, env: unit.env })
  const touched = module.touches?.(found, unit.params)
  await on.lanes.drop(touched)
  on.paced(touched === undefined ? 'any change' : 'known change')
  const again = module.verifiable?.(unit.params, found) === false ? [] : Object.values(probes)
  const [completed] = await on.lanes.exchange(
    lane,
    [{ script: prepared.script, onOutput: on.onOutput }],
    [...again, ...on.coming(lane)],
    APPLY_DEADLINE_MS,
  )
  on.lanes.discard(lane, prepared.jobs)
  if (completed === undefined) throw new TaskError('NO_ANSWER', 'the host did not say how the change ended')
  return {
    completed,
    command: commandOf(actions),
    actions,
    captured: actions.some(action => action.do === 'run' && action.capture === true),
    lane,
  }
}

/** Nothing that was known of the host holds any longer: its shells are new, and so are its facts. */
async function rebooted(
  action: Action & { do: 'reboot' },
  { become }: Unit,
  probes: Probes,
  lane: Lane,
  on: Ground,
): Promise<Done> {
  const completed = await reboot(action, lane, { ...on, become })
  on.onRebooted()
  on.paced('any change')
  const fresh = await on.lanes.lane(become)
  await ask(Object.values(probes), fresh, on)
  return { completed, command: commandOf([action]), actions: [action], captured: true, lane: fresh }
}

async function alone(script: Sh, lane: Lane, on: Ground): Promise<Completed> {
  const [completed] = await on.lanes.exchange(lane, [{ script }], [], APPLY_DEADLINE_MS)
  if (completed === undefined) throw new TaskError('NO_ANSWER', 'the host did not answer')
  return completed
}

function endedBadly({ completed, command, actions }: Done, seconds: number | undefined): Failure {
  const write = actions.find(action => action.do === 'write')
  const failure = {
    ...commandFailure(completed, command),
    ...(completed.code === WRITE_FAILED && write ? failureOf(writeError(completed, write.path)) : {}),
  }
  if (seconds === undefined || completed.code !== TIMED_OUT) return failure
  return {
    ...failure,
    code: 'TIMEOUT',
    message: `the command was ended after ${seconds} s`,
    hint: 'raise `timeout`, or find out what it waits for',
  }
}

function notTaken(left: readonly Change[], done: Done): Failure {
  const what = left.map(change => `${change.kind} of ${change.what}`).join(', ')
  return {
    ...commandFailure(done.completed, done.command),
    code: 'NOT_CONVERGED',
    message: `the change was made but did not take: ${what}`,
  }
}

/** Says what an apply would do, over the changes planned so far; writes nothing. */
function foresee(unit: Unit, probes: Probes, lane: Lane, on: Ground): Outcome {
  const seen = observed(probes, lane)
  const outcome = foretell(unit, probes, seen, lane, on)
  return on.salt === undefined ? outcome : { ...outcome, fingerprint: fingerprint(seen, on.salt) }
}

function foretell(unit: Unit, probes: Probes, seen: Registered, lane: Lane, on: Ground): Outcome {
  const { module } = unit.step
  const asked = Object.values(probes)
  const looks = Object.entries(probes).map(
    ([name, probe]) => [name, on.overlay.look(probe, seen[name])] as const,
  )
  const state: Registered = Object.fromEntries(looks.map(([name, { value }]) => [name, value]))
  const doubt = looks.find(([, look]) => look.doubt !== undefined)?.[1].doubt
  const open = Object.values(state).find(value => value instanceof Unknown)
  if (open) return unknown(open.until)
  const found = differences(unit, state, asked, on)
  if (found instanceof Unknown) return unknown(found.until)
  on.onExplained?.(explained(unit, probes, state, found, lane))
  if (module.checkable?.(unit.params) === false) return uncheckable(unit, on)
  const wanted =
    on.mode === 'drift' ? found.filter(change => module.verifiable?.(unit.params, [change]) !== false) : found
  if (wanted.length === 0 && found.length > 0) return skipped('an action, not a state: nothing to compare')
  const clouded = module.reads === true && on.overlay.isClouded ? on.overlay.shadow(asked) : undefined
  const cause = wanted.length === 0 ? (doubt ?? clouded) : undefined
  const awaited = module.waits === true && wanted.length > 0 ? on.overlay.shadow(asked) : undefined
  if (cause !== undefined || awaited !== undefined) return unknown(cause ?? awaited ?? unit.title)
  if (wanted.length === 0) return ok(module.result?.(unit.params, state, found) ?? {})
  return plan(unit, wanted, state, probes, on)
}

function explained(
  { step, title, params }: Unit,
  probes: Probes,
  state: Registered,
  found: readonly Change[],
  lane: Lane,
): Explained {
  return {
    host: lane.session.host,
    task: title,
    at: place(step.at),
    module: step.module.name,
    probes: Object.entries(probes).map(([name, probe]) => ({
      name,
      question: probe.key,
      script: probe.family.script([probe.arg]).text,
      answer: state[name],
    })),
    changes: found,
    actions:
      found.length === 0
        ? []
        : (step.module.apply(found, params, state) as readonly Action[]).map(action => commandOf([action])),
  }
}

/** Where the module refuses and an earlier planned change may be what it lacks, nobody can know yet. */
function differences(
  unit: Unit,
  state: Registered,
  asked: readonly Probe<unknown>[],
  on: Ground,
): readonly Change[] | Unknown {
  try {
    return unit.step.module.diff(unit.params, state)
  } catch (error) {
    const cause = error instanceof TaskError ? on.overlay.shadow(asked) : undefined
    if (cause === undefined) throw error
    return new Unknown(cause)
  }
}

function plan(unit: Unit, found: readonly Change[], state: Registered, probes: Probes, on: Ground): Outcome {
  const { module } = unit.step
  const expected: Registered = module.expect?.(unit.params, state) ?? {}
  const own = Object.entries(probes).map(
    ([name, probe]) => [probe, name in expected ? expected[name] : new Unknown(unit.title)] as const,
  )
  const foretold = new Map([...own, ...(module.foretells?.(found, unit.params, state) ?? [])])
  on.overlay.add(
    {
      title: unit.title,
      touches: module.touches?.(found, unit.params),
      brings: module.brings?.(found, unit.params) ?? [],
    },
    module.verifiable?.(unit.params, found) === false ? new Map() : foretold,
  )
  const isForetold = Object.keys(probes).every(name => name in expected)
  const registered =
    isForetold && module.result ? module.result(unit.params, { ...state, ...expected }, found) : {}
  return wouldChange(found, registered)
}

function uncheckable(unit: Unit, on: Ground): Outcome {
  on.overlay.add({ title: unit.title, touches: undefined, brings: [] }, new Map())
  return uncheckableCommand(unit.title)
}

/** Returns the answers by the module's names; throws the failure of the first question that could not be answered. */
function observed(probes: Probes, lane: Lane): Registered {
  return Object.fromEntries(
    Object.entries(probes).map(([name, probe]) => {
      const answer = lane.answers.get(probe)
      if (answer === undefined) throw new TaskError('NO_ANSWER', `the host did not answer \`${probe.key}\``)
      if ('error' in answer) throw answer.error
      return [name, answer.value]
    }),
  )
}

/** Lets through what is the task's own matter; the loss of the host goes up to whoever holds the connection. */
function isTaskMatter(error: unknown): unknown {
  if (error instanceof TaskError) return error
  throw error
}
