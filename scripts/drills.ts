import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

// Power cuts at random moments on a machine made for that: one that must be seen to lose, then as many as wished that
// must not. Ends with 1 where one went otherwise.
//   npm run drills [-- --cuts 10 --os debian-12 --keep]

const { values } = parseArgs({
  options: {
    cuts: { type: 'string', default: '10' },
    os: { type: 'string', default: 'debian-12' },
    keep: { type: 'boolean', default: false },
  },
})

const LAB = 'drills'
const INVENTORY = join('lab', LAB, 'inventory.yml')
const POWER_CUT = ['drill', 'power-cut', '-i', INVENTORY]
const unexpected: string[] = []

try {
  await expectStatus('the lab is made', ['lab', 'up', LAB, '--os', values.os], 0)
  await expectStatus('without fsync documents are lost', [...POWER_CUT, '--set', 'durability=none'], 1)
  for (let cut = 1; cut <= Number(values.cuts); cut += 1) {
    await expectStatus(`cut ${cut} of ${values.cuts}: nothing is lost`, POWER_CUT, 0)
  }
} finally {
  if (!values.keep) await msingi(['lab', 'down', LAB])
}
for (const what of unexpected) console.log(`✘ ${what}`)
process.exitCode = unexpected.length > 0 ? 1 : 0

async function expectStatus(what: string, words: readonly string[], expected: number): Promise<void> {
  const status = await msingi(words)
  console.log(`${status === expected ? '✔' : '✘'} ${what}`)
  if (status !== expected) unexpected.push(`${what}: exit status ${status}, expected ${expected}`)
}

function msingi(words: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, ['bin/msingi.js', ...words], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', code => resolve(code ?? 1))
  })
}
