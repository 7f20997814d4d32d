import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Outcome } from './many.ts'

const MANY = join(import.meta.dirname, 'many.ts')

/** Variables of whoever runs the tests that would change what is printed. */
const UNWANTED = /^(?:NO_COLOR|FORCE_COLOR|CI|MSINGI_(?!LOCK$).*)$/

/** The environment of this process without what would change what is printed. */
export const ENVIRONMENT = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !UNWANTED.test(name)),
)

/** Runs many command lines in one process, away from any terminal. */
export async function many(lines: readonly (readonly string[])[], cwd: string): Promise<readonly Outcome[]> {
  const printed = await new Promise<string>((resolve, reject) => {
    const started = spawn(process.execPath, [MANY, JSON.stringify(lines)], {
      cwd,
      env: ENVIRONMENT,
      detached: true,
    })
    let stdout = ''
    started.stdout.on('data', chunk => (stdout += String(chunk)))
    started.stderr.pipe(process.stderr)
    started.on('error', reject)
    started.on('close', () => resolve(stdout))
  })
  return JSON.parse(printed) as readonly Outcome[]
}
