import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeBaseline, type Baseline } from '../../bench/baseline/generate.ts'
import { startHosts, stopHosts, type LiveHost } from './support/hosts.ts'
import { eventsOf, failures, FILE_SYSTEM_HASH, inventoryOf, msingi, tasksThat } from './support/msingi.ts'

/** Packages are in the image already; all other tasks find something to do on a fresh host. */
const FIRST_CHANGES = 44

describe('fifty tasks in plain Ansible syntax', () => {
  const folder = mkdtempSync(join(tmpdir(), 'msingi-baseline-'))
  let baseline: Baseline
  let host: LiveHost
  let project: readonly string[]

  beforeAll(async () => {
    baseline = writeBaseline(folder)
    const hosts = await startHosts({ os: 'debian-12' })
    const [first] = hosts
    if (first === undefined) throw new Error('no host')
    host = first
    project = [baseline.playbook, '-i', inventoryOf(hosts)]
  })
  afterAll(async () => {
    await stopHosts([host])
    rmSync(folder, { recursive: true })
  })

  test('a plan of a fresh host foresees the changes, and writes nothing', async () => {
    const before = await host.run(FILE_SYSTEM_HASH)

    const plan = await msingi('plan', ...project)

    expect(plan.exit).toBe(2)
    expect(failures(plan)).toEqual([])
    expect(tasksThat(plan, 'would_change').length + tasksThat(plan, 'unknown').length).toBe(FIRST_CHANGES)
    expect(await host.run(FILE_SYSTEM_HASH)).toBe(before)
  })

  test('the first run makes the host what the tasks say', async () => {
    const before = await host.run(FILE_SYSTEM_HASH)

    const run = await msingi('apply', ...project)

    expect(run.exit).toBe(0)
    expect(await host.run(FILE_SYSTEM_HASH)).not.toBe(before)
    expect(tasksThat(run, 'changed')).toHaveLength(FIRST_CHANGES)
    expect(eventsOf(run, 'host_done').map(({ frames }) => frames <= FIRST_CHANGES + 4)).toEqual([true])
    expect(await host.run(readFileSync(baseline.verify, 'utf8'))).toBe('verify-ok\n')
  })

  test('the second run changes nothing, in 4 frames and 40 KB', async () => {
    const run = await msingi('apply', ...project)

    expect(run.exit).toBe(0)
    expect(tasksThat(run, 'changed')).toEqual([])
    expect(tasksThat(run, 'ok')).toHaveLength(50)
    const [done] = eventsOf(run, 'host_done')
    expect(done?.frames).toBeLessThanOrEqual(4)
    expect((done?.bytes_sent ?? Infinity) + (done?.bytes_received ?? Infinity)).toBeLessThanOrEqual(40_000)
  })

  test('drift finds nothing on it, and writes nothing', async () => {
    const before = await host.run(FILE_SYSTEM_HASH)

    const drift = await msingi('drift', ...project)

    expect(drift.exit).toBe(0)
    expect(await host.run(FILE_SYSTEM_HASH)).toBe(before)
  })

  test('drift names exactly what was changed by hand, and apply repairs exactly that', async () => {
    await host.run(
      'echo "key99 = x" >> /etc/perf/file-3.conf; chmod 0700 /opt/perf/data; systemctl stop perf-2.service',
    )
    const broken = ['file /etc/perf/file-3.conf', 'directory /opt/perf/data', 'service perf-2.service']
    const named = broken.map(task => `${host.name}: ${task}`)

    const drift = await msingi('drift', ...project)
    const repair = await msingi('apply', ...project)

    expect(drift.exit).toBe(2)
    expect([...tasksThat(drift, 'would_change')].sort()).toEqual([...named].sort())
    expect(repair.exit).toBe(0)
    expect([...tasksThat(repair, 'changed')].sort()).toEqual([...named].sort())
    expect(await host.run(readFileSync(baseline.verify, 'utf8'))).toBe('verify-ok\n')
  })
})
