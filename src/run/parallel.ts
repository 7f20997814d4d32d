/** Calls the function for every item, at most `width` at a time; waits for all, then throws the first error there was. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  const errors: unknown[] = []
  const worker = async (): Promise<void> => {
    for (const item of queue) {
      try {
        await work(item)
      } catch (error) {
        errors.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, Math.min(width, items.length)) }, worker))
  if (errors.length > 0) throw errors[0]
}

/** Lets a bounded number of pieces of work through at a time, in the order in which they came. */
export class Gate {
  readonly #width: number
  readonly #queue: (() => void)[] = []
  #inside = 0

  constructor(width: number) {
    this.#width = width
  }

  async through<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside >= this.#width) await new Promise<void>(resolve => this.#queue.push(resolve))
    else this.#inside += 1
    try {
      return await work()
    } finally {
      const next = this.#queue.shift()
      if (next) next()
      else this.#inside -= 1
    }
  }
}
