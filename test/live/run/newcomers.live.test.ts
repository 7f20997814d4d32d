import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startHosts, stopHosts, type LiveHost } from '../support/hosts.ts'
import { eventsOf, failures, inventoryOf, msingi, tasksThat } from '../support/msingi.ts'

let known: LiveHost
let fresh: LiveHost
beforeAll(async () => {
  ;[known, fresh] = (await startHosts({ count: 2 })) as [LiveHost, LiveHost]
})
afterAll(() => stopHosts([known, fresh]))

/** The second host is in no inventory; a task adds it, with what it takes to reach it. */
function playbook(): string {
  const reach = {
    host: fresh.address,
    port: fresh.port,
    user: 'ops',
    key: fresh.key,
    host_key: fresh.hostKey,
  }
  const file = join(mkdtempSync(join(tmpdir(), 'msingi-live-')), 'site.yml')
  writeFileSync(
    file,
    `- hosts: all
  tasks:
    - group_by: { key: 'os_{{ facts.os.id }}' }
    - add_host: { name: newcomer, groups: fresh, origin: '{{ inventory_hostname }}', ssh: ${JSON.stringify(reach)} }
- hosts: fresh
  become: true
  tasks:
    - name: greet
      copy: { dest: /etc/greeting, content: "from {{ origin }}, one of {{ length groups.os_debian }}\\n" }
- hosts: os_debian
  become: true
  tasks:
    - name: note
      copy: { dest: /etc/note, content: "{{ join group_names '+' }}\\n" }
`,
  )
  return file
}

test('a host that a task adds is planned, provisioned and right afterwards, as if the inventory had it', async () => {
  const run = (command: string): ReturnType<typeof msingi> =>
    msingi(command, playbook(), '-i', inventoryOf([known]))
  const plan = await run('plan')
  const apply = await run('apply')
  const again = await run('drift')

  expect([failures(plan), failures(apply), failures(again)]).toEqual([[], [], []])
  expect(tasksThat(plan, 'would_change')).toEqual(['newcomer: greet', `${known.name}: note`])
  expect(tasksThat(apply, 'changed')).toEqual(tasksThat(plan, 'would_change'))
  expect([plan.exit, apply.exit, again.exit]).toEqual([2, 0, 0])
  expect(await fresh.run('cat /etc/greeting')).toBe(`from ${known.name}, one of 1\n`)
  expect(await known.run('cat /etc/note')).toBe('os_debian\n')
  expect(
    eventsOf(apply, 'host_done')
      .map(({ host }) => host)
      .toSorted(),
  ).toEqual([known.name, 'newcomer'])
})
