import type { HostCounts, Mode } from '../base/event.ts'

/** Exit statuses of a run; 4 (the project is wrong) is decided before one starts. */
const FAILED = 1
const DIFFERENT = 2
const UNREACHABLE = 3
const INTERRUPTED = 130

/** Returns the exit status for what happened; with several, the first of interrupted, failed, unreachable, different. */
export function exitCode(counts: HostCounts, mode: Mode, isInterrupted: boolean): number {
  if (isInterrupted) return INTERRUPTED
  if (counts.failed > 0) return FAILED
  if (counts.unreachable > 0) return UNREACHABLE
  return mode !== 'apply' && counts.would_change > 0 ? DIFFERENT : 0
}
