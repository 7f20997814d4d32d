import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SYSTEMS, type System } from '../../../scripts/hosts/image.ts'
import { startHosts, stopHosts, type LiveHost } from '../support/hosts.ts'
import { failures, FILE_SYSTEM_HASH, inventoryOf, tasksThat } from '../support/msingi.ts'
import { PACKAGES } from './packages.ts'
import { differences, player } from './playing.ts'

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILtsAIdB75/W282uVED+/vgvS1tMDH1BnDIF/H4RoIXt supervisor'
const PARAMS = {
  people: [{ name: 'supervisor', comment: 'Supervisor', admin: true, key: KEY }],
  people_departed: ['former'],
  hostname: 'clinic-7.example.org',
  timezone: 'Africa/Nairobi',
  locale: 'en_GB.UTF-8',
  time_servers: ['192.0.2.1'],
  journal_size: '200M',
}

describe.each(Object.keys(SYSTEMS) as System[])('base on %s', os => {
  let host: LiveHost
  let play: ReturnType<typeof player>

  beforeAll(async () => {
    ;[host] = (await startHosts({ os, repo: PACKAGES })) as [LiveHost]
    play = player('base', inventoryOf([host]))
    // A container has mounts in the place of these files, which cannot be replaced.
    await host.run(`umount /etc/hostname /etc/hosts
      cat /proc/sys/kernel/hostname > /etc/hostname; echo '127.0.0.1 localhost' > /etc/hosts
      useradd -m former`)
  }, 600_000)
  afterAll(() => stopHosts([host]))

  test('a plan of a fresh host fails nowhere and writes nothing', async () => {
    const before = await host.run(FILE_SYSTEM_HASH)

    const plan = await play('plan', PARAMS)

    expect(failures(plan)).toEqual([])
    expect(plan.exit).toBe(2)
    expect(await host.run(FILE_SYSTEM_HASH)).toBe(before)
  })

  test('the host is brought to the state that is described', async () => {
    const ran = await play('apply', PARAMS)

    expect(failures(ran)).toEqual([])
    expect(
      await host.run(
        'hostname; date +%Z; getent hosts clinic-7; cat /etc/timezone 2>/dev/null || readlink /etc/localtime',
      ),
    ).toMatch(
      /^clinic-7\.example\.org\nEAT\n127\.0\.1\.1 +clinic-7\.example\.org clinic-7\n.*Africa\/Nairobi\n$/,
    )
    expect(await host.run('sudo -l -U supervisor; ! getent passwd former')).toContain('NOPASSWD: ALL')
    expect(await host.run('cat /home/supervisor/.ssh/authorized_keys')).toBe(`${KEY}\n`)
    expect(await host.run('locale -a')).toContain('en_GB.utf8')
    expect(await host.run('apt-config dump Unattended-Upgrade::Package-Blacklist')).toContain('"^docker-"')
    expect(await host.run('apt-config dump Unattended-Upgrade::Origins-Pattern')).toMatch(/-[Ss]ecurity/)
    expect(
      await host.run('unattended-upgrade --dry-run 2>&1; perl -c /etc/needrestart/conf.d/50-base.conf 2>&1'),
    ).not.toMatch(/error|invalid/i)
    expect(await host.run('chronyd -p -f /etc/chrony/chrony.conf')).toMatch(/server 192\.0\.2\.1 iburst/)
    expect(await host.run('journalctl --header | grep "^File path"')).toContain('/var/log/journal/')
  }, 600_000)

  test('the second run changes nothing, and nothing differs', async () => {
    const again = await play('apply', PARAMS)
    const drift = await play('drift', PARAMS)

    expect(tasksThat(again, 'changed')).toEqual([])
    expect([again.exit, drift.exit]).toEqual([0, 0])
  })

  test('what is changed by hand is named, and repaired', async () => {
    await host.run(`timedatectl set-timezone UTC 2>/dev/null || ln -sf /usr/share/zoneinfo/UTC /etc/localtime
      sed -i s/200M/20G/ /etc/systemd/journald.conf.d/10-base.conf
      echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILBD13Cq6ro0rK6TLIg05X1if2j5mh71hX24E4uqcgxp stranger' >> /home/supervisor/.ssh/authorized_keys`)

    const found = differences(await play('drift', PARAMS)).map(line => line.split(':')[0])
    const repair = await play('apply', PARAMS)
    const drift = await play('drift', PARAMS)

    expect([...new Set(found)]).toEqual([
      'Set the time zone',
      'Let their keys in, and no others',
      'Keep the journal over restarts, and in bounds',
    ])
    expect([repair.exit, drift.exit]).toEqual([0, 0])
  })
})
