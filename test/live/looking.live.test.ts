import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SYSTEMS, type System } from '../../scripts/hosts/image.ts'
import { startHosts, stopHosts, type LiveHost } from './support/hosts.ts'
import { failures, FILE_SYSTEM_HASH, inventoryOf, msingi, tasksThat } from './support/msingi.ts'

const FOLDER = join(import.meta.dirname, 'looking')
/** Playbooks of modules that only look, say or decide; all of them run as one. */
const PLAYBOOKS = readdirSync(FOLDER)
  .sort()
  .map(name => join(FOLDER, name))

describe.each(Object.keys(SYSTEMS) as System[])('modules that change nothing, on %s', os => {
  let hosts: readonly LiveHost[] = []

  beforeAll(async () => {
    hosts = await startHosts({ os })
  })
  afterAll(() => stopHosts(hosts))

  test.each(['plan', 'apply', 'drift'])('%s holds what they say, and writes nothing', async command => {
    const before = await hosts[0]?.run(FILE_SYSTEM_HASH)

    const run = await msingi(command, ...PLAYBOOKS, '-i', inventoryOf(hosts))

    expect(failures(run)).toEqual([])
    expect(['changed', 'would_change', 'unknown'].flatMap(status => tasksThat(run, status))).toEqual([])
    expect(run.exit).toBe(0)
    expect(await hosts[0]?.run(FILE_SYSTEM_HASH)).toBe(before)
  })
})
