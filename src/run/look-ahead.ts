import { Unknown } from '../base/unknown.ts'
import type { PlannedPlay, Step } from '../plan/step.ts'
import type { Probe } from '../probes/probe.ts'
import type { HostState } from './host-state.ts'
import type { Lane } from './lanes.ts'
import { viewOf } from './ground.ts'
import type { Turn, Turns } from './units.ts'

/** Tasks looked at in one frame: at first, after a change that may have altered anything, and at most. */
const FIRST = 64
const AFTER_ANY_CHANGE = 8
const MOST = 512
/** Questions in one frame at most; a longer frame would delay the first answer. */
const MOST_PROBES = 600

/** Chooses which questions of coming tasks travel with the next frame. */
export class LookAhead {
  readonly #turns: Turns
  readonly #state: HostState
  readonly #wantsDiff: boolean
  #window = FIRST

  constructor(turns: Turns, state: HostState, wantsDiff: boolean) {
    this.#turns = turns
    this.#state = state
    this.#wantsDiff = wantsDiff
  }

  /** A frame without news widens the window, a change nobody can foretell narrows it. */
  pace(made: 'nothing' | 'known change' | 'any change'): void {
    if (made === 'any change') this.#window = AFTER_ANY_CHANGE
    if (made === 'nothing') this.#window = Math.min(MOST, this.#window * 2)
  }

  /** Returns the open questions of the coming tasks that run in this shell, facts first. */
  questions(
    play: PlannedPlay,
    coming: readonly Step[],
    lane: Lane,
    names: Readonly<Record<string, unknown>>,
  ): readonly Probe<unknown>[] {
    const open = new Map<string, Probe<unknown>>()
    for (const fact of this.#state.openFacts(play)) open.set(fact.key, fact)
    for (const step of coming.slice(0, this.#window)) {
      if (open.size >= MOST_PROBES) break
      for (const probe of this.#ofStep(play, step, lane, names))
        if (lane.answers.get(probe) === undefined) open.set(probe.key, probe)
    }
    return [...open.values()]
  }

  /** A task whose texts cannot be settled yet asks nothing now; its problem shows when its turn comes. */
  #ofStep(
    play: PlannedPlay,
    step: Step,
    lane: Lane,
    names: Readonly<Record<string, unknown>>,
  ): readonly Probe<unknown>[] {
    if (step.module.controller === true) return []
    try {
      const turns = this.#turns.of(play, step, names)
      if (turns instanceof Unknown) return []
      return turns.flatMap(turn => this.#ofTurn(step, turn, lane))
    } catch {
      return []
    }
  }

  #ofTurn(step: Step, turn: Turn, lane: Lane): readonly Probe<unknown>[] {
    if (turn.resolved instanceof Error || turn.resolved.kind !== 'ready') return []
    const user = turn.become?.user
    const isHere = user === undefined ? lane.become === undefined : lane.become?.user === user
    if (!isHere) return []
    return Object.values(
      step.module.probe(turn.resolved.params, viewOf(lane, { wantsDiff: this.#wantsDiff })) as Record<
        string,
        Probe<unknown>
      >,
    )
  }
}
