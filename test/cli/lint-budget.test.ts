import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { largeProject, MISTAKES, ROLES } from '../support/large-project.ts'
import { ROOT } from '../support/source-tree.ts'
import { ENVIRONMENT, many } from './support/in-one-process.ts'

/** Seconds of processor time on a machine that has nothing else to do. */
const BUDGET = 1
/** Other work on the machine makes all slower; the fastest try says what lint itself needs. */
const TRIES = 8

/** A loop, and the seconds it takes on such a machine: what it takes now says how much slower the machine is at the moment. */
const LOOP = `
  const values = new Map()
  let sum = 0
  for (let i = 0; i < 2e6; i++) {
    values.set('k' + (i % 5000), { i, text: 'v' + i })
    sum += values.get('k' + ((i * 7) % 5000))?.i ?? 0
  }
  process.exitCode = sum === 1 ? 1 : 0`
const LOOP_SECONDS = 0.37

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

describe('lint of 200 files and 2,000 tasks', () => {
  test('takes a second of processor time at most', { timeout: 60_000 }, () => {
    const folder = made()
    let fastest = Number.POSITIVE_INFINITY
    for (let tries = 0; tries < TRIES && fastest > BUDGET; tries += 1) {
      const linted = cpuSeconds([join(ROOT, 'bin/msingi.js'), ...LINT], folder)
      const slowness = Math.max(1, cpuSeconds(['-e', LOOP], folder) / LOOP_SECONDS)
      fastest = Math.min(fastest, linted / slowness)
    }

    expect(
      readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile()),
    ).toHaveLength(200)
    expect(fastest).toBeLessThanOrEqual(BUDGET)
  })

  test('finds all that is wrong in one go', async () => {
    const folder = made(true)
    const [outcome] = await many([LINT], folder)

    expect(outcome?.code).toBe(4)
    for (const [code] of MISTAKES) {
      expect([code, outcome?.stderr.split(`[${code}]`).length]).toEqual([code, ROLES / MISTAKES.length + 1])
    }
    expect(outcome?.stderr.match(/^error\[/gm)).toHaveLength(ROLES)
  })
})

const LINT = ['lint', 'site.yml', '-i', 'hosts.yml']

function made(withMistakes = false): string {
  const folder = largeProject(withMistakes)
  folders.push(folder)
  return folder
}

/** Runs Node in a process of its own and returns the processor time that it took, the system's for it included. */
function cpuSeconds(words: readonly string[], cwd: string): number {
  const ran = spawnSync('sh', ['-c', '"$@" > /dev/null && times', 'sh', process.execPath, ...words], {
    cwd,
    env: ENVIRONMENT,
    encoding: 'utf8',
  })
  const children = ran.stdout.split('\n')[1] ?? ''
  const parts = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds),
  )
  expect([ran.status, ran.stderr, parts]).toEqual([0, '', [expect.any(Number), expect.any(Number)]])
  return parts.reduce((sum, part) => sum + part, 0)
}
