import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startHosts, stopHosts, type LiveHost } from '../support/hosts.ts'
import { eventsOf, failures, inventoryOf, msingi } from '../support/msingi.ts'
import { PACKAGES } from './packages.ts'

/** What base-files of each release says, without the addresses. */
const SYSTEMS = {
  '22.04': ['22.04.5 LTS', 'Jammy Jellyfish', 'jammy'],
  '24.04': ['24.04.3 LTS', 'Noble Numbat', 'noble'],
  '26.04': ['26.04 LTS', 'Resolute Raccoon', 'resolute'],
} as const

/** A Debian that says it is Ubuntu: what the roles choose for it is Ubuntu's, and only a plan is made. */
let host: LiveHost
const folder = mkdtempSync(join(tmpdir(), 'msingi-ubuntu-'))
const playbook = join(folder, 'site.yml')

beforeAll(async () => {
  ;[host] = (await startHosts({ os: 'debian-13', repo: PACKAGES })) as [LiveHost]
  // Where it is still to come, nobody knows what its file will say; Debian 13 has a link in its place.
  await host.run(
    'apt-get update -q && apt-get install -y -q locales && cp --remove-destination /etc/locale.conf /etc/default/locale',
  )
  const roles = [
    { role: 'base', locale: 'en_GB.UTF-8' },
    { role: 'hardening' },
    { role: 'docker', docker_source: 'distribution' },
  ]
  writeFileSync(playbook, JSON.stringify([{ hosts: 'all', become: true, roles }]))
}, 600_000)
afterAll(async () => {
  await stopHosts([host])
  rmSync(folder, { recursive: true })
})

describe.each(Object.entries(SYSTEMS))('ubuntu %s', (version, [point, name, code]) => {
  let plan: Awaited<ReturnType<typeof msingi>>

  beforeAll(async () => {
    await host.run(`cat > /etc/os-release <<'END'
PRETTY_NAME="Ubuntu ${point}"
NAME="Ubuntu"
VERSION_ID="${version}"
VERSION="${point} (${name})"
VERSION_CODENAME=${code}
ID=ubuntu
ID_LIKE=debian
UBUNTU_CODENAME=${code}
END`)
    plan = await msingi('plan', playbook, '-i', inventoryOf([host]), '--diff')
  })

  /** What the tasks of that title are about, and what they would write. */
  const told = (task: string): string =>
    eventsOf(plan, 'task_done')
      .filter(event => event.task === task)
      .map(({ changes, label }) => JSON.stringify([label, changes]))
      .join('\n')

  test('is planned without a failure, and nothing is written', async () => {
    expect([plan.exit, ...failures(plan)]).toEqual([2])
    expect(await host.run('ls /etc/docker /etc/sudoers.d/hardening 2>/dev/null || :')).toBe('')
  })

  test('takes security updates from the archives of Ubuntu', () => {
    const text = told('Say which updates are installed by themselves')
    expect(text).toContain('origin=Ubuntu,archive=${distro_codename}-security')
    expect(text).not.toContain('Debian-Security')
  })

  test('says the language, the key exchange and the log of sudo as that release reads them', () => {
    const isNew = version === '26.04'
    expect(told('Choose the language')).toContain(isNew ? '/etc/locale.conf' : '/etc/default/locale')
    expect(told('Say who logs in over SSH, and how').includes('mlkem768x25519')).toBe(isNew)
    expect(told('Keep sudo to its own terminal and log').includes('logfile=')).toBe(!isNew)
  })

  test('runs the packages of Docker that Ubuntu has', () => {
    const held = told('Hold them, so that no upgrade stops CHT by the way')
    expect(held).toMatch(/^\["docker[.]io".*\n\["containerd".*\n\["docker-compose-v2"[^\n]*$/)
  })
})
