import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FILE_SYSTEM_HASH, eventsOf, failures, inventoryOf, msingi, type Ran } from './support/msingi.ts'
import { startHosts, stopHosts, type LiveHost } from './support/hosts.ts'

const PLAYBOOK = join(import.meta.dirname, 'virgin/site.yml')

/** Turns of tasks that ended so, as `task item`. */
function turns(ran: Ran, status: string): readonly string[] {
  return [...eventsOf(ran, 'task_done'), ...eventsOf(ran, 'handler_done')]
    .filter(event => event.status === status)
    .map(event => `${event.task} ${event.label ?? ''}`.trim())
}

describe('a plan on a virgin host', () => {
  let hosts: readonly LiveHost[] = []

  beforeAll(async () => {
    hosts = await startHosts()
  })
  afterAll(() => stopHosts(hosts))

  test('has no errors, and foretells what the apply then does', async () => {
    const [host] = hosts
    const inventory = inventoryOf(hosts)
    const before = await host?.run(FILE_SYSTEM_HASH)

    const plan = await msingi('plan', PLAYBOOK, '-i', inventory)
    const after = await host?.run(FILE_SYSTEM_HASH)
    const apply = await msingi('apply', PLAYBOOK, '-i', inventory)
    const again = await msingi('apply', PLAYBOOK, '-i', inventory)

    expect(failures(plan)).toEqual([])
    expect(plan.exit).toBe(2)
    expect(after).toBe(before)
    expect(failures(apply)).toEqual([])
    const [changed, foretold, open] = [
      turns(apply, 'changed'),
      turns(plan, 'would_change'),
      turns(plan, 'unknown'),
    ]
    const missed = changed.filter(one => !foretold.includes(one))
    console.log(
      `${changed.length} changes, ${changed.length - missed.length} foretold, unknown before: ${missed.join(', ')}`,
    )
    expect(changed.length).toBeGreaterThanOrEqual(30)
    expect(missed.filter(one => !open.includes(one))).toEqual([])
    expect(missed.length / changed.length).toBeLessThanOrEqual(0.05)
    expect(turns(again, 'changed')).toEqual([])
  })
})
