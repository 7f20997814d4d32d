import type { Failure } from '../base/result.ts'
import type { Step } from '../plan/step.ts'
import { render } from '../vars/render.ts'
import { MORE_TIME, type HostGuard, type Trial } from './host-guard.ts'
import { isLost } from './lost.ts'
import { failed, type Outcome } from './outcome.ts'
import type { Turn } from './units.ts'
import { Stop, type Spot } from './walk.ts'

/**
 * Decides about a change that is on trial: the handlers it notifies run now, because they may be what puts it into effect; then it is kept over a
 * fresh connection, or taken back. What failed is taken back as well: half a change is not worth keeping where people may be locked out.
 */
export async function decide(spot: Spot, turn: Turn, outcome: Outcome, guard: HostGuard): Promise<Outcome> {
  const cause = outcome.status === 'changed' ? await handlersFailed(spot, turn) : outcome.failure?.message
  const isSound = outcome.status !== 'failed' && cause === undefined
  const trial = isSound ? await guard.prove() : undefined
  if (trial?.is === 'kept') return outcome
  const end =
    trial?.is === 'taken back' ? trial : await guard.takeBack(() => !spot.walk.context.signal.aborted)
  return failed(verdict(outcome, cause, trial, end), outcome.changes, outcome.registered)
}

/** Returns the handlers that the task notifies. */
export function notifiedBy({ walk, play, step, names }: Spot): readonly Step[] {
  const scope = walk.state.scope(play, step, names)
  const topics = step.settings.notify.map(topic => String(render(topic, scope)))
  return play.handlers.filter(handler => handler.topics.some(topic => topics.includes(topic)))
}

/** Returns why a handler that the task notified failed, or nothing. */
async function handlersFailed(spot: Spot, turn: Turn): Promise<string | undefined> {
  try {
    await spot.walk.runHandlers(spot, notifiedBy({ ...spot, names: { ...spot.names, ...turn.names } }))
    return undefined
  } catch (error) {
    if (error instanceof Stop) return `the handler \`${spot.walk.failed?.task ?? ''}\` failed`
    if (isLost(error)) return error.message
    throw error
  }
}

function verdict(outcome: Outcome, cause: string | undefined, trial: Trial | undefined, end: Trial): Failure {
  const did = end.is === 'taken back' ? { stdout: [...end.did, ...end.along.map(also)].join('\n') } : {}
  const fate = fateOf(end)
  if (outcome.failure) return { ...did, ...outcome.failure, message: `${outcome.failure.message}; ${fate}` }
  if (cause !== undefined) return { code: 'GUARD_HANDLER_FAILED', message: `${cause}; ${fate}`, ...did }
  if (trial?.is === 'unreachable')
    return {
      code: 'LOCKED_OUT',
      message: `no new connection could be opened after the change (${trial.why}); ${fate}`,
      hint: 'correct the change; nobody could have logged in with it',
      ...did,
    }
  return {
    code: 'GUARD_EXPIRED',
    message: `the change was not proved in time; ${fate}`,
    hint: MORE_TIME,
    ...did,
  }
}

function also(task: string): string {
  return `took back as well: ${task}`
}

function fateOf(end: Trial): string {
  if (end.is === 'taken back') return 'the host has taken it back'
  if (end.is === 'unreachable')
    return `the host takes it back by itself, but could not be asked whether it has (${end.why})`
  return 'the host does not know what became of it'
}
