/** Why something encrypted does not open: no key fits, or it is not what it should be. */
export type SealCode = 'LOCKED' | 'DAMAGED'

/** Something encrypted does not open. The message tells nothing of what is inside. */
export class SealError extends Error {
  override readonly name = 'SealError'
  readonly code: SealCode

  constructor(code: SealCode, message: string) {
    super(message)
    this.code = code
  }
}
