import { expect, test } from 'vitest'
import { sh } from '../../src/shell/sh.ts'
import { APPLY_DEADLINE_MS, deadlineOf } from '../../src/run/perform.ts'

const run = { do: 'run', script: sh`true` } as const
const write = { do: 'write', path: '/x', content: '' } as const

test('an answer is waited for as long as the host may take, and a little more', () => {
  expect(deadlineOf([run], undefined)).toBe(APPLY_DEADLINE_MS)
  expect(deadlineOf([run], 0)).toBe(APPLY_DEADLINE_MS)
  const [one, two] = [deadlineOf([run], 5), deadlineOf([run, write, run], 5)]
  expect(one).toBeGreaterThan(15_000)
  expect(one).toBeLessThan(120_000)
  expect(two - one).toBe(15_000)
})
