import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startHosts, stopHosts, type LiveHost } from '../support/hosts.ts'
import { eventsOf, inventoryOf, msingi, type Ran } from '../support/msingi.ts'
import { byHand, cycles, writtenDuring } from './by-hand.ts'
import { testCycle } from './cycle-tests.ts'

/** Both systems take part in each run, which takes little longer than one of them would. */
const hosts: LiveHost[] = []
let inventory: string

beforeAll(async () => {
  for (const os of ['debian-12', 'debian-13'] as const) {
    for (const host of await startHosts({ os })) hosts.push({ ...host, name: os })
  }
  inventory = inventoryOf(hosts)
})
afterAll(() => stopHosts(hosts))

test('stat tells what stat tells', async () => {
  for (const host of hosts) {
    await byHand(
      host,
      `mkdir -p /opt/cycle/stat && cd /opt/cycle/stat
      printf 'text\\n' > file; chown ops:root file; chmod 4750 file; ln -s file link; touch hidden; chmod 0 hidden`,
    )
  }
  let ran: Ran | undefined
  const written = await writtenDuring(hosts, async () => {
    ran = await msingi('drift', join(import.meta.dirname, 'stat/site.yml'), '-i', inventory)
  })

  expect([ran?.exit, written]).toEqual([0, []])
  for (const host of hosts) {
    const [inode = 0, mtime = 0] = (await host.run('stat -c "%i %Y" /opt/cycle/stat/file'))
      .split(' ')
      .map(Number)
    const results = (ran ? eventsOf(ran, 'task_done') : []).filter(event => event.host === host.name)
    const told = Object.fromEntries(results.map(({ register, result }) => [register, result['stat']]))
    const file = {
      exists: true,
      isreg: true,
      mode: '4750',
      isuid: true,
      pw_name: 'ops',
      gr_name: 'root',
      size: 5,
      inode,
    }
    expect(told).toMatchObject({
      file: { ...file, islnk: false, mtime, checksum: 'aa785adca3fcdfe1884ae840e13c6d294a2414e8' },
      link: { exists: true, islnk: true, lnk_target: 'file' },
      followed: { ...file, path: '/opt/cycle/stat/link' },
      nothing: { exists: false },
      hidden: { exists: true, mode: '0000' },
    })
  }
})

describe.each(cycles(import.meta.dirname))('$name, on Debian 12 and 13', cycle => {
  testCycle(cycle, () => ({ hosts, inventory }))
})
