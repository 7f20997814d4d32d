import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startHosts, stopHosts, type LiveHost } from '../support/hosts.ts'
import { eventsOf, inventoryOf, msingi, tasksThat, type Ran } from '../support/msingi.ts'
import { byHand, cycles, shown, tasksOn, writtenDuring } from './by-hand.ts'

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

describe.each(cycles())('$name, on Debian 12 and 13', cycle => {
  const { playbook, uncheckable } = cycle
  const broken = cycle.breaks.flatMap(({ shows }) => shows).sort()

  function run(command: 'plan' | 'apply' | 'drift'): Promise<Ran> {
    return msingi(command, playbook, '-i', inventory)
  }

  async function expectHolds(): Promise<void> {
    for (const host of hosts) await byHand(host, cycle.holds)
  }

  test('a plan foresees what a first run does, and writes nothing', async () => {
    for (const host of hosts) await byHand(host, cycle.prepare)
    let plan: Ran | undefined
    expect(
      await writtenDuring(hosts, async () => {
        plan = await run('plan')
      }),
    ).toEqual([])
    const apply = await run('apply')

    expect([plan?.exit, apply.exit, apply.stderr]).toEqual([2, 0, ''])
    for (const host of hosts) {
      const foreseen = plan ? shown(plan, host) : []
      const done = shown(apply, host).filter(row => !isUncheckable(row))
      expect(foreseen).toEqual(done)
      expect(plan ? tasksOn(plan, host, 'unknown') : []).toEqual(uncheckable)
    }
    await expectHolds()
  })

  test('the next run changes nothing', async () => {
    const again = await run('apply')

    expect(again.exit).toBe(0)
    for (const host of hosts) expect(tasksOn(again, host, 'changed')).toEqual(uncheckable)
  })

  test('what is broken by hand is what drift names and what a run repairs', async () => {
    for (const { by } of cycle.breaks) for (const host of hosts) await byHand(host, by)
    let drift: Ran | undefined
    expect(
      await writtenDuring(hosts, async () => {
        drift = await run('drift')
      }),
    ).toEqual([])
    const repair = await run('apply')

    expect([drift?.exit, repair.exit, tasksThat(repair, 'failed')]).toEqual([2, 0, []])
    for (const host of hosts) {
      expect(drift ? shown(drift, host) : []).toEqual(broken)
      expect(shown(repair, host).filter(row => !isUncheckable(row))).toEqual(broken)
    }
    await expectHolds()
  })

  function isUncheckable(row: string): boolean {
    return uncheckable.some(task => row.startsWith(`${task}: `))
  }
})
