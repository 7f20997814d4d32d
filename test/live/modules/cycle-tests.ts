import { expect, test } from 'vitest'
import { msingi, tasksThat, type Ran } from '../support/msingi.ts'
import { byHand, shown, tasksOn, writtenDuring, type Cycle, type Handled } from './by-hand.ts'

/** Goes once around with a playbook: plan, apply, apply again, break by hand, drift, repair. `where` is asked once the hosts are there. */
export function testCycle(
  cycle: Cycle,
  where: () => {
    readonly hosts: readonly Handled[]
    readonly inventory: string
    readonly flags?: readonly string[]
  },
): void {
  const { playbook, uncheckable } = cycle
  const broken = cycle.breaks.flatMap(({ shows }) => shows).sort()

  function run(command: 'plan' | 'apply' | 'drift'): Promise<Ran> {
    const { inventory, flags = [] } = where()
    return msingi(command, playbook, '-i', inventory, ...flags)
  }

  async function expectHolds(): Promise<void> {
    for (const host of where().hosts) await byHand(host, cycle.holds)
  }

  test('a plan foresees what a first run does, and writes nothing', async () => {
    for (const host of where().hosts) await byHand(host, cycle.prepare)
    let plan: Ran | undefined
    expect(
      await writtenDuring(where().hosts, async () => {
        plan = await run('plan')
      }),
    ).toEqual([])
    const apply = await run('apply')

    expect([plan?.exit, apply.exit, apply.stderr]).toEqual([2, 0, ''])
    for (const host of where().hosts) {
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
    for (const host of where().hosts) expect(tasksOn(again, host, 'changed')).toEqual(uncheckable)
  })

  test('what is broken by hand is what drift names and what a run repairs', async () => {
    for (const { by } of cycle.breaks) for (const host of where().hosts) await byHand(host, by)
    let drift: Ran | undefined
    expect(
      await writtenDuring(where().hosts, async () => {
        drift = await run('drift')
      }),
    ).toEqual([])
    const repair = await run('apply')

    expect([drift?.exit, repair.exit, tasksThat(repair, 'failed')]).toEqual([2, 0, []])
    for (const host of where().hosts) {
      expect(drift ? shown(drift, host) : []).toEqual(broken)
      expect(shown(repair, host).filter(row => !isUncheckable(row))).toEqual(broken)
    }
    await expectHolds()
  })

  function isUncheckable(row: string): boolean {
    return uncheckable.some(task => row.startsWith(`${task}: `))
  }
}
