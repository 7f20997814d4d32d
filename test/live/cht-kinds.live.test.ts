import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildChtDouble, writeComposeFiles } from '../doubles/cht/images.ts'
import { ROOT } from '../support/source-tree.ts'
import { PASSWORD, startChtHost } from './support/cht.ts'
import { startDockerHost } from './support/docker.ts'
import { stopHosts, type LiveHost } from './support/hosts.ts'
import { failures, inventoryOf, msingi, tasksThat } from './support/msingi.ts'

const VERSION = '5.2.0'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cht-kinds-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a database of three nodes', () => {
  let host: LiveHost
  let project: readonly string[]
  const accepted = ['-e', 'cht_accept_cluster:=true']

  beforeAll(async () => {
    const started = await startChtHost(folder, { version: VERSION, couchdb: 'clustered' })
    host = started.host
    project = [started.playbook, '-i', inventoryOf([host]), '--skip-tags', 'machine']
  }, 600_000)
  afterAll(() => stopHosts([host]))

  const members = (): Promise<string> =>
    host.run(`node=$(docker ps -q --filter label=com.docker.compose.service=couchdb-1.local)
    curl -sf -u medic:${PASSWORD} "http://$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' $node):5984/_membership"`)

  test('is refused where nobody says that its price is known', { timeout: 300_000 }, async () => {
    expect(failures(await msingi('apply', ...project)).join()).toContain('cht_accept_cluster')
  })

  test(
    'is set up in one run, and serves; a second run changes nothing, and drift finds nothing',
    { timeout: 900_000 },
    async () => {
      expect(failures(await msingi('apply', ...project, ...accepted))).toEqual([])
      expect(await host.run('curl -sk -H "Accept: application/json" https://127.0.0.1/setup/poll')).toMatch(
        /"ready": *true/,
      )
      expect(JSON.parse(await members())).toMatchObject({
        all_nodes: [1, 2, 3].map(node => `couchdb@couchdb-${node}.local`),
      })
      const again = await msingi('apply', ...project, ...accepted)
      const drift = await msingi('drift', ...project, ...accepted)
      expect(tasksThat(again, 'changed')).toEqual([])
      expect([...tasksThat(drift, 'would_change'), ...tasksThat(drift, 'unknown')]).toEqual([])
    },
  )

  test('a node that is gone is brought back with its data', { timeout: 300_000 }, async () => {
    await host.run(
      'docker rm --force $(docker ps -q --filter label=com.docker.compose.service=couchdb-2.local)',
    )
    expect(await host.run('cht-host running || echo down')).toContain('down')

    expect(failures(await msingi('apply', ...project, ...accepted))).toEqual([])
    expect(await host.run('cht-host running && cht-host ready && echo whole')).toContain('whole')
  })

  test('where the data of one node are gone nothing starts', { timeout: 300_000 }, async () => {
    await host.run(`systemctl stop orderly-stop docker.socket docker
    mv /srv/cht/couchdb-3 /srv/cht/away && mkdir /srv/cht/couchdb-3`)

    expect(await host.run('systemctl start docker || echo refused')).toContain('refused')
    await host.run('rmdir /srv/cht/couchdb-3 && mv /srv/cht/away /srv/cht/couchdb-3')
    expect(failures(await msingi('apply', ...project, ...accepted))).toEqual([])
  })
})

describe('playbooks/dev.yml', () => {
  let host: LiveHost
  beforeAll(async () => {
    await publish(join(folder, 'published'))
    host = await startDockerHost({ media: { [join(folder, 'published')]: '/published' } })
    await host.run(`set -e
      docker load -q -i /published/images.tar
      systemd-run --quiet --unit=published busybox httpd -f -p 127.0.0.1:8099 -h /published`)
  }, 600_000)
  afterAll(() => stopHosts([host]))

  test('serves CHT from what its authors publish', { timeout: 600_000 }, async () => {
    const at = 'http://127.0.0.1:8099'
    const servers = { cht_builds: at, cht_upgrade_service_compose: `${at}/upgrade-service.yml` }
    const inventory = inventoryOf([{ ...host, name: 'localhost' }])
    const dev = ['playbooks/dev.yml', '-i', inventory, '-e', JSON.stringify(servers)]

    expect(failures(await msingi('apply', ...dev))).toEqual([])
    expect(await host.run('curl -sk https://127.0.0.1:10443/api/info')).toContain(VERSION)
    expect(tasksThat(await msingi('apply', ...dev), 'changed')).toEqual([])
  })
})

/** Lays out what a registry and the server of builds hold of one version. */
async function publish(place: string): Promise<void> {
  const names = await buildChtDouble(() => undefined)
  writeComposeFiles(join(place, `medic:medic:${VERSION}`, 'docker-compose'), VERSION)
  copyFileSync(join(ROOT, 'test/doubles/cht/compose/upgrade-service.yml'), join(place, 'upgrade-service.yml'))
  const images = names.filter(name => name.endsWith(`:${VERSION}`) || name.includes('upgrade-service'))
  execFileSync('docker', ['save', '--output', join(place, 'images.tar'), ...images])
}
