import { ConnectError, SourceError, UsageError } from '../base/error.ts'
import { LabError } from '../lab/error.ts'
import { codeFrames } from '../report/code-frame.ts'
import type { TextOf } from '../report/code-frame.ts'
import type { Palette } from '../report/palette.ts'
import { printable } from '../report/printable.ts'
import { EXIT } from './exit.ts'
import { Interrupted } from './interrupt.ts'

/** Everything that is wrong with a project, found before the first connection. */
export class ProjectError extends Error {
  override readonly name = 'ProjectError'
  readonly problems: readonly SourceError[]
  readonly textOf: TextOf

  constructor(problems: readonly SourceError[], textOf: TextOf) {
    super(`${problems.length} problems`)
    this.problems = problems
    this.textOf = textOf
  }
}

/** Returns what to say about an error that ended the process, and its exit status. */
export function complaint(
  error: unknown,
  palette: Palette,
): { readonly text: string; readonly exit: number } {
  if (error instanceof ProjectError) {
    return { text: codeFrames(error.problems, error.textOf, palette), exit: EXIT.usage }
  }
  if (error instanceof SourceError) {
    return { text: codeFrames([error], () => undefined, palette), exit: EXIT.usage }
  }
  if (error instanceof UsageError) {
    return { text: line(error.code, error.message, error.hint, palette), exit: EXIT.usage }
  }
  if (error instanceof ConnectError) {
    const code = `${error.host}, ${error.stage}`
    return { text: line(code, error.message, error.hint, palette), exit: EXIT.unreachable }
  }
  if (error instanceof LabError) {
    return {
      text: line(error.code, error.message, error.hint, palette),
      exit: UNFINISHED.has(error.code) ? EXIT.failed : EXIT.usage,
    }
  }
  if (error instanceof Interrupted) return { text: '', exit: EXIT.interrupted }
  return { text: bug(error, palette), exit: EXIT.bug }
}

/** What went wrong while a lab was being worked on; all else is said before. */
const UNFINISHED: ReadonlySet<string> = new Set(['TOO_SLOW', 'PROGRAM_FAILED'])

function line(code: string, message: string, hint: string | undefined, palette: Palette): string {
  const help = hint === undefined ? '' : `  ${palette.note('=')} help: ${printable(hint)}\n`
  return `${palette.bad(`error[${code}]`)} ${palette.strong(printable(message))}\n${help}`
}

function bug(error: unknown, palette: Palette): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : undefined
  const cause = inner ? `caused by ${printable(inner.stack ?? inner.message)}\n` : ''
  return `${palette.bad('error[BUG]')} this is a bug of msingi, please report it with the lines below\n${printable(stack)}\n${cause}`
}
