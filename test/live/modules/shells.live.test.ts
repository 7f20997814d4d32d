import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startHosts, stopHosts, type LiveHost } from '../support/hosts.ts'
import { failures, inventoryOf, msingi, type Ran } from '../support/msingi.ts'
import { byHand, cycles, shown, tasksOn } from './by-hand.ts'

/** What depends on the shell: scripts, quoting, and the programs that busybox has under the same names. */
const MODULES = ['file', 'copy', 'template', 'lineinfile', 'command', 'shell', 'user', 'group']

const chosen = cycles(import.meta.dirname).filter(({ name }) => MODULES.includes(name))
const uncheckable = chosen.flatMap(cycle => cycle.uncheckable)
const hosts: LiveHost[] = []
let inventory: string

beforeAll(async () => {
  for (const shell of ['dash', 'busybox'] as const) {
    for (const host of await startHosts({ shell })) hosts.push({ ...host, name: shell })
  }
  // What Debian has in /usr/bin is put aside: a host with busybox alone finds its own.
  await hosts[1]
    ?.run(`for tool in stat cat cp mv rm mkdir ln chown chmod touch sha256sum find head tail tr wc cut sort id; do
      ln -sf "$(command -v busybox)" /usr/local/bin/$tool
    done`)
  inventory = inventoryOf(hosts)
})
afterAll(() => stopHosts(hosts))

describe('hosts with dash and with busybox', () => {
  const run = (command: 'plan' | 'apply' | 'drift'): Promise<Ran> =>
    msingi(command, ...chosen.map(({ playbook }) => playbook), '-i', inventory)

  test('become what the playbooks say, and stay so', async () => {
    for (const { prepare } of chosen) for (const host of hosts) await byHand(host, prepare)
    const plan = await run('plan')
    const first = await run('apply')
    const again = await run('apply')

    expect([...failures(plan), ...failures(first), ...failures(again)]).toEqual([])
    expect([plan.exit, first.exit, again.exit]).toEqual([2, 0, 0])
    for (const { holds } of chosen) for (const host of hosts) await byHand(host, holds)
    for (const host of hosts) expect(tasksOn(again, host, 'changed')).toEqual(uncheckable)
  })

  test('are found to be broken, and repaired', async () => {
    const scripts = chosen.flatMap(({ breaks }) => breaks)
    for (const { by } of scripts) for (const host of hosts) await byHand(host, by)
    // What a line of shell finds may hang on any change that is planned before it, so here it is unknown.
    const broken = scripts.flatMap(({ shows }) => shows).filter(row => !row.startsWith('bash: '))
    const drift = await run('drift')
    const repair = await run('apply')

    expect([...failures(drift), ...failures(repair)]).toEqual([])
    for (const host of hosts) expect(shown(drift, host)).toEqual(broken.sort())
    for (const { holds } of chosen) for (const host of hosts) await byHand(host, holds)
  })
})
