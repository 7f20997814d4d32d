/** A data value that is not there yet, because the host's answer that gives it is still outstanding. */
export const PENDING: unique symbol = Symbol('pending')

/**
 * Thrown by every evaluation that needs a value whose answer is outstanding. It is no failure: the runner asks the
 * host and evaluates again.
 */
export class Pending extends Error {
  override readonly name = 'Pending'
  /** The dotted path of the value, such as `facts.os`. */
  readonly name_: string

  constructor(name: string) {
    // Nobody looks at where it was thrown, and it is thrown thousands of times.
    const depth = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    super(`\`${name}\` is not known yet`)
    Error.stackTraceLimit = depth
    this.name_ = name
  }
}
