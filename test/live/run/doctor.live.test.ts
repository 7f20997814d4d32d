import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROOT } from '../../support/source-tree.ts'
import { startHosts, stopHosts, type LiveHost } from '../support/hosts.ts'
import { eventsOf, FILE_SYSTEM_HASH, inventoryOf, msingi, tasksThat } from '../support/msingi.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-doctor-'))
const site = join(folder, 'site.yml')
let host: LiveHost
let inventory: string

beforeAll(async () => {
  ;[host] = (await startHosts()) as [LiveHost]
  inventory = inventoryOf([host])
  writeFileSync(
    site,
    `- hosts: all
  become: true
  tasks:
    - { name: write, copy: { content: x, dest: /opt/x } }
    - { name: install, apt: { name: tree } }
`,
  )
})
afterAll(async () => {
  await stopHosts([host])
  rmSync(folder, { recursive: true })
})

interface Examined {
  readonly exit: number
  /** Level by what was looked at. */
  readonly levels: Readonly<Record<string, string>>
  readonly text: string
}

function examine(): Promise<Examined> {
  const argv = [join(ROOT, 'bin/msingi.js'), 'doctor', site, '-i', inventory, '--output', 'json']
  return new Promise((resolve, reject) => {
    execFile(process.execPath, argv, { cwd: ROOT }, (error, stdout) => {
      const exit = error === null ? 0 : error.code
      if (typeof exit !== 'number' || stdout === '') return reject(error ?? new Error('nothing was said'))
      const { findings } = JSON.parse(stdout) as { findings: { about: string; level: string }[] }
      resolve({
        exit,
        text: stdout,
        levels: Object.fromEntries(findings.map(({ about, level }) => [about, level])),
      })
    })
  })
}

test('a host that is well is told so, and nothing is written on it', async () => {
  const before = await host.run(FILE_SYSTEM_HASH)
  const { exit, levels, text } = await examine()

  expect(exit).toBe(0)
  expect(text).not.toContain('"fail"')
  expect(levels).toMatchObject({
    'host key': 'ok',
    login: 'ok',
    become: 'ok',
    disk: 'ok',
    packages: 'ok',
    lock: 'ok',
  })
  expect(await host.run(FILE_SYSTEM_HASH)).toBe(before)
})

test('what is in the way is named; an apply warns of it and unpacks nothing', async () => {
  await host.run(`touch /run/reboot-required
    sed -i '0,/^Status: install ok installed/s//Status: install ok half-configured/' /var/lib/dpkg/status
    mount --bind /var /var && mount -o remount,ro,bind /var`)
  const { exit, levels } = await examine()
  const ran = await msingi('apply', site, '-i', inventory)
  await host.run('umount /var')
  const repaired = await examine()

  expect(exit).toBe(1)
  expect(levels).toMatchObject({ files: 'fail', packages: 'fail', restart: 'warn', disk: 'ok' })
  expect(ran.exit).toBe(1)
  expect(tasksThat(ran, 'changed')).toEqual([`${host.name}: write`])
  expect(eventsOf(ran, 'task_done').at(-1)?.failure?.code).toBe('HOST_UNFIT')
  const said = eventsOf(ran, 'warning').map(({ message }) => message)
  expect(said.some(message => message.includes('/var'))).toBe(true)
  expect(said.some(message => message.includes('dpkg'))).toBe(true)
  expect(repaired.levels).toMatchObject({ files: 'ok', packages: 'fail' })
})
