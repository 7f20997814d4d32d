import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Event } from '../../src/base/event.ts'
import { detailsOf, keepRun, lastRuns, runsNamed, type RunHead } from '../../src/history/runs.ts'
import { fakeHost } from '../support/fake-session.ts'
import { fakeRun } from '../support/fake-run.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-history-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const HEAD: RunHead = {
  id: 'r1',
  mode: 'apply',
  command: ['apply', 'site.yml'],
  playbooks: ['site.yml'],
  inventory: ['hosts.yml'],
  version: { commit: 'a'.repeat(40), isDirty: true },
  user: 'ann',
  controller: 'clinic',
  started: '2026-03-02T08:00:00.000Z',
}

const TEXT = `- hosts: all
  tasks:
    - {name: right, put: {key: a, value: 1}}
    - {name: change, put: {key: b, value: ${'x'.repeat(500)}}}
    - {name: bad, act: fail}
`

async function eventsOf(): Promise<readonly Event[]> {
  return (await fakeRun(TEXT, { web: fakeHost({ a: '1' }) })).events
}

test('a run comes back with its hosts, what changed and what failed, long texts shortened', async () => {
  const file = join(folder, 'one.sqlite')
  const record = keepRun(file, HEAD)
  for (const event of await eventsOf()) record.report(event)
  await record.end()

  expect(lastRuns(file, 5)).toMatchObject([{ ...HEAD, exit: 1, counts: { ok: 1, changed: 1, failed: 1 } }])
  const { hosts, tasks } = detailsOf(file, 'r1')
  expect(hosts).toMatchObject([{ host: 'web', counts: { changed: 1 } }])
  expect(tasks.map(({ task, status }) => [task, status])).toEqual([
    ['change', 'changed'],
    ['bad', 'failed'],
  ])
  expect(tasks[0]?.changes).toMatchObject([{ kind: 'value', what: 'b', before: null }])
  expect(String(tasks[0]?.changes[0]?.after)).toHaveLength(201)
  expect(tasks[1]?.failure?.code).toBe('COMMAND_FAILED')
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('a run that was killed is there without an end', async () => {
  const file = join(folder, 'killed.sqlite')
  const record = keepRun(file, HEAD)
  for (const event of await eventsOf()) if (event.type !== 'run_done') record.report(event)

  expect(lastRuns(file, 5)).toMatchObject([{ id: 'r1', exit: undefined, counts: undefined }])
  await record.end()
})

test('runs are found by the beginning of their names, and the newest are listed first', async () => {
  const file = join(folder, 'many.sqlite')
  for (const [id, day] of [
    ['20260301-a', '01'],
    ['20260302-b', '02'],
    ['20260302-c_%', '03'],
  ] as const)
    await keepRun(file, { ...HEAD, id, started: `2026-03-${day}T00:00:00.000Z` }).end()

  expect(lastRuns(file, 2).map(run => run.id)).toEqual(['20260302-c_%', '20260302-b'])
  expect(runsNamed(file, '20260302').map(run => run.id)).toEqual(['20260302-b', '20260302-c_%'])
  expect(runsNamed(file, '20260302-c_%')).toHaveLength(1)
  expect(runsNamed(file, '%')).toEqual([])
})
