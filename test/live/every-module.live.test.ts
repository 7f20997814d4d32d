import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SYSTEMS, type System } from '../../scripts/hosts/image.ts'
import { startHosts, stopHosts, type LiveHost } from './support/hosts.ts'
import { failures, FILE_SYSTEM_HASH, inventoryOf, msingi, tasksThat } from './support/msingi.ts'

const FOLDER = join(import.meta.dirname, 'every-module')
/** One playbook a module, named like it; all of them run as one. */
const PLAYBOOKS = readdirSync(FOLDER)
  .filter(name => name.endsWith('.yml'))
  .sort()
  .map(name => join(FOLDER, name))

describe.each(Object.keys(SYSTEMS) as System[])('every module on %s', os => {
  let host: LiveHost
  let project: readonly string[]

  beforeAll(async () => {
    const hosts = await startHosts({ os })
    const [first] = hosts
    if (first === undefined) throw new Error('no host')
    host = first
    project = [...PLAYBOOKS, '-i', inventoryOf(hosts)]
  })
  afterAll(() => stopHosts([host]))

  test('is planned for a fresh host without an error, and nothing is written', async () => {
    const before = await host.run(FILE_SYSTEM_HASH)

    const plan = await msingi('plan', ...project)

    expect(plan.exit).toBe(2)
    expect(failures(plan)).toEqual([])
    expect(await host.run(FILE_SYSTEM_HASH)).toBe(before)
  })

  test('is applied', async () => {
    const run = await msingi('apply', ...project)

    expect(failures(run)).toEqual([])
    expect(run.exit).toBe(0)
  })

  test('changes nothing the second time', async () => {
    const run = await msingi('apply', ...project)

    expect(tasksThat(run, 'changed')).toEqual([])
    expect(run.exit).toBe(0)
  })

  test('shows no drift afterwards, and nothing is written', async () => {
    const before = await host.run(FILE_SYSTEM_HASH)

    const drift = await msingi('drift', ...project)

    expect([...tasksThat(drift, 'would_change'), ...tasksThat(drift, 'unknown')]).toEqual([])
    expect(drift.exit).toBe(0)
    expect(await host.run(FILE_SYSTEM_HASH)).toBe(before)
  })
})
