import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OpenLab } from '../../src/lab/state.ts'
import { byHand, cycles, type Handled } from '../live/modules/by-hand.ts'
import { testCycle } from '../live/modules/cycle-tests.ts'
import { BOX } from '../live/support/box.ts'
import { msingi, tasksThat } from '../live/support/msingi.ts'
import { asRoot, endLab, startLab, STRANGER } from './support/lab.ts'

/** Packet filters, kernel settings and an authority of ACME: what a container has not. One machine for all. */
const PACKAGES = ['docker.io', 'docker-cli', 'ufw', 'pebble', 'certbot', 'curl']

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
