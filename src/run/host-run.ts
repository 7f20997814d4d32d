import { SourceError, TaskError } from '../base/error.ts'
import { place } from '../base/event.ts'
import { findUnknown, Unknown } from '../base/unknown.ts'
import { leaves } from '../plan/leaves.ts'
import { inMap, literalBoolean } from '../plan/settings.ts'
import { itemKey } from '../plan/saved.ts'
import type { BlockStep, IncludeStep, MetaStep, PlanItem, PlannedPlay, Section, Step } from '../plan/step.ts'
import type { Connect } from '../transport/session.ts'
import { holds } from '../vars/condition.ts'
import { render } from '../vars/render.ts'
import { GuardNews } from './guard-news.ts'
import { HostHealth } from './health.ts'
import { HostGuard } from './host-guard.ts'
import { HostLock } from './host-lock.ts'
import type { HostState } from './host-state.ts'
import type { Kept } from './kept.ts'
import { Lanes, type LaneWays } from './lanes.ts'
import { Link } from './link.ts'
import { LookAhead } from './look-ahead.ts'
import { isLost } from './lost.ts'
import { failed, failureOf, isLocked, reported } from './outcome.ts'
import { Overlay } from './overlay.ts'
import { handlerName, OwedHandlers, SELF } from './owed.ts'
import type { Recalled } from './recall.ts'
import type { Stage } from './stage.ts'
import { runTask } from './task-run.ts'
import { loopItems } from './unit.ts'
import { Turns } from './units.ts'
import { Stop, type Names, type Place, type RunContext, type Spot, type Walk } from './walk.ts'
import { withFacts } from './with-facts.ts'

/** One object, so that what was worked out without loop variables is found again. */
const NO_NAMES: Names = {}
const NOBODY: ReadonlySet<Step> = new Set()

/** How long a host whose link was cut is tried to be reached again, where its inventory does not say. */
const RECONNECT_SECONDS = 300

/** Walks one host through the plays of a run. Nothing is thrown for what goes wrong on the host: it ends up in the events. */
export class HostRun {
  readonly state: HostState
  readonly #context: RunContext
  readonly #lanes: Lanes
  readonly #owed: OwedHandlers
  readonly #walk: Walk
  #play: PlannedPlay | undefined
  readonly #started = performance.now()
  #isReported = false

  constructor(state: HostState, context: RunContext) {
    this.state = state
    this.#context = context
    const { name } = state.host
    this.#owed = new OwedHandlers(context.mode)
    const connect: Connect = (host, signal, way) => context.connect(host, signal, way ?? guard.way)
    const warn = (message: string): void => context.emit({ type: 'warning', host: name, message })
    const news = new GuardNews(context.mode, warn, token => guard.holds(token))
    this.#lanes = new Lanes(
      name,
      connect,
      context.signal,
      this.#laneWays(news, () => guard.leftMs !== undefined),
    )
    const guard = new HostGuard(name, connect, this.#lanes, news)
    const turns = new Turns(state, context.become)
    const ahead = new LookAhead(turns, state, context.wantsDiff)
    this.#walk = {
      state,
      context,
      turns,
      ahead,
      lanes: this.#lanes,
      overlay: new Overlay(),
      guard,
      runHandlers: ({ stage }, handlers) => this.#runHandlers(stage, handlers),
      owed: this.#owed,
      coming: [],
      rescuers: 0,
      jobs: 0,
      failed: undefined,
    }
  }

  /** Where tasks that are delegated to this host happen. */
  get place(): Place {
    return this.#walk
  }

  /** Runs a play, or some tasks of it; afterwards `state` says whether the host is still in. */
  async play(stage: Stage, sections: readonly Section[] = stage.play.sections): Promise<void> {
    try {
      this.#takeUp(stage.play)
      for (const section of sections) await this.#section(stage, section)
    } catch (error) {
      await this.#stopped(stage, error)
    } finally {
      stage.leave(this.state.host.name)
    }
  }

  async #stopped(stage: Stage, error: unknown): Promise<void> {
    if (this.#context.signal.aborted) this.state.isOut = true
    else if (!(error instanceof Stop)) this.#lose(error)
    else {
      const isForced = literalBoolean(stage.play.play.keywords, 'force_handlers') !== false
      if (isForced && (error.why === 'failed' || error.why === 'stage')) await this.#lastHandlers(stage)
      this.state.isOut ||= error.why !== 'end_play'
      this.state.hasFailed ||= error.why === 'failed' || error.why === 'locked'
    }
    const ends = this.state.hasFailed || this.state.lost !== undefined
    if (ends && literalBoolean(stage.play.play.keywords, 'any_errors_fatal') === true) stage.end()
  }

  /** Closes the connection and reports the host's counts, once. */
  async end(): Promise<void> {
    await this.#lanes.close()
    if (this.#isReported) return
    this.#isReported = true
    const usage = await this.#lanes.usage()
    const { counts, host, lost } = this.state
    this.#context.emit({
      type: 'host_done',
      host: host.name,
      counts,
      frames: usage.frames,
      bytes_sent: usage.bytesSent,
      bytes_received: usage.bytesReceived,
      ms: Math.round(performance.now() - this.#started),
      ...(lost ? { failure: lost } : {}),
    })
  }

  /** Handlers of this play that the host owes from a run before. */
  #takeUp(play: PlannedPlay): void {
    this.#play = play
    for (const handler of this.#owed.of(play)) this.state.pending.add(handler)
  }

  /** What is cut while a change is on trial is the guard's matter. */
  #laneWays(news: GuardNews, isOnTrial: () => boolean): LaneWays {
    const { emit, signal, mode, lock } = this.#context
    const { name: host, reach } = this.state.host
    const warn = (message: string): void => emit({ type: 'warning', host, message })
    const link = new Link(host, reach.reconnect ?? RECONNECT_SECONDS, signal, isOnTrial)
    return {
      link,
      lock: new HostLock(lock, mode, signal, new HostHealth(warn), warn),
      news,
      onConnected: (ms, warnings) => emit({ type: 'host_connected', host, ms, warnings }),
      onCut: cut => emit({ type: 'host_lost', host, failure: failureOf(cut), seconds: link.seconds }),
      onBack: ({ ms, attempts }, isRestarted) => {
        if (isRestarted) this.state.forgetFacts()
        emit({ type: 'host_reconnected', host, ms, attempts, restarted: isRestarted })
      },
      ...(this.#context.remembers && { onRecalled: (kept, recalled) => this.#recall(kept, recalled) }),
    }
  }

  /** What the host says it owes belongs to it, or to another one whose task was delegated to it. */
  #recall(kept: Kept, { owed, runs }: Recalled): void {
    const fresh = owed.filter(one => !kept.runs.has(one.run))
    for (const run of runs) kept.runs.add(run)
    kept.isStale ||= this.#context.mode === 'apply' && runs.length > 0 && kept.owed.size + fresh.length === 0
    for (const one of fresh) {
      kept.owed.add(one)
      const of = one.host === SELF ? this.#owed : this.#context.place(one.host)?.owed
      of?.found(kept, one)
    }
    const names = new Set(
      this.#context.plays.flatMap(play => play.handlers.map(step => handlerName(play, step))),
    )
    for (const { handler, run } of fresh.filter(one => one.host === SELF && !names.has(one.handler)))
      this.#context.emit({
        type: 'warning',
        host: this.state.host.name,
        message: `the host owes the handler \`${handler}\` since run ${run}; no play of this run has it`,
      })
    if (this.#play) this.#takeUp(this.#play)
  }

  async #section(stage: Stage, section: Section): Promise<void> {
    await this.#items(stage, section.items, NO_NAMES)
    await this.#flush(stage)
  }

  async #items(stage: Stage, items: readonly PlanItem[], local: Names): Promise<void> {
    const rest = this.#walk.coming
    const sequence = [...leaves(items)]
    const position = new Map(sequence.map((step, index) => [step, index]))
    const enter = (step: Step): void => {
      this.#walk.coming = [...sequence.slice((position.get(step) ?? -1) + 1), ...rest]
    }
    for (const item of items) await this.#item(stage, item, local, enter)
    this.#walk.coming = rest
  }

  async #item(stage: Stage, item: PlanItem, local: Names, enter: (step: Step) => void): Promise<void> {
    this.#context.signal.throwIfAborted()
    switch (item.kind) {
      case 'task':
        enter(item)
        return runTask(this.#spot(stage, item, local, 'task_done'))
      case 'block':
        return this.#block(stage, item, local)
      case 'include':
        return this.#include(stage, item, local)
      case 'meta':
        return this.#meta(stage, item, local)
    }
  }

  async #block(stage: Stage, block: BlockStep, local: Names): Promise<void> {
    const canRescue = block.rescue.length > 0
    try {
      if (canRescue) this.#walk.rescuers += 1
      await this.#items(stage, block.body, local).finally(() => {
        if (canRescue) this.#walk.rescuers -= 1
      })
    } catch (error) {
      if (!canRescue || !(error instanceof Stop) || error.why !== 'failed') throw error
      this.state.set({
        ansible_failed_task: { name: this.#walk.failed?.task },
        ansible_failed_result: this.#walk.failed?.result,
      })
      await this.#items(stage, block.rescue, local)
    } finally {
      if (!this.#context.signal.aborted && this.state.lost === undefined)
        await this.#items(stage, block.always, local)
    }
  }

  async #include(stage: Stage, step: IncludeStep, local: Names): Promise<void> {
    const loop = step.settings.keywords.get('loop')
    if (loop === undefined) return this.#includeOnce(stage, step, local)
    const items = await this.#judged(stage, step, local, () =>
      loopItems(loop, this.state.scope(stage.play, step, local)),
    )
    if (items instanceof Unknown) return this.#unknownInclude(step, items)
    const control = inMap(step.settings.keywords.get('loop_control'), 'loop_var')
    const name = control?.kind === 'scalar' ? control.text : 'item'
    for (const item of items) await this.#includeOnce(stage, step, { ...local, [name]: item })
  }

  async #includeOnce(stage: Stage, step: IncludeStep, local: Names): Promise<void> {
    const items = await this.#judged(stage, step, local, () => {
      const scope = this.state.scope(stage.play, step, local)
      const verdicts = step.settings.when.map(condition => holds(condition, scope))
      if (verdicts.includes(false)) return []
      const target = render(step.target, scope)
      const from = step.tasksFrom ? render(step.tasksFrom, scope) : undefined
      return (
        findUnknown([...verdicts, target, from]) ??
        step.load(written(target), from === undefined ? undefined : written(from))
      )
    })
    if (items instanceof Unknown) return this.#unknownInclude(step, items)
    await this.#items(stage, items, local)
  }

  /** Works out what an include or meta task says; a problem in its texts fails the host as a failed task does. */
  async #judged<T>(stage: Stage, step: IncludeStep | MetaStep, names: Names, work: () => T): Promise<T> {
    try {
      return await withFacts({ walk: this.#walk, play: stage.play, step, names }, work)
    } catch (error) {
      if (!(error instanceof SourceError || error instanceof TaskError)) throw error
      const outcome = failed(failureOf(error))
      this.state.count('failed')
      const task = step.kind === 'include' ? step.title : step.action
      const where = { play: stage.play.name, module: step.kind, at: place(step.at) }
      const about = { host: this.state.host.name, task, ...where }
      this.#context.emit({ type: 'task_done', ...about, ...reported(outcome, 0, false) })
      throw new Stop(isLocked(outcome) ? 'locked' : 'failed')
    }
  }

  #unknownInclude(step: IncludeStep, open: Unknown): void {
    const message = `the tasks of \`${step.title}\` are unknown until \`${open.until}\``
    this.#context.emit({ type: 'warning', host: this.state.host.name, at: place(step.at), message })
  }

  async #meta(stage: Stage, step: MetaStep, local: Names): Promise<void> {
    const isWanted = await this.#judged(stage, step, local, () => {
      const scope = this.state.scope(stage.play, step, local)
      return step.settings.when.every(condition => holds(condition, scope) === true)
    })
    if (!isWanted) return
    switch (step.action) {
      case 'flush_handlers':
        return this.#flush(stage)
      case 'reset_connection':
        return this.#lanes.close()
      case 'end_host':
      case 'end_play':
        throw new Stop(step.action)
      case 'noop':
    }
  }

  /** A failed host still gets the handlers it owes: a changed configuration must not wait for the next run to be loaded. */
  async #lastHandlers(stage: Stage): Promise<void> {
    try {
      await this.#flush(stage)
    } catch (error) {
      if (!(error instanceof Stop)) this.#lose(error)
    }
  }

  /** Runs notified handlers in the order of their definition; they may notify others. Drift looks at states, not at actions. */
  async #flush(stage: Stage, spared: ReadonlySet<Step> = NOBODY): Promise<void> {
    if (this.#context.mode === 'drift') this.state.pending.clear()
    while (this.state.pending.size > spared.size) {
      const handler = stage.play.handlers.find(step => this.state.pending.has(step) && !spared.has(step))
      if (handler === undefined) return this.#restore(spared)
      await runTask(this.#spot(stage, handler, NO_NAMES, 'handler_done')).finally(() =>
        this.state.pending.delete(handler),
      )
      if (this.#isAllowed(handler)) this.#owed.done(handlerName(stage.play, handler))
    }
  }

  /** Under a guard handlers run before their time; where they fail, nothing of them is owed any more. */
  async #runHandlers(stage: Stage, handlers: readonly Step[]): Promise<void> {
    const spared = new Set([...this.state.pending].filter(step => !handlers.includes(step)))
    for (const handler of handlers) this.state.pending.add(handler)
    try {
      await this.#flush(stage, spared)
    } catch (error) {
      this.#restore(spared)
      throw error
    }
  }

  #restore(pending: ReadonlySet<Step>): void {
    this.state.pending.clear()
    for (const step of pending) this.state.pending.add(step)
  }

  /** A saved plan may leave a handler out; it is owed further on. */
  #isAllowed(handler: Step): boolean {
    const item = { host: this.state.host.name, task: handler.id, turn: 0 }
    return this.#context.allowed?.has(itemKey(item)) !== false
  }

  #spot(stage: Stage, step: Step, names: Names, kind: Spot['kind']): Spot {
    return { walk: this.#walk, stage, play: stage.play, step, names, kind }
  }

  /** The host takes no further part: it cannot be reached any more, or an error of ours made its state unknowable. */
  #lose(error: unknown): void {
    if (!isLost(error)) throw error
    this.state.lost = failureOf(error)
    this.state.isOut = true
    if (this.state.counts.unreachable === 0) this.state.count('unreachable')
  }
}

/** The name of a file or role: a text, or a number that stands for one. */
function written(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  throw new TaskError('BAD_NAME', 'an include leads to something that is not a name')
}
