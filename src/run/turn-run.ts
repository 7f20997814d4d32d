import { setTimeout as sleep } from 'node:timers/promises'
import { SourceError, TaskError } from '../base/error.ts'
import type { Registered } from '../base/result.ts'
import { Secret, type Redactor } from '../base/secret.ts'
import { Unknown } from '../base/unknown.ts'
import type { AnyModule } from '../modules/module.ts'
import { namesIncludedBy } from '../plan/included-vars.ts'
import { itemKey } from '../plan/saved.ts'
import { holds } from '../vars/condition.ts'
import { BACKUPS } from '../shell/backups.ts'
import { textNode, type MapNode } from '../syntax/node.ts'
import type { Layer, Scope } from '../vars/scope.ts'
import { auditScript } from './audit.ts'
import { LiveOutput } from './live-output.ts'
import { isLost } from './lost.ts'
import { memoryFor } from './memory.ts'
import { failed, failureOf, isLocked, reported, skipped, unknown, type Outcome } from './outcome.ts'
import { isLook, type Ground } from './ground.ts'
import { guardWish } from './guard-wish.ts'
import { decide } from './guarded.ts'
import { guardedBy } from './host-guard.ts'
import { settle } from './settle.ts'
import { flag, number, setsOf, text, titleOf } from './unit.ts'
import type { Turn } from './units.ts'
import { judge } from './verdict.ts'
import { about, type Place, type Spot } from './walk.ts'
import { withFacts } from './with-facts.ts'

/** One turn of a task with its verdict. */
export interface Finished {
  readonly item: unknown
  readonly outcome: Outcome
  /** The handlers it notifies have run already. */
  readonly isHandled?: boolean
}

/** How often and in what rhythm a task with `until` is tried, as in Ansible where not said. */
const RETRIES = 3
const DELAY_SECONDS = 5
const LONGEST_DELAY_SECONDS = 300

/** Settles one turn, again and again where `until` asks for it, and reports it. */
export async function runTurn(spot: Spot, turn: Turn): Promise<Finished> {
  const { walk, step } = spot
  const started = performance.now()
  walk.context.emit({ type: 'task_start', ...about(spot, turn) })
  const until = step.settings.keywords.get('until')
  const guard = placeOf(spot, turn)?.guard
  const isInside = guard?.isHeldBy(walk) === true
  let outcome = await attempt(spot, turn)
  if (until !== undefined && walk.context.mode === 'apply') {
    const tries = number(step, 'retries', turn.scope) ?? RETRIES
    for (let done = 1; !(await isMet(spot, turn, outcome)); done++) {
      if (done > tries) {
        outcome = notMet(outcome, done)
        break
      }
      await pause(spot, turn, done)
      outcome = await attempt(spot, turn)
      outcome = { ...outcome, registered: { ...outcome.registered, attempts: done + 1 } }
    }
  }
  const isOnTrial = guard?.isHeldBy(walk) === true && !isInside
  if (guard && isOnTrial) outcome = await decide(spot, turn, outcome, guard)
  return { ...finish(spot, turn, outcome, performance.now() - started), isHandled: isOnTrial }
}

/** Reports the outcome of a turn, or of a task that has none. */
export function finish(spot: Spot, turn: Turn | undefined, outcome: Outcome, ms: number): Finished {
  const { walk, step, kind } = spot
  const isHidden = turn !== undefined && flag(step, 'no_log', turn.scope) === true
  const ignored = isForgiven(spot, turn, outcome)
  walk.state.count(ignored ? 'ignored' : outcome.status)
  const register = step.settings.keywords.get('register')
  walk.context.emit({
    type: kind,
    ...about(spot, turn),
    ...reported(outcome, Math.round(ms), isHidden),
    ...(register?.kind === 'scalar' ? { register: register.text } : {}),
    ...(turn?.item === undefined || isHidden ? {} : { item: turn.item }),
    ...(turn?.label === undefined || isHidden ? {} : { label: turn.label }),
    ...(ignored ? { ignored } : {}),
  })
  tellPlanned(spot, turn, outcome)
  return { item: turn?.item, outcome }
}

function tellPlanned({ walk, step }: Spot, turn: Turn | undefined, outcome: Outcome): void {
  const { status, changes } = outcome
  if (walk.context.onPlanned === undefined || (status !== 'would_change' && status !== 'unknown')) return
  const item = { host: walk.state.host.name, task: step.id, turn: turn?.index ?? 0, title: step.title }
  const shown = walk.context.redactor.maskDeep(changes)
  walk.context.onPlanned({ ...item, status, fingerprint: outcome.fingerprint ?? '', changes: shown })
}

async function attempt(spot: Spot, turn: Turn): Promise<Outcome> {
  const outcome = await outcomeOf(spot, turn)
  try {
    return await withFacts(spot, () => judge(spot.step, outcome, scopeWith(spot, turn, outcome.registered)))
  } catch (error) {
    if (error instanceof SourceError || error instanceof TaskError)
      return failed(failureOf(error), outcome.changes, outcome.registered)
    throw error
  }
}

async function outcomeOf(spot: Spot, turn: Turn): Promise<Outcome> {
  const { walk, step } = spot
  const { resolved } = turn
  if (resolved instanceof Error) return failed(failureOf(resolved))
  if (resolved.kind === 'skip') return skipped(resolved.reason)
  if (resolved.kind === 'unknown') return unknownTask(spot, turn, resolved.until)
  const unit = {
    step,
    title: titleOf(step, turn.scope),
    params: resolved.params,
    env: resolved.env,
    become: turn.become,
  }
  const where = placeOf(spot, turn)
  if (where === undefined)
    return failed({
      code: 'NO_DELEGATE',
      message: 'the host the task is delegated to is not in the inventory',
    })
  try {
    hide(resolved.params, walk.context.redactor)
    const output = new LiveOutput((stream, lines) =>
      walk.context.emit({ type: 'task_output', ...about(spot, turn), stream, text: lines }),
    )
    const outcome = await settle(unit, groundOf(spot, turn, where, output)).finally(output.end)
    if (outcome.status === 'ok') takeOver(spot, resolved.params)
    return outcome
  } catch (error) {
    if (!isLost(error)) throw error
    if (where.guard.isHeldBy(walk)) {
      where.guard.linkDied()
      return failed(failureOf(error))
    }
    return lost(spot, turn, where, error)
  }
}

/** What a task leaves behind on the controller: variables of its host, hosts of later plays. */
function takeOver({ walk, step }: Spot, params: unknown): void {
  const { module } = step
  if (module.sets) walk.state.set(setsOf(module, params))
  if (module.includes) walk.state.include(layersOf(module.includes(params)))
  const { name } = walk.state.host
  if (module.adds) walk.context.roster.add(name, module.adds(params, name), step.at)
}

/** What the task would set or change is as unknown as the task. */
function unknownTask(spot: Spot, turn: Turn, until: string): Outcome {
  const { walk, step } = spot
  if (!isLook(step.module)) placeOf(spot, turn)?.overlay.addUnknown(titleOf(step, turn.scope))
  if (step.module.adds) walk.context.roster.addUnknown(until)
  const names = [
    ...(step.module.sets && step.args.kind === 'map' ? step.args.entries.map(({ key }) => key.text) : []),
    ...namesIncludedBy(step),
  ]
  if (names.length > 0) walk.state.set(Object.fromEntries(names.map(name => [name, new Unknown(until)])))
  return unknown(until)
}

/** The later of two files counts where both set a name. */
function layersOf({ from, under }: ReturnType<NonNullable<AnyModule['includes']>>): readonly Layer[] {
  const maps = from.maps.map(({ vars }) => vars as MapNode)
  const level = 'task'
  if (under === undefined)
    return maps.map((vars, index) => ({ level, origin: `include_vars ${from.files[index] ?? ''}`, vars }))
  const at = maps[0]?.at ?? { file: from.path, line: 1, col: 1, length: 1 }
  const value: MapNode = { kind: 'map', entries: maps.flatMap(({ entries }) => entries), at }
  const vars: MapNode = { kind: 'map', entries: [{ key: textNode(under, at), value }], at }
  return [{ level, origin: `include_vars ${from.path}`, vars }]
}

/** A lost host ends its walk, unless the task says that it reckons with it; then the next task connects anew. */
async function lost(spot: Spot, turn: Turn, where: Place, error: Error): Promise<Outcome> {
  const outcome: Outcome = { ...failed(failureOf(error)), status: 'unreachable' }
  if (flag(spot.step, 'ignore_unreachable', turn.scope) !== true) {
    finish(spot, turn, outcome, 0)
    throw error
  }
  await where.lanes.close()
  return outcome
}

/** Whatever secret reaches a module is masked from then on, derived ones included. */
function hide(value: unknown, redactor: Redactor): void {
  if (value instanceof Secret) redactor.add(value)
  else if (Array.isArray(value)) for (const item of value) hide(item, redactor)
  else if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
    hide(Object.values(value), redactor)
}

function placeOf({ walk, step }: Spot, turn: Turn): Place | undefined {
  const delegate = text(step, 'delegate_to', turn.scope)
  return delegate === undefined ? walk : walk.context.place(delegate)
}

function groundOf(spot: Spot, turn: Turn, where: Place, output: LiveOutput): Ground {
  const { walk, play, step, names } = spot
  const { context } = walk
  const [run, job] = [runOn(walk), nextJob(walk)]
  const seconds = number(step, 'timeout', turn.scope) ?? context.taskSeconds
  return {
    mode: flag(step, 'check_mode', turn.scope) === true && context.mode === 'apply' ? 'check' : context.mode,
    run,
    job,
    anew: () => nextJob(walk),
    memory: (lane, change) => memoryFor(spot, where, lane, { run, change }),
    backupDir: `${BACKUPS}/${context.run}`,
    wantsDiff: flag(step, 'diff', turn.scope) ?? context.wantsDiff,
    lanes: where.lanes,
    overlay: where.overlay,
    guard: (deed, lane) =>
      where.guard.before(deed, {
        owner: walk,
        token: `${run}-${job}`,
        title: titleOf(step, turn.scope),
        wish: guardWish(step, turn.scope),
        lane,
      }),
    guardedBy: (deed, lane) => guardedBy(deed, { wish: guardWish(step, turn.scope), lane }),
    trialMs: () => (where.guard.isHeldBy(walk) ? where.guard.leftMs : undefined),
    coming: lane => (where === walk ? walk.ahead.questions(play, [step, ...walk.coming], lane, names) : []),
    salt: context.salt,
    isAllowed:
      context.allowed?.has(itemKey({ host: walk.state.host.name, task: step.id, turn: turn.index })) ?? true,
    onExplained: context.onExplained,
    audit: auditOf(spot, turn),
    signal: context.signal,
    onRebooted: () => {
      if (where === walk) walk.state.forgetFacts()
    },
    ...(seconds === undefined ? {} : { seconds }),
    paced: made => {
      walk.ahead.pace(made)
    },
    onOutput: output.take,
  }
}

/** The run as it is called on the hosts: names of an inventory may stand for one machine. */
function runOn({ context, state }: Spot['walk']): string {
  return `${context.run}-${state.host.name.replace(/[^\w.-]/g, '_')}`
}

function nextJob(walk: Spot['walk']): number {
  walk.jobs += 1
  return walk.jobs
}

function auditOf(spot: Spot, turn: Turn): Ground['audit'] {
  const { operator, redactor, run } = spot.walk.context
  if (operator === undefined) return undefined
  const { task, module, at } = about(spot, turn)
  const isHidden = flag(spot.step, 'no_log', turn.scope) === true
  return changes => auditScript({ ...operator, run, task, module, at, changes, isHidden }, redactor)
}

async function isMet(spot: Spot, turn: Turn, outcome: Outcome): Promise<boolean> {
  if (outcome.status === 'skipped' || outcome.status === 'unreachable' || isLocked(outcome)) return true
  const until = spot.step.settings.keywords.get('until')
  if (until === undefined) return true
  return withFacts(spot, () => holds(until, scopeWith(spot, turn, outcome.registered)) === true)
}

function notMet(outcome: Outcome, attempts: number): Outcome {
  if (outcome.status === 'failed') return outcome
  const failure = { code: 'UNTIL_NOT_MET', message: `\`until\` does not hold after ${attempts} attempts` }
  return failed(failure, outcome.changes, outcome.registered)
}

/** Waits before the next attempt; what was asked before is asked again. */
async function pause(spot: Spot, turn: Turn, done: number): Promise<void> {
  const { walk, step } = spot
  const delay = number(step, 'delay', turn.scope) ?? DELAY_SECONDS
  const factor = (number(step, 'backoff', turn.scope) ?? 1) ** (done - 1)
  const seconds = Math.min(LONGEST_DELAY_SECONDS, delay * factor)
  await sleep(seconds * 1000, undefined, { signal: walk.context.signal })
  await walk.lanes.drop(undefined)
}

/** The names a turn sees, its own result included under the name it registers. */
function scopeWith({ walk, play, step, names }: Spot, turn: Turn, registered: Registered): Scope {
  const register = step.settings.keywords.get('register')
  const own = register?.kind === 'scalar' ? { [register.text]: registered } : {}
  return walk.state.scope(play, step, { ...names, ...turn.names, ...own })
}

function isForgiven({ walk, step }: Spot, turn: Turn | undefined, outcome: Outcome): boolean {
  if (outcome.status === 'unreachable')
    return turn !== undefined && flag(step, 'ignore_unreachable', turn.scope) === true
  if (outcome.status !== 'failed' || isLocked(outcome)) return false
  return walk.rescuers > 0 || (turn !== undefined && flag(step, 'ignore_errors', turn.scope) === true)
}
