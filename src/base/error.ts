import type { Completed, Registered } from './result.ts'
import type { Span } from './span.ts'

/** What can be wrong in a text that a person wrote. Each code has its example in `docs/errors.md`. */
export const SOURCE_CODES = [
  'YAML_SYNTAX',
  'YAML_TAB',
  'DUPLICATE_KEY',
  'FILE_NOT_FOUND',
  'FILE_UNREADABLE',
  'NOT_A_PLAYBOOK',
  'UNKNOWN_KEYWORD',
  'MISSING_KEYWORD',
  'BAD_VALUE',
  'UNKNOWN_MODULE',
  'NO_MODULE',
  'TWO_MODULES',
  'UNKNOWN_PARAM',
  'MISSING_PARAM',
  'BAD_PARAM',
  'BAD_MODE',
  'UNDEFINED_VAR',
  'BAD_TEMPLATE',
  'UNKNOWN_HELPER',
  'BAD_CONDITION',
  'NOT_BOOLEAN',
  'RECURSIVE_VAR',
  'MISSING_ROLE',
  'MISSING_HANDLER',
  'MISSING_TEMPLATE',
  'MISSING_FILE',
  'RECURSIVE_INCLUDE',
  'UNKNOWN_ROLE_PARAM',
  'BAD_ROLE_PARAM',
  'MISSING_ROLE_PARAM',
  'UNDECLARED_VAR',
  'UNUSED_PARAM',
  'CIRCULAR_GROUP',
  'BAD_RANGE',
  'BAD_PATTERN',
  'NO_HOSTS',
  'BAD_INVENTORY',
  'SECRET_LOCKED',
  'SECRET_DAMAGED',
] as const
export type SourceCode = (typeof SOURCE_CODES)[number]

/** The author's text is wrong, at a known place. Nothing was contacted. */
export class SourceError extends Error {
  override readonly name = 'SourceError'
  readonly code: SourceCode
  readonly at: Span
  readonly hint: string | undefined
  readonly related: readonly Span[]

  constructor(
    code: SourceCode,
    at: Span,
    message: string,
    more: { hint?: string | undefined; related?: readonly Span[]; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause })
    this.code = code
    this.at = at
    this.hint = more.hint
    this.related = more.related ?? []
  }
}

/** Collects problems so that all of them are reported at once; parsing goes on. */
export type OnProblem = (problem: SourceError) => void

export type UsageCode =
  | 'BAD_OPTION'
  | 'BAD_ARGUMENT'
  | 'NO_INVENTORY'
  | 'NO_PLAYBOOK'
  | 'NO_PASSWORD'
  | 'NO_ANSWER'
  | 'NO_MATCH'
  | 'BAD_IDENTITY'
  | 'INVENTORY_BUSY'

/** The command line is wrong. Nothing was contacted. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly code: UsageCode
  readonly hint: string | undefined

  constructor(code: UsageCode, message: string, hint?: string) {
    super(message)
    this.code = code
    this.hint = hint
  }
}

/** How far a connection came before it failed. */
export type ConnectStage =
  'config' | 'dns' | 'tcp' | 'hostkey' | 'auth' | 'channel' | 'shell' | 'become' | 'protocol' | 'lost'

/** A host cannot be reached or does not answer as it must. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError'
  readonly host: string
  readonly stage: ConnectStage
  readonly hint: string | undefined

  constructor(
    host: string,
    stage: ConnectStage,
    message: string,
    more: { hint?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause })
    this.host = host
    this.stage = stage
    this.hint = more.hint
  }
}

/** A part of a script did not end before its deadline; the session it ran in cannot be used any more. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
  readonly host: string
  readonly seconds: number

  constructor(host: string, seconds: number, message: string) {
    super(message)
    this.host = host
    this.seconds = seconds
  }
}

/** A module's or probe's refusal to go on with one task: the task fails with this, the host's other work is untouched. */
export class TaskError extends Error {
  override readonly name = 'TaskError'
  readonly code: string
  readonly hint: string | undefined
  /** What a command answered that was run to look, and failed: `register` holds it. */
  readonly answer: Completed | undefined
  /** What `register` holds besides the failure. */
  readonly registered: Registered | undefined

  constructor(code: string, message: string, hint?: string, answer?: Completed, registered?: Registered) {
    super(message)
    this.code = code
    this.hint = hint
    this.answer = answer
    this.registered = registered
  }
}
