import { place } from '../base/event.ts'
import { findUnknown, Unknown } from '../base/unknown.ts'
import { leaves } from '../plan/leaves.ts'
import type { BlockStep, IncludeStep, MetaStep, PlanItem, PlannedPlay, Section, Step } from '../plan/step.ts'
import { holds } from '../vars/condition.ts'
import { render } from '../vars/render.ts'
import type { HostState } from './host-state.ts'
import { Lanes, isLost } from './lanes.ts'
import { LookAhead } from './look-ahead.ts'
import { failureOf } from './outcome.ts'
import { Overlay } from './overlay.ts'
import { runTask, Stop, type Names, type RunContext, type Walk } from './task-run.ts'
import { Turns } from './units.ts'

/** One object, so that what was worked out without loop variables is found again. */
const NO_NAMES: Names = {}

/** Walks one host through the plays of a run. Nothing is thrown for what goes wrong on the host: it ends up in the events. */
export class HostRun {
  readonly state: HostState
  readonly #context: RunContext
  readonly #lanes: Lanes
  readonly #walk: Walk
  readonly #started = performance.now()

  constructor(state: HostState, context: RunContext) {
    this.state = state
    this.#context = context
    const { name } = state.host
    this.#lanes = new Lanes(name, context.connect, context.signal, (ms, warnings) =>
      context.emit({ type: 'host_connected', host: name, ms, warnings }),
    )
    const turns = new Turns(state, context.become)
    const ahead = new LookAhead(turns, state, context.wantsDiff)
    this.#walk = {
      state,
      context,
      turns,
      ahead,
      lanes: this.#lanes,
      overlay: new Overlay(),
      coming: [],
      rescuers: 0,
      jobs: 0,
    }
  }

  /** Runs a play; afterwards `state` says whether the host is still in. */
  async play(play: PlannedPlay): Promise<void> {
    try {
      for (const section of play.sections) await this.#section(play, section)
    } catch (error) {
      if (error instanceof Stop) {
        if (error.why === 'failed') await this.#lastHandlers(play)
        this.state.isOut ||= error.why !== 'end_play'
        return
      }
      if (this.#context.signal.aborted) this.state.isOut = true
      else this.#lose(error)
    }
  }

  /** Closes the connection and reports the host's counts. */
  async end(): Promise<void> {
    const usage = await this.#lanes.usage()
    await this.#lanes.close()
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

  async #section(play: PlannedPlay, section: Section): Promise<void> {
    await this.#items(play, section.items, NO_NAMES)
    await this.#flush(play)
  }

  async #items(play: PlannedPlay, items: readonly PlanItem[], local: Names): Promise<void> {
    const rest = this.#walk.coming
    const sequence = [...leaves(items)]
    const position = new Map(sequence.map((step, index) => [step, index]))
    const enter = (step: Step): void => {
      this.#walk.coming = [...sequence.slice((position.get(step) ?? -1) + 1), ...rest]
    }
    for (const item of items) await this.#item(play, item, local, enter)
    this.#walk.coming = rest
  }

  async #item(play: PlannedPlay, item: PlanItem, local: Names, enter: (step: Step) => void): Promise<void> {
    this.#context.signal.throwIfAborted()
    switch (item.kind) {
      case 'task':
        enter(item)
        return runTask(this.#walk, play, item, local, 'task_done')
      case 'block':
        return this.#block(play, item, local)
      case 'include':
        return this.#include(play, item, local)
      case 'meta':
        return this.#meta(play, item, local)
    }
  }

  async #block(play: PlannedPlay, block: BlockStep, local: Names): Promise<void> {
    const canRescue = block.rescue.length > 0
    try {
      if (canRescue) this.#walk.rescuers += 1
      await this.#items(play, block.body, local).finally(() => {
        if (canRescue) this.#walk.rescuers -= 1
      })
    } catch (error) {
      if (!canRescue || !(error instanceof Stop) || error.why !== 'failed') throw error
      await this.#items(play, block.rescue, local)
    } finally {
      if (!this.#context.signal.aborted && this.state.lost === undefined)
        await this.#items(play, block.always, local)
    }
  }

  async #include(play: PlannedPlay, step: IncludeStep, local: Names): Promise<void> {
    const scope = this.state.scope(play, step, local)
    const verdicts = step.settings.when.map(condition => holds(condition, scope))
    if (verdicts.includes(false)) return
    const target = render(step.target, scope)
    const from = step.tasksFrom ? render(step.tasksFrom, scope) : undefined
    const open = findUnknown([...verdicts, target, from])
    if (open) return this.#unknownInclude(step, open)
    await this.#items(play, step.load(String(target), from === undefined ? undefined : String(from)), local)
  }

  #unknownInclude(step: IncludeStep, open: Unknown): void {
    const message = `the tasks of \`${step.title}\` are unknown until \`${open.until}\``
    this.#context.emit({ type: 'warning', host: this.state.host.name, at: place(step.at), message })
  }

  async #meta(play: PlannedPlay, step: MetaStep, local: Names): Promise<void> {
    const scope = this.state.scope(play, step, local)
    if (!step.settings.when.every(condition => holds(condition, scope) === true)) return
    switch (step.action) {
      case 'flush_handlers':
        return this.#flush(play)
      case 'reset_connection':
        return this.#lanes.close()
      case 'end_host':
      case 'end_play':
        throw new Stop(step.action)
      case 'noop':
    }
  }

  /** A failed host still gets the handlers it owes: a changed configuration must not wait for the next run to be loaded. */
  async #lastHandlers(play: PlannedPlay): Promise<void> {
    try {
      await this.#flush(play)
    } catch (error) {
      if (!(error instanceof Stop)) this.#lose(error)
    }
  }

  /** Runs notified handlers in the order of their definition; they may notify others. Drift looks at states, not at actions. */
  async #flush(play: PlannedPlay): Promise<void> {
    if (this.#context.mode === 'drift') this.state.pending.clear()
    while (this.state.pending.size > 0) {
      const handler = play.handlers.find(step => this.state.pending.has(step))
      if (handler === undefined) return this.state.pending.clear()
      this.state.pending.delete(handler)
      await runTask(this.#walk, play, handler, NO_NAMES, 'handler_done')
    }
  }

  /** The host takes no further part: it cannot be reached any more, or an error of ours made its state unknowable. */
  #lose(error: unknown): void {
    if (!isLost(error)) throw error
    this.state.lost = failureOf(error)
    this.state.isOut = true
    if (this.state.counts.unreachable === 0) this.state.count('unreachable')
  }
}
