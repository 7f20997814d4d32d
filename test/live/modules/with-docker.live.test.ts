import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BOX } from '../support/box.ts'
import { startDockerHost } from '../support/docker.ts'
import { stopHosts, type LiveHost } from '../support/hosts.ts'
import { inventoryOf, msingi, tasksThat } from '../support/msingi.ts'
import { byHand, cycles, shown } from './by-hand.ts'
import { testCycle } from './cycle-tests.ts'

/** Ports that Docker publishes need a kernel of their own: test/vm/modules.vm.test.ts. */
const PLACE = join(import.meta.dirname, 'with-docker')

let host: LiveHost
let inventory: string

beforeAll(async () => {
  host = await startDockerHost()
  inventory = inventoryOf([host])
  await byHand(host, BOX)
}, 600_000)
afterAll(() => stopHosts([host]))

describe.each(cycles(PLACE))('$name', cycle => {
  testCycle(cycle, () => ({ hosts: [host], inventory }))
})

test('docker_prune removes what its plan lists, and nothing that is used', async () => {
  await byHand(
    host,
    `docker volume create cycle-kept; docker run -d --name user -v cycle-kept:/v local/box:1 busybox sleep 1000000
    docker run --name done local/box:1 busybox true; docker run --name anonymous -v /v local/box:1 busybox true && docker rm anonymous
    docker export done | docker import - cycle/loose:1 && docker export done | docker import -c 'ENV x=1' - cycle/loose:1`,
  )
  const site = join(PLACE, 'docker_prune/site.yml')
  const plan = await msingi('plan', site, '-i', inventory)
  const apply = await msingi('apply', site, '-i', inventory)
  const again = await msingi('plan', site, '-i', inventory)

  expect([plan.exit, apply.exit, again.exit, tasksThat(apply, 'failed')]).toEqual([2, 0, 0, []])
  expect(shown(plan, host)).toEqual(shown(apply, host))
  expect(shown(plan, host).some(row => row.startsWith('make room: prune container done'))).toBe(true)
  expect(shown(plan, host).some(row => row.includes('prune volume'))).toBe(true)
  await byHand(
    host,
    `docker volume inspect cycle-kept >/dev/null; docker inspect user >/dev/null; docker image inspect local/box:1 >/dev/null
    [ -z "$(docker images -q --filter dangling=true)" ]; if docker inspect done 2>/dev/null; then exit 1; fi; docker rm -f user`,
  )
})
