import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { privateAddress } from '../../src/lab/identity.ts'
import { boot, cutPower } from '../../src/lab/machine.ts'
import type { OpenLab } from '../../src/lab/state.ts'
import { player } from '../live/roles/playing.ts'
import { failures, tasksThat } from '../live/support/msingi.ts'
import { asRoot, CACHE, endLab, startLab } from '../vm/support/lab.ts'

/** The role `disk_encryption` on one machine, opened in one way after the other; each test goes on from the one before. */
const PACKAGES = `cryptsetup systemd-cryptsetup tpm2-tools libtss2-rc0t64 libtss2-tcti-device0t64
  clevis clevis-luks clevis-systemd tang curl openssl psmisc`.split(/\s+/)
const KEY = 'river-mango-clinic-bicycle-lantern-harvest-drum'
/** Everything that makes a tree what it is; folders have other sizes on other file systems. */
const SUMS = `cd /home/records/ && find . -type f -print0 | sort -z | xargs -0 sha256sum
find . -printf '%y %p %m %U %G %l %n %T@\\n' | sort`

let lab: OpenLab
let folder: string
let play: ReturnType<typeof player>
let ways: Readonly<Record<string, object>>

const params = {
  disk_device: '/dev/disk/by-id/virtio-data',
  disk_serial: 'data',
  disk_recovery_key: KEY,
  disk_swap_megabytes: 32,
  disk_migrate: [{ from: '/home/records', to: '/srv/records' }],
}

const hand = (script: string): Promise<string> => asRoot(lab, 'host1', script)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'disk-ways-'))
  const disks = [
    { name: 'data', bytes: 2 ** 29 },
    { name: 'key', bytes: 2 ** 26 },
  ]
  const hardware = { memory: 2 ** 30, cpus: 2, disks, tpm: true, internet: false }
  lab = await startLab({ os: 'debian-13', hosts: 2, hardware, packages: PACKAGES })
  const thumbprint = await asRoot(
    lab,
    'host2',
    'systemctl start tangd.socket; curl -fs http://127.0.0.1/adv >/dev/null; tang-show-keys',
  )
  await hand(`mkfs.ext4 -q -L disk-key /dev/disk/by-id/virtio-key
    mkdir -p '/home/records/a b' && cd /home/records && echo précis > 'a b/one' && seq 100000 > two && ln two three
    ln -s two four && chmod 600 two && chown ops 'a b/one' && touch -d 2001-02-03 'a b/one'`)
  const all = player('disk_encryption', join(lab.folder, 'inventory.yml'), 'host1')
  play = (command, more) => all(command, { ...params, disk_escrow: join(folder, 'escrow'), ...more })
  ways = {
    tpm2: { disk_unlock: 'tpm2' },
    tang: {
      disk_unlock: 'tang',
      disk_tang_servers: [{ url: `http://${privateAddress(2)}`, thp: thumbprint.trim() }],
    },
    keyfile: { disk_unlock: 'keyfile' },
    manual: { disk_unlock: 'manual' },
  }
}, 1_800_000)
afterAll(async () => {
  await endLab(lab)
  rmSync(folder, { recursive: true, force: true })
})

let before: string

test('data that are there already move onto the volume, and are kept beside until somebody confirms', async () => {
  before = await hand(SUMS)
  const ran = await play('apply', { ...ways['tpm2'], disk_erase: 'data' })

  expect(failures(ran)).toEqual([])
  expect(await hand('readlink /home/records; findmnt -no SOURCE /srv')).toBe(
    '/srv/records\n/dev/mapper/data\n',
  )
  expect(await hand(SUMS)).toBe(before)
  expect(await hand('cat /home/records.before-move/two | sha256sum')).toBe(
    await hand('cat /srv/records/two | sha256sum'),
  )

  const confirmed = await play('apply', { ...ways['tpm2'], disk_migrate_confirmed: true })
  expect(failures(confirmed)).toEqual([])
  expect(await hand('ls -d /home/records.before-move 2>/dev/null || :')).toBe('')
})

describe.each(['tpm2', 'tang', 'keyfile'])('opened by %s', way => {
  test('a run settles it, and the next changes nothing', async () => {
    const ran = await play('apply', ways[way])
    const again = await play('apply', ways[way])
    const drift = await play('drift', ways[way])

    expect([...failures(ran), ...tasksThat(again, 'changed')]).toEqual([])
    expect([ran.exit, again.exit, drift.exit]).toEqual([0, 0, 0])
  })

  test('after a power cut it is there by itself', async () => {
    await cut()

    expect(
      await hand('for i in $(seq 150); do mountpoint -q /srv && break; sleep 1; done; cat /proc/swaps'),
    ).toMatch(/^\/srv\/[.]swap/m)
    expect(await hand(SUMS)).toBe(before)
  })

  test('nothing of another way is left that opens it', async () => {
    const dump = await hand('cryptsetup luksDump /dev/disk/by-id/virtio-data')

    expect(keys(dump)).toBe(2)
    expect([/systemd-tpm2/.test(dump), /clevis/.test(dump)]).toEqual([way === 'tpm2', way === 'tang'])
  })
})

test('opened by hand, it waits for a person who has the recovery key', async () => {
  const ran = await play('apply', ways['manual'])
  expect(failures(ran)).toEqual([])
  expect(keys(await hand('cryptsetup luksDump /dev/disk/by-id/virtio-data'))).toBe(1)
  await cut()

  expect(
    await hand(
      'sleep 30; mountpoint -q /srv || echo closed; touch /srv/x 2>/dev/null || echo kept; systemctl list-jobs --no-legend',
    ),
  ).toBe('closed\nkept\n')
  expect(await hand(`printf %s ${KEY} | disk-unlock-data`)).toContain('open and mounted')
  expect(await hand(SUMS)).toBe(before)
  expect((await play('drift', ways['manual'])).exit).toBe(0)
})

test('the header that was brought away opens with the recovery key', async () => {
  expect(
    await hand(`umask 077; cd /tmp && printf %s ${KEY} |
      openssl enc -d -aes-256-cbc -pbkdf2 -iter 600000 -pass stdin -in /var/lib/disk-encryption/data.luks-header.enc -out header
    printf %s ${KEY} | cryptsetup open --test-passphrase --key-file - --header header /dev/disk/by-id/virtio-data && echo opens; rm header`),
  ).toBe('opens\n')
})

/** How many keys open the volume. */
function keys(dump: string): number {
  return dump.split('Tokens:')[0]?.match(/^ {2}\d+: luks2/gm)?.length ?? 0
}

async function cut(): Promise<void> {
  await hand('sync')
  await cutPower(lab, 'host1')
  await boot(lab, 'host1', { cache: CACHE })
}
