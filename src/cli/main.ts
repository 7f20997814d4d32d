import { CommanderError } from 'commander'
import { paletteFor } from '../report/palette.ts'
import { complaint } from './complain.ts'
import { EXIT } from './exit.ts'
import { makeProgram, usageError } from './program.ts'

/** How long after the last word something may still hold the process, such as a socket of a host that hangs. */
const GRACE_MS = 1500

/** Runs one command line; the outcome is the exit status of the process. */
export async function main(argv: readonly string[]): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreReaderGone)
  for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, die)
  process.exitCode = await statusOf(argv)
  setTimeout(() => process.exit(), GRACE_MS).unref()
}

/** Runs one command line and returns the exit status; what is wrong is told on stderr. */
export async function statusOf(argv: readonly string[]): Promise<number> {
  let status: number = EXIT.done
  const program = makeProgram(found => {
    status = found
  })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return status
  } catch (error) {
    if (!(error instanceof CommanderError)) return told(error)
    const wrong = usageError(error)
    if (wrong) return told(wrong)
    return error.exitCode === 0 ? EXIT.done : EXIT.usage
  }
}

function told(error: unknown): number {
  const { text, exit } = complaint(error, paletteFor(process.stderr, process.env))
  process.stderr.write(text)
  return exit
}

function die(error: unknown): void {
  process.exit(told(error))
}

/** Whoever read the output went away, as in `msingi hosts list | head`; that is no error of this process. */
function ignoreReaderGone(error: Error): void {
  if (!('code' in error) || error.code !== 'EPIPE') throw error
}
