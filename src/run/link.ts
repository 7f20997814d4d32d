import { setTimeout as sleep } from 'node:timers/promises'
import { ConnectError } from '../base/error.ts'
import { isFinal, isLost, isRefused, pauseAfterRefusal } from './lost.ts'

/** A link that was cut, and is there again. */
export interface Back {
  readonly ms: number
  readonly attempts: number
}

/** As many cuts in a row mean that what is sent does not get through. */
const MOST_CUTS = 30
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 15_000

/** How a run bears with one host's link: whether it is worth waiting for, and for how long. */
export class Link {
  readonly #host: string
  readonly #seconds: number
  readonly #signal: AbortSignal
  readonly #isHeld: () => boolean
  #goneMs = 0
  #cuts = 0

  /**
   * `seconds` is the longest that the host may be away between two things that got through; 0 for not waiting at all. While it is held, a cut
   * is somebody else's matter.
   */
  constructor(host: string, seconds: number, signal: AbortSignal, isHeld: () => boolean = () => false) {
    this.#host = host
    this.#seconds = seconds
    this.#signal = signal
    this.#isHeld = isHeld
  }

  get seconds(): number {
    return this.#seconds
  }

  /** Returns whether the error means that the link was cut and can be waited for. */
  isCut(error: unknown): error is ConnectError {
    const isCut = error instanceof ConnectError && error.stage === 'lost'
    return isCut && this.#seconds > 0 && !this.#signal.aborted && !this.#isHeld()
  }

  /** Says that something got through: patience begins anew. */
  fine(): void {
    this.#goneMs = 0
    this.#cuts = 0
  }

  /**
   * Connects again, with pauses that grow.
   *
   * @throws ConnectError with stage `lost` where time is up or waiting cannot help.
   */
  async restore<T>(cut: ConnectError, connect: () => Promise<T>): Promise<Back & { readonly result: T }> {
    const began = performance.now()
    this.#cuts += 1
    let final = 0
    let refusals = 0
    for (let attempts = 1; ; attempts += 1) {
      const rest = refusals === 0 ? pauseMs(attempts + this.#cuts - 1) : pauseAfterRefusal(refusals)
      await sleep(rest, undefined, { signal: this.#signal })
      try {
        const result = await connect()
        const ms = performance.now() - began
        this.#goneMs += ms
        return { result, ms: Math.round(ms), attempts }
      } catch (error) {
        this.#signal.throwIfAborted()
        if (!isLost(error)) throw error
        // Twice in a row: a line may garble a key.
        final = isFinal(error) ? final + 1 : 0
        refusals = isRefused(error) ? refusals + 1 : 0
        const rest = refusals === 0 ? 0 : pauseAfterRefusal(refusals)
        const isLate = this.#goneMs + performance.now() - began + rest > this.#seconds * 1000
        if (final > 1 || isLate || this.#cuts > MOST_CUTS) throw this.#giveUp(cut, error)
      }
    }
  }

  #giveUp(cut: ConnectError, last: Error): ConnectError {
    const message = `${cut.message}; it was not reached again within ${this.#seconds} s: ${last.message}`
    return new ConnectError(this.#host, 'lost', message, {
      hint: 'run the playbook again once the host can be reached; `ssh: { reconnect: SECONDS }` in the inventory says how long to try',
      cause: last,
    })
  }
}

/** Random, so that all hosts behind one link do not come at once. */
function pauseMs(attempt: number): number {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1))
  return longest * (0.5 + Math.random() / 2)
}
