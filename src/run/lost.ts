import { ConnectError, DeadlineError } from '../base/error.ts'

const FINAL_STAGES: readonly string[] = ['config', 'hostkey', 'protocol']

/** Returns whether the error means that the host is lost for the run, not just the task. */
export function isLost(error: unknown): error is ConnectError | DeadlineError {
  return error instanceof ConnectError || error instanceof DeadlineError
}

/** Returns whether waiting cannot help: settings, keys and hosts that lie do not get better by it. */
export function isFinal(error: unknown): boolean {
  return error instanceof ConnectError && FINAL_STAGES.includes(error.stage)
}
