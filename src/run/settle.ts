import { TaskError } from '../base/error.ts'
import type { Change, Completed, Failure, Registered } from '../base/result.ts'
import { Unknown } from '../base/unknown.ts'
import type { Action } from '../modules/module.ts'
import type { Probe, Probes } from '../probes/probe.ts'
import type { Sh } from '../shell/sh.ts'
import { isNotKept } from '../shell/change.ts'
import { WRITE_FAILED, writeError } from '../shell/write.ts'
import { foresee } from './foresee.ts'
import { isLook, observed, viewOf, type Case, type Ground, type Unit } from './ground.ts'
import { laneOrUnknown } from './lane-or-unknown.ts'
import type { Lane } from './lanes.ts'
import {
  changed,
  commandFailure,
  failed,
  failureOf,
  ok,
  outputOf,
  skipped,
  unknown,
  type Outcome,
} from './outcome.ts'
import { carryOut } from './carry-out.ts'
import { keep } from './keep.ts'
import { bePatient, reboot } from './return.ts'
import { APPLY_DEADLINE_MS, commandOf, deadlineOf, prepare, TIMED_OUT } from './perform.ts'

/** Asks, compares and, where the mode allows it, acts and looks again. Never throws for what belongs to the task alone. */
export async function settle(unit: Unit, on: Ground): Promise<Outcome> {
  const { module } = unit.step
  try {
    if (module.patience && on.mode === 'apply')
      await bePatient(module.patience(unit.params), { ...on, become: unit.become })
    if (module.controller === true) return onController(unit)
    const lane = await laneOrUnknown(unit.become, on)
    if (lane instanceof Unknown) {
      if (!isLook(module)) on.overlay.addUnknown(unit.title)
      return unknown(lane.until)
    }
    const probes: Probes = module.probe(unit.params, viewOf(lane, on))
    const one: Case = { unit, probes, lane, on }
    await ask(one)
    return on.mode === 'apply' ? await act(one) : foresee(one)
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

function onController({ step: { module }, params }: Unit): Outcome {
  try {
    module.diff(params, {})
    return ok(module.result?.(params, {}, []) ?? {})
  } catch (error) {
    return failed(failureOf(isTaskMatter(error)))
  }
}

/** Makes sure every question has an answer that holds, asking the coming tasks' questions along with them. */
async function ask({ probes, lane, on }: Case): Promise<void> {
  const open = (): readonly Probe<unknown>[] =>
    Object.values(probes).filter(probe => lane.answers.get(probe) === undefined)
  if (open().length === 0) return
  // Answers from before a cut do not hold after it, so there may be more to ask then.
  for (let left = open(); left.length > 0; left = open())
    await on.lanes.exchange(lane, [], [...left, ...on.coming(lane)], 0)
  on.paced('nothing')
}

/** How often what was cut off is begun again, where that is safe. */
const BEGINNINGS = 3

async function act(one: Case, beginnings = 1): Promise<Outcome> {
  const { unit, on } = one
  const { module } = unit.step
  const before = observed(one)
  const found: readonly Change[] = module.diff(unit.params, before)
  if (found.length === 0) return ok(module.result?.(unit.params, before, found) ?? {})
  if (!on.isAllowed) return skipped('it differs, but the plan does not hold it')
  const done = await applyAndLookAgain(one, found, before)
  if (done === 'undecided') return undecided(one, found, beginnings)
  if (done.completed.code !== 0) return failed(endedBadly(done, on.seconds), found, outputIn(done))
  const output = done.captured && module.said ? module.said(unit.params, done.completed) : outputIn(done)
  const isVerifiable = module.verifiable?.(unit.params, found) !== false
  const after = isVerifiable ? observed({ ...one, lane: done.lane }) : before
  const left = isVerifiable
    ? module.diff(unit.params, after).filter((change: Change) => shows(unit, change))
    : []
  const registered = { ...module.result?.(unit.params, after, found), ...output }
  if (left.length > 0) return failed(notTaken(left, done), left, registered)
  return module.waits === true ? ok(registered) : changed(found, registered)
}

/** A change of which nothing tells how far it came: what the host is like now tells, where it can be asked. */
async function undecided(one: Case, found: readonly Change[], beginnings: number): Promise<Outcome> {
  const { unit, on } = one
  const canBeAsked = unit.step.module.verifiable?.(unit.params, found) !== false
  if (!canBeAsked || beginnings === BEGINNINGS) return failed(UNDECIDED, found)
  const rest = await act({ ...one, on: { ...on, job: on.anew() } }, beginnings + 1)
  return rest.status === 'ok' ? changed(found, rest.registered) : rest
}

/** What was begun and cannot be asked for. */
const UNDECIDED: Failure = {
  code: 'UNDECIDED',
  message: 'it was begun on the host and did not come to an end there; how far it came is not known',
  hint: 'look at the host; the task is not repeated by itself, because it may not be safe to do it twice',
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
  one: Case,
  found: readonly Change[],
  before: Registered,
): Promise<Done | 'undecided'> {
  const { unit, probes, lane, on } = one
  const { module } = unit.step
  await on.lanes.own(lane, module.name)
  const actions: readonly Action[] = module.apply(found, unit.params, before)
  const touched = module.touches?.(found, unit.params)
  const deed = { module: module.name, params: unit.params, changes: found, actions, touches: touched }
  await on.guard(deed, lane)
  const restart = actions.find(action => action.do === 'reboot')
  if (restart) return rebooted(restart, one, found)
  for (const action of actions) if (action.do === 'keep') await keep(action, part => alone(part, lane, on))
  await on.lanes.drop(touched)
  on.paced(touched === undefined ? 'any change' : 'known change')
  const again = module.verifiable?.(unit.params, found) === false ? [] : Object.values(probes)
  const once = again.length === 0 ? unit.step.module.name : undefined
  const completed = await carryOut({
    lane,
    lanes: on.lanes,
    prepare: () =>
      prepare(actions, { ...on, ...on.memory(lane, on.job), session: lane.session, env: unit.env, once }),
    after: on.audit?.(found),
    probes: () => [...again, ...on.coming(lane)],
    deadlineMs: on.trialMs() ?? deadlineOf(actions, on.seconds),
    onOutput: on.onOutput,
  })
  if (completed === 'undecided') return completed
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
  one: Case,
  found: readonly Change[],
): Promise<Done> {
  const { lane, on } = one
  const audit = on.audit?.(found)
  if (audit) await alone(audit, lane, on)
  const { become } = one.unit
  const completed = await reboot(action, lane, { ...on, become })
  on.onRebooted()
  on.paced('any change')
  const fresh = await on.lanes.lane(become)
  await ask({ ...one, lane: fresh })
  return { completed, command: commandOf([action]), actions: [action], captured: true, lane: fresh }
}

/** Asks something that may be asked twice. */
async function alone(script: Sh, lane: Lane, on: Ground): Promise<Completed> {
  for (;;) {
    try {
      const [completed] = await on.lanes.exchange(lane, [{ script }], [], APPLY_DEADLINE_MS)
      if (completed === undefined) throw new TaskError('NO_ANSWER', 'the host did not answer')
      on.lanes.fine()
      return completed
    } catch (error) {
      if (!on.lanes.isCut(error)) throw error
      await on.lanes.comeBack(lane, error)
    }
  }
}

function endedBadly({ completed, command, actions }: Done, seconds: number | undefined): Failure {
  const write = actions.find(action => action.do === 'write')
  const failure = {
    ...commandFailure(completed, command),
    ...(completed.code === WRITE_FAILED && write ? failureOf(writeError(completed, write.path)) : {}),
  }
  if (isNotKept(completed))
    return {
      ...failure,
      code: 'NOT_KEPT',
      message: 'the host cannot write down what is to be done after the change; it was not made',
      hint: 'free space on the file system of `/var/lib/msingi`, or look why it cannot be written',
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

/** Lets through what is the task's own matter; the loss of the host goes up to whoever holds the connection. */
function isTaskMatter(error: unknown): unknown {
  if (error instanceof TaskError) return error
  throw error
}
