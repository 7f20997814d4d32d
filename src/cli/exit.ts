/** Exit statuses; with several reasons the one that stands first here wins. */
export const EXIT = {
  /** Done, or no difference. */
  done: 0,
  /** A bug of ours. */
  bug: 70,
  /** Stopped by a signal. */
  interrupted: 130,
  /** The project or the command line is wrong; nothing was contacted. */
  usage: 4,
  /** A task failed on a host. */
  failed: 1,
  /** A host could not be reached. */
  unreachable: 3,
  /** Differences found where nothing is written. */
  different: 2,
} as const

const ORDER = [
  EXIT.bug,
  EXIT.interrupted,
  EXIT.usage,
  EXIT.failed,
  EXIT.unreachable,
  EXIT.different,
  EXIT.done,
] as const

/** Returns the status that tells most of several. */
export function worst(statuses: Iterable<number>): number {
  const found = new Set(statuses)
  return ORDER.find(status => found.has(status)) ?? EXIT.done
}
