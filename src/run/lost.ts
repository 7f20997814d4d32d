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

/** Returns whether the host answered and let nobody in. */
export function isRefused(error: unknown): boolean {
  return error instanceof ConnectError && (error.stage === 'auth' || error.stage === 'become')
}

/**
 * Returns how long to wait after so many refusals in a row, in milliseconds: four tries in ten minutes, for fail2ban shuts whoever fails more
 * often out of the host, five being its usual measure. A host that is starting may refuse everybody for some seconds.
 */
export function pauseAfterRefusal(refusals: number): number {
  return 10_000 * 4 ** (refusals - 1)
}
