import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { collect } from '../../src/bundle/collect.ts'
import { readWish } from '../../src/bundle/wish.ts'
import { powerCut } from '../../src/lab/drill-power-cut.ts'
import { theft } from '../../src/lab/drill-theft.ts'
import { playDrill, type DrillRecord, type Scenario } from '../../src/lab/drill.ts'
import { boot, cutPower } from '../../src/lab/machine.ts'
import { privateAddress } from '../../src/lab/identity.ts'
import { hostOf, type OpenLab } from '../../src/lab/state.ts'
import { openSources } from '../../src/syntax/files.ts'
import { buildChtDouble, writeComposeFiles } from '../doubles/cht/images.ts'
import { failures, msingi, tasksThat } from '../live/support/msingi.ts'
import { ROOT } from '../support/source-tree.ts'
import { asRoot, CACHE, endLab, rootShell, startLab } from '../vm/support/lab.ts'

/** From a bare machine to CHT on an encrypted disk that opens by itself. Each test goes on from the one before. */
let folder: string
let lab: OpenLab
let project: readonly string[]

const VERSION = '5.2.0'
const RECOVERY_KEY = 'river-mango-clinic-bicycle-lantern-harvest-drum'

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'site-'))
  const archive = await makeBundle()
  const disks = [
    { name: 'data', bytes: 6 * 2 ** 30 },
    { name: 'medium', bytes: 2 ** 30, content: join(folder, 'medium') },
  ]
  const hardware = { memory: 3.5 * 2 ** 30, cpus: 2, disks, tpm: true, internet: false }
  // The second machine is a bare one that gives the key away to whoever is in its network.
  lab = await startLab({ os: 'debian-13', hosts: 2, hardware, packages: ['tang', 'curl'] })
  writeFileSync(join(folder, 'recovery-key'), `${RECOVERY_KEY}\n`)
  mkdirSync(join(folder, 'group_vars'))
  writeFileSync(join(folder, 'groups.yml'), GROUPS)
  writeFileSync(join(folder, 'group_vars', 'all.yml'), variables(basename(archive)))
  const inventories = [join(lab.folder, 'inventory.yml'), join(folder, 'groups.yml')]
  project = ['playbooks/site.yml', '--limit', 'host1', ...inventories.flatMap(file => ['-i', file])]
  // tang would hold port 80, which CHT wants.
  await asRoot(
    lab,
    'host1',
    'systemctl disable --now tangd.socket; mkdir -p /medium && mount -o ro LABEL=medium /medium',
  )
}, 3_600_000)
afterAll(async () => {
  await endLab(lab)
  rmSync(folder, { recursive: true, force: true })
})

test(
  'one command makes a bare machine serve CHT from an encrypted disk',
  { timeout: 5_400_000 },
  async () => {
    const run = await msingi('apply', ...project, '-e', 'disk_erase=data')

    expect(failures(run)).toEqual([])
    expect(await poll()).toMatch(/"ready": *true/)
    expect(await asRoot(lab, 'host1', 'lsblk -nro TYPE,MOUNTPOINTS /dev/mapper/data')).toBe('crypt /srv\n')
  },
)

test('a second run changes nothing, and drift finds nothing', { timeout: 1_800_000 }, async () => {
  const again = await msingi('apply', ...project)
  const drift = await msingi('drift', ...project)

  expect(tasksThat(again, 'changed')).toEqual([])
  expect([...tasksThat(drift, 'would_change'), ...tasksThat(drift, 'unknown')]).toEqual([])
  expect([again.exit, drift.exit]).toEqual([0, 0])
})

test(
  'after a power cut it comes back by itself, with every acknowledged document',
  { timeout: 3_600_000 },
  async () => {
    const record = await drill(powerCut, { store: 'cht' })

    expect(record, record.reason).toMatchObject({ verdict: 'passed' })
    expect(await asRoot(lab, 'host1', 'cat /var/lib/prometheus/node-exporter/boot_check.prom')).toMatch(
      /^boot_check_unclean 1\n[^]*^boot_check_ready_seconds \d+$/m,
    )
  },
)

test(
  'where the volume does not open CHT does not start empty, and a run repairs it',
  { timeout: 3_600_000 },
  async () => {
    await asRoot(lab, 'host1', 'rm /etc/crypttab && sed -i /srv/d /etc/fstab && sync')
    await cutPower(lab, 'host1')
    await boot(lab, 'host1', { cache: CACHE })

    expect(
      await asRoot(lab, 'host1', 'systemctl start docker 2>/dev/null; systemctl is-active docker || :'),
    ).toMatch(/failed|inactive/)
    expect(await asRoot(lab, 'host1', 'mkdir -p /srv/cht/couchdb 2>/dev/null; ls -A /srv')).toBe('')

    expect(failures(await msingi('apply', ...project))).toEqual([])
    expect(await poll()).toMatch(/"ready": *true/)
  },
)

test('stolen disks tell nothing, and only the recovery key opens them', { timeout: 3_600_000 }, async () => {
  const record = await drill(theft, { 'recovery-key': join(folder, 'recovery-key') })

  expect(record, record.reason).toMatchObject({ verdict: 'passed' })
})

test('with a server of keys in place of its chip it comes back as well', { timeout: 3_600_000 }, async () => {
  const thumbprint = await asRoot(
    lab,
    'host2',
    'systemctl start tangd.socket; curl -fs http://127.0.0.1/adv >/dev/null; tang-show-keys',
  )
  const servers = [{ url: `http://${privateAddress(2)}`, thp: thumbprint.trim() }]
  const tang = ['-e', 'disk_unlock=tang', '-e', `disk_tang_servers:=${JSON.stringify(servers)}`]
  expect(failures(await msingi('apply', ...project, '--tags', 'disk', ...tang))).toEqual([])
  expect(await asRoot(lab, 'host1', 'cryptsetup luksDump /dev/disk/by-id/virtio-data')).not.toContain(
    'systemd-tpm2',
  )

  const record = await drill(powerCut, { store: 'cht' })
  expect(record, record.reason).toMatchObject({ verdict: 'passed' })
})

function poll(): Promise<string> {
  return asRoot(lab, 'host1', 'curl -sk -H "Accept: application/json" https://127.0.0.1/setup/poll')
}

function drill(scenario: Scenario, options: Readonly<Record<string, string>>): Promise<DrillRecord> {
  return playDrill(scenario, options, {
    lab,
    host: hostOf(lab, 'host1'),
    cache: CACHE,
    signal: new AbortController().signal,
    say: text => console.log(`drill: ${text}`),
    login: () => rootShell(lab, 'host1'),
    apply: () => Promise.reject(new Error('this drill applies nothing')),
  })
}

async function makeBundle(): Promise<string> {
  await buildChtDouble(text => console.log(`double: ${text}`))
  writeComposeFiles(join(folder, 'builds', VERSION), VERSION)
  const source = readWish(join(ROOT, 'bundles', 'ministry.yml'), openSources())
  const cht = {
    version: VERSION,
    couchdb: 'single' as const,
    builds: join(folder, 'builds'),
    upgrade_service: join(ROOT, 'test/doubles/cht/compose/upgrade-service.yml'),
  }
  return collect(
    { ...source, cht: [cht] },
    {
      folder: join(folder, 'medium'),
      made: '2026-01-01T00:00:00Z',
      say: () => undefined,
    },
  )
}

const GROUPS = `all:
  children:
    cht: { hosts: { host1: {} } }
    encrypted: { hosts: { host1: {} } }
`

function variables(archive: string): string {
  return `bundle_archive: /medium/${archive}
bundle_on_host: true
cht_bundle: /opt/msingi/bundle
disk_device: /dev/disk/by-id/virtio-data
disk_serial: data
disk_recovery_key: ${RECOVERY_KEY}
disk_swap_megabytes: 512
disk_escrow: ${folder}/escrow
docker_data_root: /srv/docker
cht_docker_data_root: /srv/docker
cht_version: ${VERSION}
cht_domain: cht.example.org
cht_password: seven-words-that-nobody-would-ever-guess
cht_secret: another-seven-words-for-the-cookies-here
cht_uuid: 00000000-0000-4000-8000-000000000001
power_mounts: [/srv]
power_settle: 5
waivers: [{ control: integrity-aide, owner: test, reason: takes too long when emulated, expires: '2099-12-31' }]
`
}
