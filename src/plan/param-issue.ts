import { SOURCE_CODES, type SourceCode } from '../base/error.ts'

/** What zod says of one wrong value; the fields that this project reads of it. */
export interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly code?: string | undefined
  readonly keys?: readonly string[]
  /** What a module's own complaint says of itself. */
  readonly params?: Readonly<Record<string, unknown>> | undefined
}

/**
 * Returns the code of a problem with a parameter: the module's own where it gives one.
 *
 * @param args - the arguments that were parsed
 */
export function issueCode(issue: Issue, args: unknown): SourceCode {
  const own = SOURCE_CODES.find(code => code === issue.params?.['code'])
  if (own !== undefined) return own
  if (issue.code === 'unrecognized_keys') return 'UNKNOWN_PARAM'
  return issue.code !== 'custom' && isMissing(args, issue.path) ? 'MISSING_PARAM' : 'BAD_PARAM'
}

function isMissing(args: unknown, path: readonly PropertyKey[]): boolean {
  let found = args
  for (const step of path) {
    if (found === null || typeof found !== 'object') return false
    found = Reflect.get(found, step)
  }
  return found === undefined
}
