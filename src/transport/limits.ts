import { setTimeout as sleep } from 'node:timers/promises'

/** Lets a number of jobs run at once; the others wait in order of arrival. */
export interface Gate {
  readonly run: <T>(job: () => Promise<T>, signal: AbortSignal) => Promise<T>
}

/** Gates for handshakes: one for all of them, and one for each jump host. */
export interface HandshakeLimits {
  readonly run: <T>(gateway: string | undefined, job: () => Promise<T>, signal: AbortSignal) => Promise<T>
}

/** sshd starts to drop connections at random when ten are not yet logged in (`MaxStartups 10:30:100`). */
const PLACES_PER_GATEWAY = 8

/** A handshake costs about 20 ms of CPU here; more of them at once only makes each of them slower. */
const LEAST_PLACES = 16

/** Returns the limits of this process. */
export function makeHandshakeLimits(cores: number): HandshakeLimits {
  const everywhere = makeGate(Math.max(LEAST_PLACES, 2 * cores))
  const gateways = new Map<string, Gate>()

  function gateOf(gateway: string): Gate {
    const gate = gateways.get(gateway) ?? makeGate(PLACES_PER_GATEWAY)
    gateways.set(gateway, gate)
    return gate
  }

  return {
    run: (gateway, job, signal) =>
      gateway === undefined
        ? everywhere.run(job, signal)
        : gateOf(gateway).run(() => everywhere.run(job, signal), signal),
  }
}

export function makeGate(places: number): Gate {
  const waiting: (() => void)[] = []
  let free = places

  async function enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (free > 0) {
      free--
      return
    }
    await new Promise<void>((resolve, reject) => {
      const admit = (): void => {
        signal.removeEventListener('abort', giveUp)
        resolve()
      }
      const giveUp = (): void => {
        waiting.splice(waiting.indexOf(admit), 1)
        reject(signal.reason as Error)
      }
      signal.addEventListener('abort', giveUp, { once: true })
      waiting.push(admit)
    })
  }

  function leave(): void {
    const next = waiting.shift()
    if (next) next()
    else free++
  }

  return {
    run: async (job, signal) => {
      await enter(signal)
      try {
        return await job()
      } finally {
        leave()
      }
    },
  }
}

/** The server hung up before it said who it is, as sshd does when too many connections are not yet logged in. */
export class EarlyDrop extends Error {
  override readonly name = 'EarlyDrop'
}

/** How often a dropped connection is tried again, and how long the first wait may be. */
const RETRIES = 3
const FIRST_WAIT_MS = 400

/** Runs the job again, after a random wait that doubles, as long as it ends with an early drop. */
export async function retryEarlyDrops<T>(job: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let retry = 0; ; retry++) {
    try {
      return await job()
    } catch (error) {
      if (!(error instanceof EarlyDrop) || retry === RETRIES) throw error
    }
    const longest = FIRST_WAIT_MS * 2 ** retry
    await sleep(longest / 2 + (Math.random() * longest) / 2, undefined, { signal })
  }
}
