import { ConnectError, DeadlineError } from '../base/error.ts'

/** Returns whether the error means that the host is lost for the run, not just the task. */
export function isLost(error: unknown): error is ConnectError | DeadlineError {
  return error instanceof ConnectError || error instanceof DeadlineError
}
