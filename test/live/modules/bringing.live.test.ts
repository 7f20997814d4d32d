import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startHosts, stopHosts, type LiveHost } from '../support/hosts.ts'
import { eventsOf, failures, inventoryOf, msingi, tasksThat, type Ran } from '../support/msingi.ts'
import { writtenDuring } from './by-hand.ts'

let host: LiveHost
const folder = mkdtempSync(join(tmpdir(), 'msingi-live-'))

beforeAll(async () => {
  ;[host] = (await startHosts()) as [LiveHost]
})
afterAll(() => stopHosts([host]))

function run(command: 'plan' | 'apply' | 'drift', tasks: string): Promise<Ran> {
  const file = join(folder, 'site.yml')
  writeFileSync(file, `- hosts: all\n  become: true\n  tasks:\n${tasks.replaceAll(/^(?=.)/gm, '    ')}`)
  return msingi(command, file, '-i', inventoryOf([host]))
}

test('fetch brings a file as it is, once, and again when it has changed; the host is left alone', async () => {
  const task = '- fetch: { src: /opt/report, dest: reports }\n'
  const bytes = 'head -c 300000 /dev/urandom > /opt/report; chmod 0600 /opt/report; sha256sum </opt/report'
  await host.run(bytes)
  const ran: Ran[] = []
  const written = await writtenDuring([host], async () => {
    for (const command of ['plan', 'apply', 'apply', 'drift'] as const) ran.push(await run(command, task))
  })
  const sum = await host.run(bytes)
  const repair = await run('apply', task)
  const kept = readFileSync(join(folder, 'reports', host.name, 'opt/report'))

  expect(ran.map(({ exit }) => exit)).toEqual([2, 0, 0, 0])
  expect(ran.map(one => tasksThat(one, 'changed').length)).toEqual([0, 1, 0, 0])
  expect(written.filter(path => !path.startsWith('/var/lib/msingi'))).toEqual([])
  expect(tasksThat(repair, 'changed')).toHaveLength(1)
  expect(sum.split(' ')[0]).toBe(createHash('sha256').update(kept).digest('hex'))
})

test('tempfile makes a new place in each run and none in a plan, and pause waits', async () => {
  const tasks =
    '- { tempfile: { state: directory, suffix: .room }, register: room }\n- pause: { seconds: 2 }\n'
  const count = (): Promise<string> => host.run('ls -d /var/tmp/ansible.*.room 2>/dev/null | wc -l')
  const plan = await run('plan', tasks)
  expect([failures(plan), (await count()).trim()]).toEqual([[], '0'])
  const started = performance.now()
  const first = await run('apply', tasks)
  expect(performance.now() - started).toBeGreaterThan(2000)
  await run('apply', tasks)

  const [made] = eventsOf(first, 'task_done').map(({ result }) => result['path'])
  expect((await count()).trim()).toBe('2')
  expect((await host.run(`stat -c '%a %U' ${String(made)}`)).trim()).toBe('700 root')
})
