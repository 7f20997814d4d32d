import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startHosts, stopHosts, type LiveHost } from '../support/hosts.ts'
import { eventsOf, failures, FILE_SYSTEM_HASH, inventoryOf, tasksThat, type Ran } from '../support/msingi.ts'
import { PACKAGES } from './packages.ts'
import { differences, player } from './playing.ts'

/** A script that prints a hash of all that the role could have set before it came to sshd. */
const SETTINGS =
  '{ find /etc /usr/share/pam-configs -type f -exec sha256sum {} +; dpkg -l; } | sort | sha256sum'
const LATER = '2099-12-31'
const waiver = (control: string, expires: string): object => ({
  control,
  expires,
  owner: 'supervisor',
  reason: 'a test',
})

// It takes minutes; Debian 12 has its turn in test/vm.
describe('hardening on debian-13', () => {
  let host: LiveHost
  let play: ReturnType<typeof player>

  beforeAll(async () => {
    ;[host] = (await startHosts({ os: 'debian-13', repo: PACKAGES })) as [LiveHost]
    play = player('hardening', inventoryOf([host]))
  }, 600_000)
  afterAll(() => stopHosts([host]))

  test('nothing at all is changed where the only login would be shut out', async () => {
    await host.run('cp /etc/ssh/authorized_keys.d/ops /etc/ssh/authorized_keys.d/root')
    const before = await host.run(SETTINGS)

    const root = await player('hardening', inventoryOf([{ ...host, user: 'root' }]))('apply')
    const stranger = await play('apply', { ssh_allow_groups: ['nobody-is-in-it'] })

    expect([codeOf(root), codeOf(stranger)]).toEqual(['SSHD_LOCKS_OUT', 'SSHD_LOCKS_OUT'])
    expect(await host.run(SETTINGS)).toBe(before)
    await host.run('rm /etc/ssh/authorized_keys.d/root')
  })

  test('a plan of a fresh host fails nowhere and writes nothing', async () => {
    const before = await host.run(FILE_SYSTEM_HASH)

    const plan = await play('plan')

    expect(failures(plan)).toEqual([])
    expect(plan.exit).toBe(2)
    expect(await host.run(FILE_SYSTEM_HASH)).toBe(before)
  })

  test('the host is hardened, and the login still works', async () => {
    const ran = await play('apply')
    const again = await play('apply')
    const drift = await play('drift')

    expect(failures(ran)).toEqual([])
    expect(tasksThat(again, 'changed')).toEqual([])
    expect([ran.exit, again.exit, drift.exit]).toEqual([0, 0, 0])
    const sshd = await host.run('sshd -T')
    for (const line of [
      'permitrootlogin no',
      'passwordauthentication no',
      'allowtcpforwarding no',
      'maxauthtries 3',
    ]) {
      expect(sshd).toContain(`${line}\n`)
    }
    expect(sshd).not.toMatch(/^ciphers .*cbc|^macs .*sha1/m)
    expect(await host.run('grep -c pam_faillock.so /etc/pam.d/common-auth /etc/pam.d/common-account')).toBe(
      '/etc/pam.d/common-auth:3\n/etc/pam.d/common-account:1\n',
    )
    expect(await host.run('visudo -c && sudo -l -U ops')).toContain('use_pty')
    expect(await host.run('fail2ban-client -t')).toContain('OK')
  }, 600_000)

  test('an account is locked after five wrong passwords', async () => {
    await host.run("useradd -m guest; echo 'guest:aVery-good-Password-9' | chpasswd")
    const state = await host.run(`for n in 1 2 3 4 5 6; do
        echo wrong | setpriv --reuid=ops --regid=ops --clear-groups su guest -c true >/dev/null 2>&1 || true
      done; faillock --user guest | grep -c -w V`)

    expect(Number(state)).toBe(5)
  })

  test('what is loosened by hand is named, and repaired', async () => {
    const found = async (): Promise<readonly string[]> =>
      differences(await play('drift')).map(line => line.slice(0, 50))

    await host.run(`sed -i s/pam_faillock/pam_permit/ /etc/pam.d/common-account
      sed -i s/use_pty/lecture/ /etc/sudoers.d/hardening`)
    expect(await found()).toEqual([
      'Lock accounts after five wrong passwords: export D',
      'Keep sudo to its own terminal and log: /etc/sudoer',
    ])
    expect((await play('apply')).exit).toBe(0)

    await host.run(
      "chmod 0755 /etc/cron.d; echo 'PermitRootLogin yes' > /etc/ssh/sshd_config.d/00-hardening.conf",
    )
    expect(await found()).toEqual([
      'Say who logs in over SSH, and how: /etc/ssh/sshd_c',
      'Keep files of the system to root: /etc/cron.d',
    ])
    expect((await play('apply')).exit).toBe(0)
    expect((await play('drift')).exit).toBe(0)
  })

  test('a control that is waived is left alone until the day that is named', async () => {
    await host.run('chmod 0755 /etc/cron.d')

    const waived = await play('drift', { waivers: [waiver('files-modes', LATER)] })
    const expired = await play('drift', { waivers: [waiver('files-modes', '2020-01-31')] })

    expect(waived.exit).toBe(0)
    expect(expired.exit).toBe(2)
    expect(tasksThat(waived, 'ok')).not.toContain('host1: Say which waivers have expired (files-modes)')
    expect(said(expired)).toContain('files-modes')
  })

  test.each([
    ['names no control', { ...waiver('files-mode', LATER) }],
    ['has no owner', { ...waiver('files-modes', LATER), owner: '' }],
    ['has no end', { ...waiver('files-modes', 'never') }],
  ])('a waiver that %s is refused', async (_, wrong) => {
    expect(codeOf(await play('plan', { waivers: [wrong] }))).toBe('ASSERTION_FAILED')
  })
})

function codeOf(ran: Ran): string | undefined {
  return eventsOf(ran, 'task_done').find(({ status }) => status === 'failed')?.failure?.code
}

function said(ran: Ran): string {
  return JSON.stringify(
    eventsOf(ran, 'task_done').flatMap(({ task, status, result }) =>
      task === 'Say which waivers have expired' && status === 'ok' ? [result] : [],
    ),
  )
}
