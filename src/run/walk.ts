import { place, type Mode } from '../base/event.ts'
import type { Redactor } from '../base/secret.ts'
import type { SavedItem } from '../plan/saved.ts'
import type { PlannedPlay, Step } from '../plan/step.ts'
import type { Connect } from '../transport/session.ts'
import type { HostState } from './host-state.ts'
import type { Operator } from './audit.ts'
import type { LockWish } from './host-lock.ts'
import type { Lanes } from './lanes.ts'
import type { LookAhead } from './look-ahead.ts'
import type { HostGuard } from './host-guard.ts'
import type { Emit } from './outcome.ts'
import type { Overlay } from './overlay.ts'
import type { Ground } from './ground.ts'
import type { OwedHandlers } from './owed.ts'
import type { Roster } from './roster.ts'
import type { Stage } from './stage.ts'
import { titleOf } from './unit.ts'
import type { DefaultBecome, Turn, Turns } from './units.ts'

/** What all hosts of a run share. */
export interface RunContext {
  readonly mode: Mode
  readonly run: string
  readonly wantsDiff: boolean
  readonly connect: Connect
  readonly signal: AbortSignal
  readonly emit: Emit
  readonly redactor: Redactor
  readonly become: DefaultBecome
  /** How hosts are kept from other runs; they are not where it is not given. */
  readonly lock?: LockWish | undefined
  /** Who the hosts' journals name for the changes; they are told nothing where it is not given. */
  readonly operator?: Operator | undefined
  /** The longest each command of a task may take that has no `timeout`; an hour where it is not given. */
  readonly taskSeconds?: number | undefined
  /** Hosts and groups of the run. */
  readonly roster: Pick<Roster, 'add' | 'addUnknown'>
  /** Returns the host a task is delegated to; undefined where the inventory does not know it. */
  readonly place: (host: string) => Place | undefined
  /** Key for the fingerprints of a plan that is kept. */
  readonly salt?: string | undefined
  /** Told of each task that a plan would change or cannot foretell. */
  readonly onPlanned?: ((item: SavedItem) => void) | undefined
  /** Items that may be applied; all where it is not given. */
  readonly allowed?: ReadonlySet<string> | undefined
  /** Whether hosts keep in mind what they owe, beyond the run. */
  readonly remembers: boolean
  /** Plays of the run, for what hosts owe from a run before. */
  readonly plays: readonly PlannedPlay[]
  /** Told how each task is worked out; for `explain`. */
  readonly onExplained?: Ground['onExplained']
}

/** Where tasks happen: the shells of a host and what is planned for it. */
export interface Place {
  readonly lanes: Lanes
  readonly overlay: Overlay
  readonly guard: HostGuard
  readonly owed: OwedHandlers
}

/** Where one host stands in its walk through a play. */
export interface Walk extends Place {
  readonly state: HostState
  readonly context: RunContext
  readonly turns: Turns
  readonly ahead: LookAhead
  /** Tasks after the present one, as they run when nothing fails. */
  coming: readonly Step[]
  /** Blocks with a `rescue` around the present task. */
  rescuers: number
  /** Runs these handlers now, and those that they notify. */
  readonly runHandlers: (spot: Spot, handlers: readonly Step[]) => Promise<void>
  /** Jobs started so far. */
  jobs: number
  /** The task that failed last, for `rescue`. */
  failed: { readonly task: string; readonly result: unknown } | undefined
}

/** Variables of loops and includes around a task. */
export type Names = Readonly<Record<string, unknown>>

/** One task on one host in one batch of a play. */
export interface Spot {
  readonly walk: Walk
  readonly stage: Stage
  readonly play: PlannedPlay
  readonly step: Step
  readonly names: Names
  readonly kind: 'task_done' | 'handler_done'
}

/** Ends the walk through a play on this host. */
export class Stop extends Error {
  readonly why: 'failed' | 'locked' | 'end_host' | 'end_play' | 'stage'

  constructor(why: Stop['why']) {
    super(why)
    this.why = why
  }
}

/** Returns what every event says of the task it is about. */
export function about(
  { walk, play, step }: Spot,
  turn?: Turn,
): { host: string; play: string; task: string; module: string; at: string } {
  return {
    host: walk.state.host.name,
    play: play.name,
    task: turn ? titleOf(step, turn.scope) : step.title,
    module: step.module.name,
    at: place(step.at),
  }
}
