import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startHosts, stopHosts, type LiveHost } from '../support/hosts.ts'
import { eventsOf, type Ran } from '../support/msingi.ts'
import { startMsingi } from '../support/running.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-escalation-'))
const PASSWORD = `right "horse" \\ 'battery' $HOME`
let host: LiveHost

/** Logins of one host by name, and by which means each becomes another user. */
const WAYS = {
  nopass: { user: 'ops' },
  password: { user: 'limited' },
  denied: { user: 'stranger' },
  su: { user: 'stranger', ansible_become_method: 'su' },
  doas: { user: 'stranger', ansible_become_method: 'doas' },
  doas_denied: { user: 'limited', ansible_become_method: 'doas' },
} as const

beforeAll(async () => {
  ;[host] = (await startHosts({ os: 'debian-13' })) as [LiveHost]
  const quoted = PASSWORD.replaceAll("'", `'\\''`)
  await host.run(`apt-get install -y -q opendoas
    for user in limited stranger; do
      useradd -m -s /bin/sh $user; cp /etc/ssh/authorized_keys.d/ops /etc/ssh/authorized_keys.d/$user
    done
    useradd -m -s /usr/sbin/nologin app
    for user in limited stranger root; do printf '%s:%s\\n' $user '${quoted}' | chpasswd; done
    echo 'limited ALL=(ALL) ALL' > /etc/sudoers.d/limited
    echo 'permit nopass stranger' > /etc/doas.conf`)
  const { address, key, hostKey } = host
  const hosts = Object.entries(WAYS).map(([name, { user, ...more }]) => [
    name,
    { ssh: { host: address, user, key, host_key: hostKey }, ...more },
  ])
  writeFileSync(join(folder, 'hosts.yml'), JSON.stringify({ all: { hosts: Object.fromEntries(hosts) } }))
  writeFileSync(
    join(folder, 'site.yml'),
    `- hosts: all
  tasks:
    - { name: login, command: { cmd: id -un, reads: true } }
    - { name: root, become: true, command: { cmd: id -un, reads: true } }
    - { name: root again, become: true, shell: { cmd: 'id -un; env | grep -c horse || true', reads: true } }
    - { name: app, become: true, become_user: app, shell: { cmd: 'echo "$(id -un) $HOME $0"', reads: true } }
`,
  )
})
afterAll(async () => {
  await stopHosts([host])
  rmSync(folder, { recursive: true })
})

async function run(password: string | undefined): Promise<Ran> {
  const env = password === undefined ? {} : { MSINGI_BECOME_PASSWORD: password }
  const ran = await startMsingi(['apply', join(folder, 'site.yml'), '-i', join(folder, 'hosts.yml')], env)
    .ended
  expect(JSON.stringify(ran)).not.toContain('battery')
  return ran
}

/** What each task printed on the host, and at last why the host was lost. */
function told(ran: Ran, name: string): readonly unknown[] {
  const printed = eventsOf(ran, 'task_done').filter(event => event.host === name && event.status === 'ok')
  const lost = eventsOf(ran, 'host_done').find(event => event.host === name)?.failure
  return [...printed.map(event => event.result['stdout']), ...(lost ? [lost.code] : [])]
}

const as = (login: string): readonly string[] => [login, 'root', 'root\n0', 'app /home/app /bin/sh']

describe('becoming another user', () => {
  test('with the password, one shell for each user', async () => {
    const ran = await run(PASSWORD)

    expect(ran.exit).toBe(3)
    expect(eventsOf(ran, 'host_lost')).toEqual([])
    const frames = eventsOf(ran, 'host_done').find(event => event.host === 'nopass')?.frames
    expect(frames).toBeLessThanOrEqual(4)
    expect(Object.fromEntries(Object.keys(WAYS).map(name => [name, told(ran, name)]))).toEqual({
      nopass: as('ops'),
      password: as('limited'),
      denied: ['stranger', 'CONNECT_BECOME'],
      // `su` asks for the password of the user to become, and `app` has none.
      su: [...as('stranger').slice(0, 3), 'CONNECT_BECOME'],
      doas: as('stranger'),
      doas_denied: ['limited', 'CONNECT_BECOME'],
    })
  })

  test('with a wrong password', async () => {
    const ran = await run('battery, but wrong')

    expect(ran.exit).toBe(3)
    expect(told(ran, 'nopass')).toEqual(as('ops'))
    expect(told(ran, 'doas')).toEqual(as('stranger'))
    expect(told(ran, 'password')).toEqual(['limited', 'CONNECT_BECOME'])
    expect(told(ran, 'su')).toEqual(['stranger', 'CONNECT_BECOME'])
  })

  test('without a password', async () => {
    const ran = await run(undefined)

    expect(ran.exit).toBe(3)
    expect(told(ran, 'nopass')).toEqual(as('ops'))
    expect(told(ran, 'password')).toEqual(['limited', 'CONNECT_BECOME'])
    expect(told(ran, 'su')).toEqual(['stranger', 'CONNECT_BECOME'])
  })
})
