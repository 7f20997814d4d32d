/**
 * A value that cannot be known yet, because an earlier task that would settle it was only planned.
 * It travels through templates, conditions, loops and registered results; it is never taken for a real value.
 */
export class Unknown {
  /** What has to happen first, in words: the name of the task that was only planned. */
  readonly until: string
  /** Fields that are known all the same: that a planned task changes something is known, what it will print is not. */
  readonly known: Readonly<Record<string, unknown>>

  constructor(until: string, known: Readonly<Record<string, unknown>> = {}) {
    this.until = until
    this.known = known
  }

  toString(): string {
    return `‹unknown until ${this.until}›`
  }

  toJSON(): string {
    return this.toString()
  }
}

/** Returns the first unknown inside plain data, or undefined where everything is known. */
export function findUnknown(data: unknown): Unknown | undefined {
  if (data instanceof Unknown) return data
  if (Array.isArray(data)) return firstUnknown(data)
  if (data !== null && typeof data === 'object' && Object.getPrototypeOf(data) === Object.prototype) {
    return firstUnknown(Object.values(data))
  }
  return undefined
}

function firstUnknown(items: readonly unknown[]): Unknown | undefined {
  for (const item of items) {
    const found = findUnknown(item)
    if (found) return found
  }
  return undefined
}
