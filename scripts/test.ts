import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { z } from 'zod'
import { ROOT } from './hosts/docker.ts'
import { ensurePrograms, FOR_MACHINES, FOR_TESTS } from './hosts/programs.ts'

// All tests: `npm test`. Machines with a kernel of their own come last and without others, for emulated ones take both processors.
// The counts go to .msingi/tests/counts.json and to the last line; what failed is named above it, and in .msingi/tests/failures.txt.

const STAGES = [['fast', 'live'], ['faults'], ['vm']] as const

const FOLDER = join(ROOT, '.msingi', 'tests')
const report = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()) }),
      ),
    }),
  ),
})
type Report = z.infer<typeof report>

await ensurePrograms({ ...FOR_TESTS, ...FOR_MACHINES }, text => console.error(text))
rmSync(FOLDER, { recursive: true, force: true })
mkdirSync(FOLDER, { recursive: true })

const counts = { passed: 0, failed: 0 }
const failures: string[] = []
for (const projects of STAGES) {
  const file = join(FOLDER, `${projects.join('-')}.json`)
  const status = await vitest(projects, file)
  const told = report.parse(JSON.parse(readFileSync(file, 'utf8')))
  const { numPassedTests, numFailedTests } = told
  counts.passed += numPassedTests
  // A file of tests that could not even be loaded has no failed test, but the run has failed.
  counts.failed += status === 0 ? numFailedTests : Math.max(1, numFailedTests)
  failures.push(...failedIn(told))
}
writeFileSync(join(FOLDER, 'counts.json'), JSON.stringify(counts))
writeFileSync(join(FOLDER, 'failures.txt'), failures.map(name => `${name}\n`).join(''))
for (const name of failures) console.log(`failed: ${name}`)
console.log(`\n${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed === 0 ? 0 : 1

function failedIn({ testResults }: Report): readonly string[] {
  return testResults.flatMap(({ name, status, assertionResults }) => {
    const file = relative(ROOT, name)
    const failed = assertionResults.filter(test => test.status === 'failed')
    if (failed.length === 0 && status === 'failed') return [`${file} as a whole`]
    return failed.map(({ fullName, failureMessages: [why = ''] }) => {
      return `${file} > ${fullName}: ${why.split('\n')[0] ?? ''}`
    })
  })
}

function vitest(projects: readonly string[], file: string): Promise<number> {
  const words = ['run', ...projects.flatMap(name => ['--project', name])]
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const child = spawn('vitest', [...words, ...reporters], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => resolve(code ?? 1))
  })
}
