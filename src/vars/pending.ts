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
    super(`\`${name}\` is not known yet`)
    this.name_ = name
  }
}
