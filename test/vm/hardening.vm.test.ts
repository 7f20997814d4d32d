import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hostOf, loginKey, type OpenLab } from '../../src/lab/state.ts'
import { PACKAGES } from '../live/roles/packages.ts'
import { differences, player } from '../live/roles/playing.ts'
import { failures, msingi, tasksThat } from '../live/support/msingi.ts'
import { asRoot, endLab, startLab, STRANGER } from './support/lab.ts'

const exec = promisify(execFile)
/** An emulated machine takes minutes to read all its files. */
const PARAMS = {
  waivers: [{ control: 'integrity-aide', owner: 'test', reason: 'takes too long', expires: '2099-12-31' }],
}

let lab: OpenLab
let play: ReturnType<typeof player>

beforeAll(async () => {
  lab = await startLab({ packages: PACKAGES, publish: [80, 5984] })
  play = player('hardening', join(lab.folder, 'inventory.yml'))
  await asRoot(
    lab,
    'host1',
    'for port in 80 5984; do busybox httpd -p $port -h /srv; done; nft add table ip neighbour',
  )
})
afterAll(() => endLab(lab))

test('before, everything that listens is reached from outside', async () => {
  expect([await answers(80), await answers(5984)]).toEqual([true, true])
})

test('a firewall that would lock us out is taken back', async () => {
  const ran = await play('apply', { ...PARAMS, ssh_port: 2222 })

  expect(ran.exit).toBe(1)
  expect(failures(ran).join()).toContain('Let in what is served, and nothing else')
  expect(await asRoot(lab, 'host1', 'nft list tables')).not.toContain('hardening')
})

test('an address of another network is taken back', async () => {
  const file = join(import.meta.dirname, 'hardening/wrong-address.yml')

  const ran = await msingi('apply', file, '-i', join(lab.folder, 'inventory.yml'), '-y')

  expect(ran.exit).toBe(1)
  expect(failures(ran).join()).toContain('Move the host to where nobody finds it')
  expect(await asRoot(lab, 'host1', 'cat /etc/systemd/network/10-outer.network; ip -4 addr')).not.toContain(
    '10.99.99.99',
  )
})

test('the host is hardened, a second run changes nothing, and nothing differs', async () => {
  const ran = await play('apply', PARAMS)
  const again = await play('apply', PARAMS)
  const drift = await play('drift', PARAMS)

  expect(failures(ran)).toEqual([])
  expect(tasksThat(again, 'changed')).toEqual([])
  expect([ran.exit, again.exit, drift.exit]).toEqual([0, 0, 0])
})

test('from outside, only what is served answers', async () => {
  expect([await answers(80), await answers(5984)]).toEqual([true, false])
  expect(await asRoot(lab, 'host1', 'nft list chain inet hardening forward')).toContain('policy drop')
  expect(await asRoot(lab, 'host1', 'nft list tables')).toContain('table ip neighbour')
})

test('ssh lets in the key, and no password', async () => {
  const { port } = hostOf(lab, 'host1')
  const known = `UserKnownHostsFile=${join(lab.folder, 'known_hosts')}`
  const login = (...options: readonly string[]): Promise<unknown> =>
    exec('ssh', [
      '-p',
      String(port),
      '-o',
      known,
      '-o',
      'BatchMode=yes',
      '-o',
      'IdentityAgent=none',
      ...options,
      'ops@127.0.0.1',
      'true',
    ])

  await login('-i', loginKey(lab))
  await expect(login('-o', 'PubkeyAuthentication=no')).rejects.toThrow(/Permission denied \(publickey\)/)
})

test('connections that end before a login shut nobody out, failed logins do', async () => {
  const bans = (): Promise<string> => asRoot(lab, 'host1', 'sleep 5; fail2ban-client status sshd')
  for (let count = 0; count < 8; count += 1) await hangUp(hostOf(lab, 'host1').port)
  expect(await bans()).toMatch(/Currently banned:\s+0\n/)

  await asRoot(
    lab,
    'host1',
    `${STRANGER}
    for count in 1 2 3 4 5 6; do ip netns exec out ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null nobody-here@10.99.0.1 true; done; ip netns del out`,
  )
  expect(await bans()).toMatch(/Banned IP list:\s+10\.99\.0\.2\n/)
})

test('what is loosened by hand is named, and repaired', async () => {
  await asRoot(
    lab,
    'host1',
    `nft add rule inet hardening input accept; sysctl -q -w kernel.kptr_restrict=0
    mount -o remount,exec /tmp; systemctl disable -q auditd
    rm ${USB}; echo 'data /dev/disk/by-label/data /medium/key luks,noauto,keyfile-timeout=30s' >>/etc/crypttab`,
  )

  const found = differences(await play('drift', PARAMS))

  // USB disks are let in where a key on one opens a disk.
  expect(found).toEqual([
    'Set the kernel: kernel.kptr_restrict',
    'Keep /tmp in memory, without programs: /tmp',
    'Record it: auditd.service',
    'Let in what is served, and nothing else: inet hardening input',
  ])
  await asRoot(lab, 'host1', 'sed -i /by-label.data/d /etc/crypttab')
  const repaired = await play('apply', PARAMS)
  expect(repaired.exit).toBe(0)
  expect(tasksThat(repaired, 'changed').join()).toContain('Take no USB disks')
  expect((await play('drift', PARAMS)).exit).toBe(0)
})

const USB = '/etc/modprobe.d/hardening-usb-storage.conf'

/** Connects, reads who answers, and goes. */
function hangUp(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('data', () => socket.destroy()).once('close', () => resolve())
    socket.once('error', reject)
  })
}

/** Whether a port of the host answers to a request from outside. */
function answers(port: number): Promise<boolean> {
  const outside = hostOf(lab, 'host1').published[String(port)]
  if (outside === undefined) throw new Error(`port ${port} is not published`)
  return new Promise(resolve => {
    const socket = connect(outside, '127.0.0.1', () => socket.write('GET / HTTP/1.0\r\n\r\n'))
    const end = (found: boolean): void => {
      socket.destroy()
      resolve(found)
    }
    socket.setTimeout(20_000, () => end(false))
    socket
      .once('data', () => end(true))
      .once('error', () => end(false))
      .once('close', () => end(false))
  })
}
