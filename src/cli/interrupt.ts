import { EXIT } from './exit.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The person does not want to go on. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/** A run that can be stopped from outside. */
export interface Interruptible {
  readonly signal: AbortSignal
  /** Signals mean again what they meant before. */
  readonly release: () => void
}

/**
 * Makes the first Ctrl-C (or a polite signal) a clean stop: running changes end, nothing new is begun. The second ends
 * the process at once.
 */
export function interruptible(say: (line: string) => void): Interruptible {
  const controller = new AbortController()
  function stop(signal: NodeJS.Signals): void {
    if (controller.signal.aborted) process.exit(EXIT.interrupted)
    say(`${signal}: stopping when what is being changed is done; once more stops at once`)
    controller.abort(new Error(`interrupted by ${signal}`))
  }
  for (const signal of SIGNALS) process.on(signal, stop)
  return {
    signal: controller.signal,
    release() {
      for (const signal of SIGNALS) process.off(signal, stop)
    },
  }
}
