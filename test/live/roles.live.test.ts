import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SYSTEMS, type System } from '../../scripts/hosts/image.ts'
import { startHosts, stopHosts, type LiveHost } from './support/hosts.ts'
import { failures, FILE_SYSTEM_HASH, inventoryOf, msingi, tasksThat } from './support/msingi.ts'

/** The demo's roles, which the demo itself tries on one system only. */
const PLAYBOOK = ['playbooks/demo.yml', '-i', 'inventory/demo.yml', '-l', 'clinic1']

describe.each(Object.keys(SYSTEMS) as System[])('roles on %s', os => {
  let host: LiveHost
  let project: readonly string[]

  beforeAll(async () => {
    const hosts = await startHosts({ os })
    const [first] = hosts
    if (first === undefined) throw new Error('no host')
    host = { ...first, name: 'clinic1' }
    project = [...PLAYBOOK, '-i', inventoryOf([host])]
  })
  afterAll(() => stopHosts([host]))

  test('a plan of a fresh host fails nowhere and writes nothing', async () => {
    const before = await host.run(FILE_SYSTEM_HASH)

    const plan = await msingi('plan', ...project)

    expect(failures(plan)).toEqual([])
    expect(plan.exit).toBe(2)
    expect(await host.run(FILE_SYSTEM_HASH)).toBe(before)
  })

  test('the first run brings the service up', async () => {
    const run = await msingi('apply', ...project)

    expect(failures(run)).toEqual([])
    expect(run.exit).toBe(0)
    expect(await host.run('busybox wget -q -O - http://127.0.0.1:8080/')).toContain('<h1>Clinic</h1>')
    expect(await host.run('systemctl is-active tidy-up.timer')).toBe('active\n')
  })

  test('the second run changes nothing', async () => {
    const run = await msingi('apply', ...project)

    expect(tasksThat(run, 'changed')).toEqual([])
    expect(run.exit).toBe(0)
  })

  test('sshd still lets the operator in with the new settings', async () => {
    await host.run('systemctl restart ssh')

    const facts = await msingi('drift', ...project)

    expect(failures(facts)).toEqual([])
    expect(facts.exit).toBe(0)
  })
})
