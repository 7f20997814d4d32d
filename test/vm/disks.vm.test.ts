import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { boot, cutPower } from '../../src/lab/machine.ts'
import type { OpenLab } from '../../src/lab/state.ts'
import { filesystem } from '../../src/modules/filesystem.ts'
import { blockFamily } from '../../src/probes/block.ts'
import { eventsOf, msingi, tasksThat, type Ran } from '../live/support/msingi.ts'
import { asRoot, CACHE, endLab, startLab } from './support/lab.ts'

const PACKAGES = [
  'parted',
  'lvm2',
  'xfsprogs',
  'dosfstools',
  'clevis',
  'clevis-luks',
  'clevis-systemd',
  'tang',
  'cryptsetup',
  'libtss2-esys-3.0.2-0',
  'libtss2-mu0',
  'libtss2-rc0',
  'libtss2-tcti-device0',
]
const DISK = 2 ** 28

let lab: OpenLab
/** Thumbprint of the tang server on the machine itself. */
let thumbprint: string

beforeAll(async () => {
  const disks = ['data', 'spare', 'used'].map(name => ({ name, bytes: name === 'spare' ? 2 * DISK : DISK }))
  lab = await startLab({
    packages: PACKAGES,
    hardware: { memory: 2 ** 30, cpus: 1, disks, tpm: true, internet: false },
  })
  const prepare = `systemctl start tangd.socket; curl -fs http://127.0.0.1/adv >/dev/null
    for d in spare used; do mkfs.ext4 -q -L $d /dev/disk/by-id/virtio-$d; done
    mkdir -p /mnt/used; mount /dev/disk/by-id/virtio-used /mnt/used; echo precious >/mnt/used/file; sync
    tang-show-keys`
  thumbprint = (await hand(prepare)).trim()
})
afterAll(() => endLab(lab))

test('a disk with data, a mounted disk and another disk are refused, and nothing on them is altered', async () => {
  // The system works on its root disk meanwhile, but ext4 leaves alone the place where a partition table would begin.
  const sums = `sync; sha256sum /dev/disk/by-id/virtio-spare /dev/disk/by-id/virtio-used
    head -c 1024 /dev/disk/by-id/virtio-root | sha256sum`
  const before = await hand(sums)

  const ran = await msingi('apply', join(import.meta.dirname, 'disks/refused.yml'), '-i', inventory(), '-y')

  expect(eventsOf(ran, 'task_done').map(({ failure }) => failure?.code)).toEqual([
    'DEVICE_HOLDS_DATA',
    'DISK_IS_ANOTHER',
    'DEVICE_HOLDS_DATA',
    'DEVICE_HOLDS_DATA',
    'DEVICE_HOLDS_DATA',
    'DEVICE_IN_USE',
    'DEVICE_IN_USE',
    'DEVICE_IN_USE',
    'DISK_IS_ANOTHER',
  ])
  expect(await hand(sums)).toBe(before)
})

test('a device that moved between the look and the act is left as it is', async () => {
  const device = (await hand('truncate -s 64M /root/image; losetup -f --show /root/image')).trim()
  const out = await hand(blockFamily.script([device]).text)
  const [block] = blockFamily.parse({ code: 0, out, err: '', encoding: 'utf8', ms: 0 }, [device])
  const params = filesystem.params.parse({ dev: device, fstype: 'ext4' })
  const state = { block: block ?? null }
  const [action] = filesystem.apply(filesystem.diff(params, state), params, state)
  if (action?.do !== 'run') throw new Error('no script')
  const before = await hand(`mkfs.ext4 -q ${device}; sync; sha256sum ${device}`)

  const ended = await hand(
    `( ${action.script.text}\n) >/dev/null 2>&1; echo $?; sha256sum ${device}; losetup -d ${device}`,
  )

  expect(ended).toBe(`1\n${before}`)
})

test('from an empty disk to a mounted volume: all is foreseen, made, and left alone the next time', async () => {
  const plan = await site('plan')
  const first = await site('apply')
  const again = await site('apply')

  // What a copy of the header will be held against is known only once the header is made.
  const copy = 'keep the header: header copy /root/data.header'
  expect([plan.exit, tasksThat(plan, 'unknown'), tasksThat(plan, 'failed')]).toEqual([
    2,
    ['host1: keep the header'],
    [],
  ])
  expect([first.exit, shown(first).filter(row => row !== copy)]).toEqual([0, shown(plan)])
  expect(shown(first)).toContain(copy)
  expect([again.exit, tasksThat(again, 'changed')]).toEqual([0, []])
  const seen = await hand(`set -e
    findmnt -no SOURCE,FSTYPE /srv/data; blkid -p -s LABEL -o value /dev/mapper/data
    cryptsetup luksDump /dev/disk/by-id/virtio-data-part1 | grep -cE '^  [0-9]: (systemd-tpm2|clevis)$'
    stat -c %a:%s /root/data.header; clevis luks list -d /dev/disk/by-id/virtio-data-part1 | cut -d: -f1
    lvs --noheadings -o lv_size --units m more/couch; findmnt -no SOURCE /srv/couch`)
  expect(seen.split('\n').map(row => row.trim().replaceAll(/ +/g, ' '))).toEqual([
    '/dev/mapper/data ext4',
    'data',
    '2',
    '600:16777216',
    '2',
    '200.00m',
    '/dev/mapper/more-couch',
    '',
  ])
  expect(JSON.stringify([plan, first, again])).not.toContain('a passphrase of this test')
})

test('what is altered by hand is what drift names, and what a run repairs', async () => {
  await hand(`set -e
    systemd-cryptenroll --wipe-slot=tpm2 /dev/disk/by-id/virtio-data-part1
    sed -i 's/,nofail$//' /etc/crypttab; e2label /dev/more/couch other`)

  const drift = await site('drift')
  const repair = await site('apply')

  expect([drift.exit, tasksThat(drift, 'would_change')]).toEqual([
    2,
    ['host1: enrol the chip', 'host1: open at the start', 'host1: make the other file system'],
  ])
  expect([repair.exit, tasksThat(repair, 'changed')]).toEqual([
    0,
    [
      'host1: enrol the chip',
      'host1: open at the start',
      'host1: keep the header',
      'host1: make the other file system',
    ],
  ])
})

test('a mounted volume grows with its file system, and is never made smaller', async () => {
  const size = (): Promise<string> => hand('df --output=size -m /srv/couch | tail -n 1')
  const before = Number(await size())

  const grown = await site('apply', '-e', 'size=400M')
  const shrunk = await site('apply', '-e', 'size=100M')

  expect([grown.exit, tasksThat(grown, 'changed')]).toEqual([
    0,
    ['host1: volume', 'host1: make the other file system'],
  ])
  expect(Number(await size())).toBeGreaterThan(before + 150)
  expect(eventsOf(shrunk, 'task_done').at(-1)?.failure?.code).toBe('WOULD_SHRINK')
})

test('after a power cut the volume opens by itself, and the server would open it as well', async () => {
  await hand('echo precious >/srv/data/file; sync')

  await cutPower(lab, 'host1')
  await boot(lab, 'host1', { cache: CACHE })

  const seen = await hand(`set -e
    for i in $(seq 40); do findmnt /srv/data >/dev/null && break; sleep 2; done
    cat /srv/data/file; systemctl is-active systemd-cryptsetup@data.service
    clevis luks pass -d /dev/disk/by-id/virtio-data-part1 -s 2 | wc -c`)
  expect(seen).toMatch(/^precious\nactive\n[1-9]\d+\n$/)
  const again = await site('apply', '-e', 'size=400M')
  expect([again.exit, tasksThat(again, 'changed')]).toEqual([0, []])
})

function site(command: 'plan' | 'apply' | 'drift', ...options: readonly string[]): Promise<Ran> {
  const yes = command === 'apply' ? ['-y'] : []
  const playbook = join(import.meta.dirname, 'disks/site.yml')
  return msingi(command, playbook, '-i', inventory(), '-e', `thp=${thumbprint}`, ...options, ...yes)
}

function inventory(): string {
  return join(lab.folder, 'inventory.yml')
}

function hand(script: string): Promise<string> {
  return asRoot(lab, 'host1', script)
}

/** Returns what was found or done, as `task: kind what`. */
function shown(ran: Ran): readonly string[] {
  return eventsOf(ran, 'task_done').flatMap(({ task, changes }) =>
    changes.map(({ kind, what }) => `${task}: ${kind} ${what}`),
  )
}
