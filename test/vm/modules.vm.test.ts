import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OpenLab } from '../../src/lab/state.ts'
import { byHand, cycles, shown, type Handled } from '../live/modules/by-hand.ts'
import { testCycle } from '../live/modules/cycle-tests.ts'
import { msingi, tasksThat } from '../live/support/msingi.ts'
import { asRoot, endLab, startLab, STRANGER } from './support/lab.ts'

/** Docker, packet filters, kernel settings and an authority of ACME: what a container has not. One machine for all. */
const PACKAGES = ['docker.io', 'docker-cli', 'docker-compose', 'ufw', 'pebble', 'certbot', 'curl']

/** An image for Docker that needs no registry: busybox and the libraries it is linked with. */
const BOX = `box=$(mktemp -d); mkdir -p $box/bin $box/tmp; cp /bin/busybox $box/bin/; for name in sh mkdir; do ln -s busybox $box/bin/$name; done
for lib in $(ldd /bin/busybox | grep -o '/[^ ]*'); do mkdir -p $box\${lib%/*}; cp -L $lib $box$lib; done
tar -C $box -c . | docker import -c 'ENV PATH=/bin' - local/box:1; rm -rf $box`

/** An emulated machine takes its time to let somebody in. */
const PATIENT = ['--timeout', '120']

let lab: OpenLab
let host: Handled
let inventory: string

beforeAll(async () => {
  lab = await startLab({ os: 'debian-13', packages: PACKAGES })
  host = { name: 'host1', run: script => asRoot(lab, 'host1', script) }
  inventory = join(lab.folder, 'inventory.yml')
  // What the host does by the clock, such as tidying /tmp, is not to be taken for what a plan wrote.
  await byHand(host, `systemctl stop '*.timer'\n${BOX}`)
})
afterAll(() => endLab(lab))

describe.each(cycles(join(import.meta.dirname, 'modules')))('$name, with a kernel of its own', cycle => {
  testCycle(cycle, () => ({ hosts: [host], inventory, flags: PATIENT }))
})

test('docker_prune removes what its plan lists, and nothing that is used', async () => {
  await byHand(
    host,
    `docker volume create cycle-kept; docker run -d --name user -v cycle-kept:/v local/box:1 busybox sleep 1000000
    docker run --name done local/box:1 busybox true; docker run --name anonymous -v /v local/box:1 busybox true && docker rm anonymous
    docker export done | docker import - cycle/loose:1 && docker export done | docker import -c 'ENV x=1' - cycle/loose:1`,
  )
  const site = join(import.meta.dirname, 'modules/docker_prune/site.yml')
  const plan = await msingi('plan', site, '-i', inventory, ...PATIENT)
  const apply = await msingi('apply', site, '-i', inventory, ...PATIENT)
  const again = await msingi('plan', site, '-i', inventory, ...PATIENT)

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

test('ports that Docker publishes pass ufw, and the rules of the page of nftables stop them', async () => {
  const asks = async (port: number): Promise<string> =>
    (
      await host.run(
        `ip netns exec out busybox wget -T 15 -q -O- http://10.99.0.1:${port}/ 2>/dev/null || echo no answer`,
      )
    ).trim()
  await byHand(
    host,
    `${STRANGER}
    mkdir -p /srv/open && echo open > /srv/open/index.html
    ufw allow 22/tcp && ufw default deny incoming && ufw --force enable
    systemd-run --quiet --unit=own busybox httpd -f -p 8096 -h /srv/open
    for port in 8095 8097; do docker run -d --name published$port -p $port:80 local/box:1 sh -c 'mkdir /www; echo open > /www/index.html; exec busybox httpd -f -h /www'; done
    for port in 8095 8097; do for i in 1 2 3 4 5 6 7 8 9; do curl -sf -m 5 http://127.0.0.1:$port/ && break; sleep 2; done; done`,
  )
  expect(await asks(8096)).toBe('no answer')
  expect([await asks(8095), await asks(8097)]).toEqual(['open', 'open'])

  const ran = await msingi(
    'apply',
    join(import.meta.dirname, 'modules/published/site.yml'),
    '-i',
    inventory,
    ...PATIENT,
  )

  expect([ran.exit, tasksThat(ran, 'failed')]).toEqual([0, []])
  expect(await asks(8095)).toBe('open')
  expect(await asks(8097)).toBe('no answer')
  await byHand(
    host,
    'nft delete table inet containers; docker rm -f published8095 published8097; ip netns del out',
  )
})
