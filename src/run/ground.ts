import { TaskError } from '../base/error.ts'
import type { Mode } from '../base/event.ts'
import type { Change, Registered } from '../base/result.ts'
import type { Deed } from './guard-scope.ts'
import type { AnyModule, HostView } from '../modules/module.ts'
import type { Step } from '../plan/step.ts'
import type { Probe, Probes } from '../probes/probe.ts'
import type { Sh } from '../shell/sh.ts'
import type { Become } from '../transport/session.ts'
import type { Lane, Lanes } from './lanes.ts'
import type { Overlay } from './overlay.ts'
import type { Ways } from './perform.ts'

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
  /** Returns the number for another job of the unit. */
  readonly anew: () => number
  /** Says that the job of that number is about to be sent in that shell, and returns what the host is to keep in mind with it. */
  readonly memory: (lane: Lane, job: number) => Pick<Ways, 'owes' | 'owedTo' | 'settles'>
  /** Directory on the host that keeps what this run replaced. */
  readonly backupDir: string
  readonly wantsDiff: boolean
  /** The longest the task's commands may take on the host. */
  readonly seconds?: number
  readonly lanes: Lanes
  /** Makes the host ready to take back what is about to be done, where that is due. */
  readonly guard: (deed: Deed, lane: Lane) => Promise<void>
  /** Says in words why and for how long a change would be on trial; undefined where it would not be. */
  readonly guardedBy: (deed: Deed, lane: Lane) => string | undefined
  /** Milliseconds within which a change that is on trial must be done. */
  readonly trialMs: () => number | undefined
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
  /** Returns what tells the host's journal of a change, to be sent right behind it. */
  readonly audit?: ((changes: readonly Change[]) => Sh) | undefined
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
  /** Why the change would be on trial, and how long. */
  readonly guard: string | undefined
}

/** A unit with its questions, in the shell that is asked. */
export interface Case {
  readonly unit: Unit
  readonly probes: Probes
  readonly lane: Lane
  readonly on: Ground
}

/** Returns whether the module leaves every host as it is: it looks, waits, or works on the controller alone. */
export function isLook({ controller, reads, waits }: AnyModule): boolean {
  return controller === true || reads === true || waits === true
}

/** Returns what a module may know of the host when it chooses its questions. */
export function viewOf(lane: Lane, on: Pick<Ground, 'wantsDiff'>): HostView {
  const { host, user, uid, login } = lane.session
  return { name: host, user, uid, login, wantsDiff: on.wantsDiff }
}

/** Returns the answers by the module's names; throws the failure of the first question that could not be answered. */
export function observed({ probes, lane }: Pick<Case, 'probes' | 'lane'>): Registered {
  return Object.fromEntries(
    Object.entries(probes).map(([name, probe]) => {
      const answer = lane.answers.get(probe)
      if (answer === undefined) throw new TaskError('NO_ANSWER', `the host did not answer \`${probe.key}\``)
      if ('error' in answer) throw answer.error
      return [name, answer.value]
    }),
  )
}
