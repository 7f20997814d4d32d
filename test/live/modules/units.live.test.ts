import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startHosts, stopHosts, type LiveHost } from '../support/hosts.ts'
import { eventsOf, inventoryOf, msingi } from '../support/msingi.ts'

const TASKS = String.raw`- hosts: all
  become: true
  tasks:
    - name: a key that systemd would ignore
      systemd_unit: { name: bad1, content: "[Service]\nExecStart=/bin/true\nPersistant=yes\n" }
      ignore_errors: true
    - name: a value that systemd would ignore
      systemd_unit: { name: ssh, drop_in: bad, content: "[Service]\nLimitNOFILE=abc\n" }
      ignore_errors: true
    - name: a time that is none
      systemd_timer: { name: bad2, on_calendar: dayly, command: /bin/true }
      ignore_errors: true
    - name: a program that is still to come
      systemd_unit: { name: good@, content: "[Service]\nExecStart=/opt/not/yet %i\n" }
`

let host: LiveHost
beforeAll(async () => {
  ;[host] = (await startHosts()) as [LiveHost]
})
afterAll(() => stopHosts([host]))

test('units that systemd would misread are not put in place, and the task says why', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'msingi-live-')), 'site.yml')
  writeFileSync(file, TASKS)
  const ran = await msingi('apply', file, '-i', inventoryOf([host]))

  const done = eventsOf(ran, 'task_done')
  expect(done.map(({ failure }) => failure?.code)).toEqual([
    'INVALID_CONTENT',
    'INVALID_CONTENT',
    'BAD_TIME',
    undefined,
  ])
  expect(done[0]?.failure?.message).toContain('bad1.service:3: Unknown key')
  expect(done[1]?.failure?.message).toContain('ssh.service.d/bad.conf:2')
  const left = await host.run(
    'cd /etc/systemd/system; find . -name "*bad*" -o -name "*msingi*" -o -name "good@*"',
  )
  expect(left.trim()).toBe('./good@.service')
})
