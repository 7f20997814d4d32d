import type { Connect, Connection } from '../transport/session.ts'

/** What is being changed may take so long to come to its end once the run's time is over. */
const GRACE_SECONDS = 15

/** Holds a run to its time. */
export interface RunDeadline {
  /** Aborts when the time is over, or when the given signal does. */
  readonly signal: AbortSignal
  /** Opens connections that are cut when the grace is over as well. */
  readonly connect: Connect
  readonly release: () => void
}

/**
 * Ends a run when its time is over, as the first Ctrl-C does, and a little later whatever still waits for a host. What has begun as a job
 * goes on there.
 */
export function runDeadline(
  seconds: number | undefined,
  stop: AbortSignal,
  connect: Connect,
  warn: (message: string) => void,
): RunDeadline {
  if (seconds === undefined) return { signal: stop, connect, release: () => undefined }
  const over = new AbortController()
  const open = new Set<Connection>()
  let isCut = false
  const cut = setTimeout(
    () => {
      isCut = true
      for (const connection of open) void connection.close()
    },
    (seconds + GRACE_SECONDS) * 1000,
  )
  const end = setTimeout(() => {
    warn(
      `the ${seconds} s of this run are over; what is being changed has ${GRACE_SECONDS} s to come to its end`,
    )
    over.abort(new Error('the time of the run is over'))
  }, seconds * 1000)
  return {
    signal: AbortSignal.any([stop, over.signal]),
    connect: async (...how) => {
      const connection = await connect(...how)
      if (isCut) void connection.close()
      open.add(connection)
      return {
        ...connection,
        close: async () => {
          open.delete(connection)
          await connection.close()
        },
      }
    },
    release: () => {
      clearTimeout(end)
      clearTimeout(cut)
    },
  }
}
