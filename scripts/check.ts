import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

interface Step {
  readonly name: string
  readonly command: readonly string[]
}

// The one door: everything that must hold before a commit, quick and without a network.
const STEPS: readonly Step[] = [
  { name: 'types', command: ['tsc'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'format', command: ['prettier', '--check', '.'] },
  { name: 'dead code', command: ['knip'] },
  { name: 'generated files', command: ['node', 'scripts/gen.ts', '--check'] },
  { name: 'fast tests, boundaries', command: ['vitest', 'run', '--project', 'fast'] },
]

// Where all tests run anyway, as in `.ci/run`, these few need not run twice.
const steps = process.argv.includes('--no-tests') ? STEPS.slice(0, -1) : STEPS

const failed: string[] = []
for (const step of steps) {
  const started = performance.now()
  const { code, output } = await run(step.command)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${code === 0 ? '✔' : '✘'} ${step.name} (${seconds} s)`)
  if (code === 0) continue
  console.log(output.trimEnd().replaceAll(/^/gm, '  '))
  failed.push(step.name)
}
if (failed.length > 0) {
  console.log(`\nfailed: ${failed.join(', ')}`)
  process.exitCode = 1
}

/** Resolves with the exit code and everything the command printed, in order. */
async function run(command: readonly string[]): Promise<{ code: number; output: string }> {
  const child = spawn('sh', ['-c', '"$@" 2>&1', 'sh', ...command], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<number>(resolve => child.once('close', code => resolve(code ?? 1)))
  const output = await text(child.stdout)
  return { code: await ended, output }
}
