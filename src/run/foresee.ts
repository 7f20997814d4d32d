import { TaskError } from '../base/error.ts'
import { place } from '../base/event.ts'
import type { Change, Registered } from '../base/result.ts'
import { Unknown } from '../base/unknown.ts'
import type { Action } from '../modules/module.ts'
import { fingerprint } from './fingerprint.ts'
import { isLook, observed, type Case, type Explained, type Unit } from './ground.ts'
import { ok, skipped, uncheckableCommand, unknown, wouldChange, type Outcome } from './outcome.ts'
import { commandOf } from './perform.ts'

/** Says what an apply would do, over the changes planned so far; writes nothing. */
export function foresee(one: Case): Outcome {
  const seen = observed(one)
  const outcome = foretell(one, seen)
  if (outcome.status === 'unknown' && mayChange(one.unit)) one.on.overlay.addUnknown(one.unit.title)
  return one.on.salt === undefined ? outcome : { ...outcome, fingerprint: fingerprint(seen, one.on.salt) }
}

function foretell(one: Case, seen: Registered): Outcome {
  const { unit, probes, on } = one
  const { module } = unit.step
  const looks = Object.entries(probes).map(
    ([name, probe]) => [name, on.overlay.look(probe, seen[name])] as const,
  )
  const state: Registered = Object.fromEntries(looks.map(([name, { value }]) => [name, value]))
  const open = Object.values(state).find(value => value instanceof Unknown)
  if (open) return unknown(open.until)
  const found = differences(one, state)
  if (found instanceof Unknown) return unknown(found.until)
  on.onExplained?.(explained(one, state, found))
  if (module.checkable?.(unit.params) === false) return uncheckable(one)
  const wanted = on.mode === 'drift' ? found.filter(change => isState(one, change)) : found
  if (wanted.length === 0 && found.length > 0) return skipped('an action, not a state: nothing to compare')
  const doubt = looks.find(([, look]) => look.doubt !== undefined)?.[1].doubt
  const cause = openCause(one, wanted, doubt)
  if (cause !== undefined) return unknown(cause)
  if (wanted.length === 0) return ok(module.result?.(unit.params, state, found) ?? {})
  return plan(one, wanted, state)
}

/** What nobody can say of a task that only looks leaves the host as it is all the same. */
function mayChange({ step: { module }, params }: Unit): boolean {
  return !isLook(module) && module.touches?.([], params)?.length !== 0
}

/** A restart is done each time; it is nothing that a host can have or lack. */
function isState({ unit }: Case, change: Change): boolean {
  return unit.step.module.verifiable?.(unit.params, [change]) !== false
}

/** Returns the planned task on which it hangs whether the verdict holds, where it hangs on one. */
function openCause(
  { unit, probes, on }: Case,
  wanted: readonly Change[],
  doubt: string | undefined,
): string | undefined {
  const { module } = unit.step
  const asked = Object.values(probes)
  if (wanted.length > 0) return module.waits === true ? on.overlay.shadow(asked) : undefined
  return doubt ?? (module.reads === true && on.overlay.isClouded ? on.overlay.shadow(asked) : undefined)
}

function explained({ unit, probes, lane, on }: Case, state: Registered, found: readonly Change[]): Explained {
  const { step, title, params } = unit
  const actions: readonly Action[] = found.length === 0 ? [] : step.module.apply(found, params, state)
  const touches = step.module.touches?.(found, params)
  const deed = { module: step.module.name, params, changes: found, actions, touches }
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
    actions: actions.map(action => commandOf([action])),
    guard: found.length === 0 ? undefined : on.guardedBy(deed, lane),
  }
}

/** Where the module refuses and an earlier planned change may be what it lacks, nobody can know yet. */
function differences({ unit, probes, on }: Case, state: Registered): readonly Change[] | Unknown {
  try {
    return unit.step.module.diff(unit.params, state)
  } catch (error) {
    const { overlay } = on
    const cause =
      error instanceof TaskError ? (overlay.shadow(Object.values(probes)) ?? overlay.uncertain) : undefined
    if (cause === undefined) throw error
    return new Unknown(cause)
  }
}

function plan({ unit, probes, on }: Case, found: readonly Change[], state: Registered): Outcome {
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

function uncheckable({ unit, on }: Case): Outcome {
  on.overlay.add({ title: unit.title, touches: undefined, brings: [] }, new Map())
  return uncheckableCommand(unit.title)
}
