import type { Change, Failure, Registered, Status } from './result.ts'
import type { Span } from './span.ts'

/** What every event carries. `time` is ISO 8601 in UTC, `run` the run's identifier. */
interface Stamp {
  readonly time: string
  readonly run: string
}

export interface HostCounts {
  readonly ok: number
  readonly changed: number
  readonly would_change: number
  readonly unknown: number
  readonly skipped: number
  readonly failed: number
  readonly unreachable: number
  /** Failures that `ignore_errors` or a `rescue` took care of; not in `failed`. */
  readonly ignored: number
}

/** The name of what is done with the playbook. */
export type Mode = 'apply' | 'check' | 'plan' | 'drift'

interface At {
  readonly host: string
  readonly play: string
  readonly task: string
  readonly module: string
  /** `file:line:col` of the task. */
  readonly at: string
}

export type EventBody =
  | {
      readonly type: 'run_start'
      readonly mode: Mode
      readonly playbooks: readonly string[]
      readonly hosts: readonly string[]
    }
  | {
      readonly type: 'play_start'
      readonly play: string
      readonly at: string
      readonly hosts: readonly string[]
    }
  | {
      readonly type: 'host_connected'
      readonly host: string
      readonly ms: number
      readonly warnings: readonly string[]
    }
  | {
      /** The link was cut; what was begun on the host goes on, and the run tries to come back for so many seconds. */
      readonly type: 'host_lost'
      readonly host: string
      readonly failure: Failure
      readonly seconds: number
    }
  | {
      readonly type: 'host_reconnected'
      readonly host: string
      /** How long the host was away. */
      readonly ms: number
      readonly attempts: number
      /** The host was started anew meanwhile. */
      readonly restarted: boolean
    }
  | ({ readonly type: 'task_start' } & At)
  | ({ readonly type: 'task_output'; readonly stream: 'stdout' | 'stderr'; readonly text: string } & At)
  | ({ readonly type: 'task_done' } & At & TaskOutcome)
  | ({ readonly type: 'handler_done' } & At & TaskOutcome)
  | {
      readonly type: 'host_done'
      readonly host: string
      readonly counts: HostCounts
      readonly frames: number
      readonly bytes_sent: number
      readonly bytes_received: number
      readonly ms: number
      /** Present where the host was lost: why. */
      readonly failure?: Failure
    }
  | { readonly type: 'warning'; readonly message: string; readonly host?: string; readonly at?: string }
  | { readonly type: 'run_done'; readonly counts: HostCounts; readonly exit: number; readonly ms: number }

export interface TaskOutcome {
  readonly status: Status
  readonly changes: readonly Change[]
  /** What `register` would hold, masked. */
  readonly result: Registered
  /** The name given to `register`. */
  readonly register?: string
  /** The loop's value, for one event an item. */
  readonly item?: unknown
  /** What is printed for the item. */
  readonly label?: string
  /** Milliseconds from the first question to the verdict. */
  readonly ms: number
  readonly failure?: Failure
  /** The failure was taken care of by `ignore_errors` or `rescue`. */
  readonly ignored?: boolean
  /** Why it was skipped, or until which task its outcome is unknown. */
  readonly reason?: string
  /** Nothing could be compared: a command without `creates`, `removes` or `unless`. */
  readonly uncheckable?: boolean
}

/** Everything a run says; reporters see nothing else. Events leave the run masked. */
export type Event = EventBody & Stamp
export type EventType = Event['type']

/** Takes events in order. */
export interface Reporter {
  readonly report: (event: Event) => void
  /** Called once, after the last event; resolves when everything is written. */
  readonly end: () => Promise<void>
}

/** Returns `file:line:col` for events. */
export function place(at: Span): string {
  return `${at.file}:${at.line}:${at.col}`
}
