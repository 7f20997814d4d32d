import { ConnectError, DeadlineError, SourceError, TaskError } from '../base/error.ts'
import type { EventBody, HostCounts, TaskOutcome } from '../base/event.ts'
import type { Change, Completed, Failure, Registered, Status } from '../base/result.ts'
import { showSpan } from '../base/span.ts'

/** How one task, or one item of its loop, ended on a host, before it is numbered, masked and reported. */
export interface Outcome {
  readonly status: Status
  readonly changes: readonly Change[]
  readonly registered: Registered
  readonly failure?: Failure
  readonly reason?: string
  readonly uncheckable?: boolean
  /** Keyed hash of what a plan observed. */
  readonly fingerprint?: string
  /** The planned task that has to be applied before anything can be said. */
  readonly until?: string
}

export function ok(registered: Registered): Outcome {
  return {
    status: 'ok',
    changes: [],
    registered: { changed: false, failed: false, skipped: false, ...registered },
  }
}

export function changed(changes: readonly Change[], registered: Registered): Outcome {
  return {
    status: 'changed',
    changes,
    registered: { changed: true, failed: false, skipped: false, ...registered },
  }
}

export function skipped(reason: string): Outcome {
  return {
    status: 'skipped',
    changes: [],
    registered: { changed: false, failed: false, skipped: true, skip_reason: reason },
    reason,
  }
}

/** A planned change: that it changes is known, what its command would print is not. */
export function wouldChange(changes: readonly Change[], foretold: Registered): Outcome {
  return {
    status: 'would_change',
    changes,
    registered: { changed: true, failed: false, skipped: false, ...foretold },
  }
}

/** Nothing can be said until the named task is applied. */
export function unknown(until: string): Outcome {
  return { status: 'unknown', changes: [], registered: { skipped: false }, reason: until, until }
}

/** A command that nothing can be compared with: what it will have done is unknown until it runs. */
export function uncheckableCommand(title: string): Outcome {
  return { ...unknown(title), reason: 'it is run', uncheckable: true }
}

export function failed(
  failure: Failure,
  changes: readonly Change[] = [],
  registered: Registered = {},
): Outcome {
  return {
    status: 'failed',
    changes,
    registered: { changed: false, skipped: false, ...registered, failed: true, msg: failure.message },
    failure,
  }
}

/** Returns whether it failed because the host is not ours to change. */
export function isLocked({ failure }: Outcome): boolean {
  return failure?.code === 'LOCKED' || failure?.code === 'LOCK_UNUSABLE'
}

/** Returns whether it was begun on the host and nothing tells how far it came. */
export function isUndecided({ failure }: Outcome): boolean {
  return failure?.code === 'UNDECIDED'
}

/** Returns the failure an error stands for; an error of ours that none of this explains is thrown on. */
export function failureOf(error: unknown): Failure {
  if (error instanceof TaskError) return withHint({ code: error.code, message: error.message }, error.hint)
  if (error instanceof SourceError)
    return withHint({ code: error.code, message: `${showSpan(error.at)}: ${error.message}` }, error.hint)
  if (error instanceof ConnectError) {
    return withHint({ code: `CONNECT_${error.stage.toUpperCase()}`, message: error.message }, error.hint)
  }
  if (error instanceof DeadlineError) return { code: 'DEADLINE', message: error.message }
  throw error
}

/** Returns the failure of a command that ended with a code other than 0. */
export function commandFailure(completed: Completed, command: string): Failure {
  return {
    code: 'COMMAND_FAILED',
    message: `the command ended with code ${completed.code}`,
    command,
    rc: completed.code,
    stdout: completed.out,
    stderr: completed.err,
  }
}

/** Returns what `register` holds of a command's output. */
export function outputOf(completed: Completed): Registered {
  return {
    rc: completed.code,
    stdout: withoutLastNewline(completed.out),
    stderr: withoutLastNewline(completed.err),
    stdout_lines: linesOf(completed.out),
    stderr_lines: linesOf(completed.err),
  }
}

const NO_COUNTS: HostCounts = {
  ok: 0,
  changed: 0,
  would_change: 0,
  unknown: 0,
  skipped: 0,
  failed: 0,
  unreachable: 0,
  ignored: 0,
}

/** Returns the sum of counts, field by field. */
export function sumCounts(all: Iterable<HostCounts>): HostCounts {
  const sum: Record<keyof HostCounts, number> = { ...NO_COUNTS }
  for (const counts of all)
    for (const key of Object.keys(sum) as (keyof HostCounts)[]) sum[key] += counts[key]
  return sum
}

/** Returns the reported part of an outcome. */
export function reported(
  outcome: Outcome,
  ms: number,
  hidden: boolean,
): Pick<TaskOutcome, 'status' | 'changes' | 'result' | 'ms'> & Partial<TaskOutcome> {
  const { status, changes, registered, until: _until, fingerprint: _fingerprint, ...rest } = outcome
  if (!hidden) return { status, changes, result: registered, ms, ...rest }
  const censored = { censored: 'hidden by no_log', changed: registered['changed'] }
  const failure = outcome.failure
    ? { failure: { code: outcome.failure.code, message: 'hidden by no_log' } }
    : {}
  return { status, changes: [], result: censored, ms, ...failure }
}

/** An event before the run stamps it. */
export type Emit = (event: EventBody) => void

function withHint(failure: Failure, hint: string | undefined): Failure {
  return hint === undefined ? failure : { ...failure, hint }
}

function withoutLastNewline(text: string): string {
  return text.replace(/\r?\n$/, '')
}

function linesOf(text: string): string[] {
  return text === '' ? [] : withoutLastNewline(text).split(/\r?\n/)
}
