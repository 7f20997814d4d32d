export type LabCode =
  | 'LAB_NEEDS'
  | 'NO_LAB'
  | 'LAB_EXISTS'
  | 'NO_SUCH_HOST'
  | 'NOT_A_LAB'
  | 'WRONG_KIND'
  | 'WRONG_STATE'
  | 'TOO_SLOW'
  | 'PROGRAM_FAILED'

/** A throw-away host cannot be made, found or treated as asked; real hosts were not touched. */
export class LabError extends Error {
  override readonly name = 'LabError'
  readonly code: LabCode
  /** The next step, one imperative sentence. */
  readonly hint: string | undefined

  constructor(code: LabCode, message: string, hint?: string) {
    super(message)
    this.code = code
    this.hint = hint
  }
}
