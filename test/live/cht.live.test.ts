import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startChtHost } from './support/cht.ts'
import { stopHosts, type LiveHost } from './support/hosts.ts'
import { failures, inventoryOf, msingi, tasksThat } from './support/msingi.ts'

/** Docker and CHT from a bundle alone, on a host that knows no other packages and no registry. Each test goes on from the one before. */
let host: LiveHost
let folder: string
let playbook: string
let project: readonly string[]

const VERSION = '5.1.3'

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cht-'))
  ;({ host, playbook } = await startChtHost(folder, {
    version: VERSION,
    packages: ['nut-server', 'nut-client', 'certbot', 'pebble'],
  }))
  project = projectWith(inventoryOf([host]))
})
afterAll(async () => {
  await stopHosts(host ? [host] : [])
  rmSync(folder, { recursive: true, force: true })
})

test('one command brings up Docker and CHT, which serves over TLS', { timeout: 900_000 }, async () => {
  const run = await msingi('apply', ...project)

  expect(failures(run)).toEqual([])
  expect(await host.run('curl -sk -H "Accept: application/json" https://127.0.0.1/setup/poll')).toMatch(
    /"ready": *true/,
  )
  expect(await host.run('curl -sk https://127.0.0.1/api/info')).toContain(VERSION)
  expect(await host.run('stat -c %a,%U /srv/cht/upgrade-service/.env; stat -c %a /srv/cht')).toBe(
    '600,root\n750\n',
  )
  expect(await host.run('apt-mark showhold')).toBe('containerd\ndocker-cli\ndocker-compose\ndocker.io\n')
})

test('a second run changes nothing, and drift finds nothing', { timeout: 300_000 }, async () => {
  const again = await msingi('apply', ...project)
  const drift = await msingi('drift', ...project)

  expect(tasksThat(again, 'changed')).toEqual([])
  expect([...tasksThat(drift, 'would_change'), ...tasksThat(drift, 'unknown')]).toEqual([])
  expect([again.exit, drift.exit]).toEqual([0, 0])
})

test('wrecks of all sorts are repaired by one more run', { timeout: 600_000 }, async () => {
  await host.run(`set -e
    docker rm --force $(docker ps --quiet --filter label=com.docker.compose.service=sentinel)
    docker stop $(docker ps --quiet --filter label=com.docker.compose.service=cht-upgrade-service)
    sed -i 's/^COUCHDB_SECRET=.*/COUCHDB_SECRET=changed-by-hand/' /srv/cht/upgrade-service/.env
    rm /srv/cht/compose/cht-core.yml
    chown root:root /srv/cht/couchdb/shards
    dpkg --unpack /opt/msingi/bundle/apt/docker-compose_*.deb`)

  const run = await msingi('apply', ...project)

  expect(failures(run)).toEqual([])
  expect(await host.run('cht-host running && cht-host ready && cht-host check && echo whole')).toContain(
    'whole',
  )
  expect(await host.run('stat -c %u /srv/cht/couchdb/shards')).toBe('5984\n')
  expect(await host.run(`dpkg-query -W -f '\${Status}' docker-compose`)).toBe('hold ok installed')
  expect(tasksThat(await msingi('drift', ...project), 'would_change')).toEqual([])
})

test('the check after a start tells how long it took and what it found', async () => {
  await host.run('systemctl start boot-check; while systemctl is-active boot-check; do sleep 1; done')

  const found = JSON.parse(await host.run('cat /var/lib/boot-check/last.json')) as Record<string, unknown>
  expect(found).toMatchObject({ unclean: false, done: true, problems: [] })
  expect(found['ready_after']).toBeGreaterThan(0)
  expect(await host.run('cat /var/lib/prometheus/node-exporter/boot_check.prom')).toContain(
    `boot_check_ready_seconds ${String(found['ready_after'])}\n`,
  )
})

test(
  'where the data are gone nothing starts, by no way; once they are back a run starts it all',
  { timeout: 300_000 },
  async () => {
    await host.run(`systemctl stop orderly-stop docker.socket docker
    mv /srv/cht/couchdb /srv/cht/couchdb.away && mkdir /srv/cht/couchdb`)

    expect(await host.run('systemctl start docker || echo refused')).toContain('refused')
    const run = await msingi('apply', ...project)

    expect(run.exit).toBe(1)
    expect(await host.run('ls -A /srv/cht/couchdb')).toBe('')
    await host.run('rmdir /srv/cht/couchdb && mv /srv/cht/couchdb.away /srv/cht/couchdb')
    expect(failures(await msingi('apply', ...project))).toEqual([])
  },
)

test('another version is refused, before anything is changed', { timeout: 300_000 }, async () => {
  const run = await msingi('apply', ...project, '-e', 'cht_version=5.2.0')

  expect(failures(run).map(failure => failure.split(': ').slice(0, 2).join(': '))).toEqual([
    'host1: Change neither the version nor the sort of database by the way',
  ])
  expect(tasksThat(run, 'changed')).toEqual([])
})

test(
  'at the end of its battery it goes down in order, and is back when it is switched on',
  { timeout: 600_000 },
  async () => {
    const state = (status: string): string =>
      `printf 'ups.status: ${status}\\nTIMER 300\\n' > /etc/nut/test.dev`
    await host.run(`mkdir -p /etc/nut && ${state('OL')}`)
    const run = await msingi('apply', ...project, '-e', JSON.stringify(UPS))
    expect(failures(run)).toEqual([])
    // upsd says WAIT until it has heard of its driver.
    await until(async () => (await host.run('upsc ups@localhost ups.status 2>/dev/null || :')) === 'OL\n')

    await host.run(`${state('OB LB')}; systemctl restart nut-driver@ups`)
    await until(() => container('inspect', '--format', '{{.State.Running}}') === 'false')
    writeFileSync(join(folder, 'test.dev'), 'ups.status: OL\nTIMER 300\n')
    execFileSync('docker', ['cp', join(folder, 'test.dev'), `${host.container}:/etc/nut/test.dev`])
    container('start')
    // Where other containers came meanwhile, it has another address now.
    const address = container('inspect', '--format', '{{.NetworkSettings.IPAddress}}')
    project = projectWith(inventoryOf([{ ...host, address }]))
    await until(async () => (await host.run('cht-host ready && echo back || :')).includes('back'))
    await until(async () => (await host.run('cat /var/lib/boot-check/last.json')).includes('"done": true'))

    expect(JSON.parse(await host.run('cat /var/lib/boot-check/last.json'))).toMatchObject({
      unclean: false,
      problems: [],
    })
  },
)

test(
  'an authority issues the certificate, which is shown at once and after each renewal',
  { timeout: 600_000 },
  async () => {
    await host.run(AUTHORITY)
    const withAcme = [...project, '-e', 'cht_tls=acme', '-e', 'cht_acme_server=https://localhost:14000/dir']
    expect(failures(await msingi('plan', ...withAcme))).toEqual([])
    expect(failures(await msingi('apply', ...withAcme))).toEqual([])
    const first = await shown()
    expect(first).toMatch(/Pebble Intermediate/)

    const drift = await msingi('drift', ...withAcme)
    expect([...tasksThat(drift, 'would_change'), ...tasksThat(drift, 'unknown')]).toEqual([])

    await host.run('certbot renew --quiet --force-renewal --no-random-sleep-on-renew')
    const second = await shown()
    expect(second).toMatch(/Pebble Intermediate/)
    expect(second).not.toBe(first)

    // Whoever put another one in its place is found out, and the issued one is shown again.
    await host.run(`cd "$(docker volume inspect --format '{{.Mountpoint}}' cht_cht-ssl)" && cht-host reload-nginx &&
    openssl req -x509 -nodes -newkey rsa:2048 -subj /CN=stale -days 9 -out cert.pem -keyout key.pem 2>/dev/null && cht-host reload-nginx`)
    expect(await shown()).toMatch(/stale/)
    expect(failures(await msingi('apply', ...withAcme))).toEqual([])
    expect(await shown()).toBe(second)
  },
)

function projectWith(inventory: string): readonly string[] {
  return [playbook, '-i', inventory, '--skip-tags', 'machine']
}

/** What a client of the host is shown. */
function shown(): Promise<string> {
  return host.run(
    'openssl s_client -connect 127.0.0.1:443 -servername cht.example.org </dev/null 2>/dev/null | openssl x509 -noout -issuer -serial',
  )
}

/** An authority on the host that proves names over port 80, as one in the internet does; the host trusts it. */
const AUTHORITY = `set -e
  apt-get install --quiet --yes --no-install-recommends pebble >/dev/null
  mkdir /srv/authority && cd /srv/authority
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out ca.pem -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
  cp ca.pem /usr/local/share/ca-certificates/authority.crt && update-ca-certificates >/dev/null 2>&1
  echo '127.0.0.1 cht.example.org' >>/etc/hosts
  printf '%s\\n' '{ "pebble": { "listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
    "certificate": "/srv/authority/ca.pem", "privateKey": "/srv/authority/key.pem", "httpPort": 80, "tlsPort": 443 } }' >pebble.json
  systemd-run --quiet --unit=authority --setenv=PEBBLE_VA_NOSLEEP=1 --setenv=PEBBLE_WFE_NONCEREJECT=0 pebble -config $PWD/pebble.json
  for i in $(seq 60); do curl -sf https://localhost:14000/dir >/dev/null && exit 0; sleep 1; done; exit 1`

const UPS = {
  power_ups_driver: 'dummy-ups',
  power_ups_port: 'test.dev',
  power_ups_settings: { mode: 'dummy-loop' },
  power_ups_password: 'between-parts-of-nut',
}

function container(...words: readonly string[]): string {
  return execFileSync('docker', [...words, host.container], { encoding: 'utf8' }).trim()
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await holds()) return
    await sleep(1000)
  }
  throw new Error('it does not come to hold within five minutes')
}
