import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { ROOT } from './hosts/docker.ts'
import { ensurePrograms, FOR_MACHINES, FOR_TESTS } from './hosts/programs.ts'

// All tests: `npm test`. Machines with a kernel of their own come last and without others, for emulated ones take both processors.
// The counts go to .msingi/tests/counts.json and to the last line.

const STAGES = [['fast', 'live'], ['faults'], ['vm']] as const

const FOLDER = join(ROOT, '.msingi', 'tests')
const report = z.object({ numPassedTests: z.int(), numFailedTests: z.int() })

await ensurePrograms({ ...FOR_TESTS, ...FOR_MACHINES }, text => console.error(text))
rmSync(FOLDER, { recursive: true, force: true })
mkdirSync(FOLDER, { recursive: true })

const counts = { passed: 0, failed: 0 }
for (const projects of STAGES) {
  const file = join(FOLDER, `${projects.join('-')}.json`)
  const status = await vitest(projects, file)
  const { numPassedTests, numFailedTests } = report.parse(JSON.parse(readFileSync(file, 'utf8')))
  counts.passed += numPassedTests
  // A file of tests that could not even be loaded has no failed test, but the run has failed.
  counts.failed += status === 0 ? numFailedTests : Math.max(1, numFailedTests)
}
writeFileSync(join(FOLDER, 'counts.json'), JSON.stringify(counts))
console.log(`\n${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed === 0 ? 0 : 1

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
