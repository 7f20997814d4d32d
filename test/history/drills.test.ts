import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { keepDrill, lastDrills } from '../../src/history/drills.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-history-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('drills come back whole, the newest first, and no more than asked for', () => {
  const file = join(folder, 'deep', 'history.sqlite')
  const base = {
    drill: 'power-cut',
    lab: 'clinic',
    host: 'host1',
    verdict: 'passed',
    reason: 'all there',
  } as const
  const old = { ...base, id: 'a', started: '2026-01-01T00:00:00Z' }
  const recent = { ...base, id: 'b', started: '2026-02-01T00:00:00Z', evidence: [{ what: 'lost', value: 0 }] }

  keepDrill(file, recent)
  keepDrill(file, old)

  expect(lastDrills(file, 10)).toEqual([recent, old])
  expect(lastDrills(file, 1)).toEqual([recent])
})
