import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startHosts, stopHosts, type LiveHost } from '../support/hosts.ts'
import { eventsOf, msingi, tasksThat } from '../support/msingi.ts'
import { startMsingi } from '../support/running.ts'
import { slowLine, type SlowLine } from '../support/slow-line.ts'

const SATELLITE = { roundTripMs: 600, bytesPerSecond: 8192 }

const folder = mkdtempSync(join(tmpdir(), 'msingi-slow-'))
let host: LiveHost
let line: SlowLine

beforeAll(async () => {
  ;[host] = (await startHosts()) as [LiveHost]
  line = await slowLine(host.address, host.port, SATELLITE)
  writeFileSync(join(folder, 'photo'), randomBytes(100_000))
})
afterAll(async () => {
  line.close()
  await stopHosts([host])
  rmSync(folder, { recursive: true })
})

type Entry = Readonly<Record<string, unknown>>
type Ssh = Readonly<Record<string, string | number>>

function inventory(hosts: Readonly<Record<string, Ssh>>): string {
  const file = join(mkdtempSync(join(folder, 'inventory-')), 'hosts.yml')
  const reach = { host: host.address, user: host.user, key: host.key, host_key: host.hostKey }
  const named = Object.entries(hosts).map(([name, ssh]) => [name, { ssh: { ...reach, ...ssh } }])
  writeFileSync(file, JSON.stringify({ all: { hosts: Object.fromEntries(named) } }))
  return file
}

const viaLine = (): Ssh => ({ host: '127.0.0.1', port: line.port })

function playbook(tasks: string): string {
  const file = join(mkdtempSync(join(folder, 'play-')), 'site.yml')
  writeFileSync(file, `- hosts: all\n  become: true\n  tasks:\n${tasks.replaceAll(/^/gm, '    ')}\n`)
  return file
}

test('over 600 ms and 8 KB/s a host is changed, and found right afterwards, for few bytes', async () => {
  const tasks = Array.from(
    { length: 20 },
    (_, index) =>
      `- { name: file ${index}, copy: { content: "setting = ${index}\\n", dest: /opt/setting-${index} } }`,
  )
  const site = playbook(
    [...tasks, `- { name: photo, copy: { src: ${folder}/photo, dest: /opt/photo } }`].join('\n'),
  )
  const hosts = inventory({ far: { ...viaLine(), link: 'slow' } })

  const first = await msingi('apply', site, '-i', hosts)
  const again = await msingi('apply', site, '-i', hosts)
  const [done] = eventsOf(again, 'host_done')

  expect(first.exit).toBe(0)
  expect(tasksThat(first, 'changed')).toHaveLength(21)
  expect(await host.run('cat /opt/setting-7; stat -c %s /opt/photo')).toBe('setting = 7\n100000\n')
  expect(again.exit).toBe(0)
  expect(tasksThat(again, 'ok')).toHaveLength(21)
  expect((done?.bytes_sent ?? Infinity) + (done?.bytes_received ?? Infinity)).toBeLessThan(20_000)
})

test('a change goes on when the line is cut, is made once, and stands in the journal', async () => {
  const site = playbook('- { name: cut, shell: echo started; sleep 10; echo x >> /opt/once }')
  const run = startMsingi(['apply', site, '-i', inventory({ far: viaLine() })])
  await run.when(event => event.type === 'task_output')
  line.cut()
  const ran = await run.ended
  const id = eventsOf(ran, 'run_start')[0]?.run ?? ''

  expect(ran.exit).toBe(0)
  expect(eventsOf(ran, 'host_reconnected')).toHaveLength(1)
  expect(tasksThat(ran, 'changed')).toEqual(['far: cut'])
  expect(await host.run('cat /opt/once')).toBe('x\n')
  const entries = await host.run(`sleep 1; journalctl --sync; journalctl -o json MSINGI_RUN=${id}`)
  expect(
    entries
      .trim()
      .split('\n')
      .map(entry => (JSON.parse(entry) as Entry)['MSINGI_STATUS']),
  ).toEqual(['0'])
})

test.each([
  ['in the middle of a change', '4'],
  ['when all is done', '1'],
])(
  'a host that stands still %s keeps neither the others nor the end of the run beyond its deadline',
  async (_, seconds) => {
    const site = playbook('- { name: wait, shell: "echo started; sleep {{ seconds }}" }')
    const still = await slowLine(host.address, host.port, { roundTripMs: 20, bytesPerSecond: 1_000_000 })
    const hosts = inventory({ near: {}, far: { host: '127.0.0.1', port: still.port } })
    const run = startMsingi(['apply', site, '-i', hosts, '-e', `seconds=${seconds}`, '--deadline', '20'], {
      MSINGI_LOCK: 'off',
    })
    await run.when(event => event.type === 'task_output' && event.host === 'far')
    still.stall()
    const near = await run.when(event => event.type === 'host_done' && event.host === 'near')
    const ran = await run.ended
    still.close()

    expect(near).toMatchObject({ counts: { changed: 1 } })
    expect(ran.exit).toBe(130)
    expect(ran.ms).toBeLessThan(50_000)
    expect(eventsOf(ran, 'run_done')).toHaveLength(1)
  },
)

test('a command is ended on the host when the time of tasks is over', async () => {
  const site = playbook('- { name: hang, shell: sleep 300 }')
  const ran = await msingi('apply', site, '-i', inventory({ near: {} }), '--task-timeout', '2')

  expect(ran.exit).toBe(1)
  expect(eventsOf(ran, 'task_done')[0]?.failure?.code).toBe('TIMEOUT')
  expect(await host.run('pgrep -xf "sleep 300" || true')).toBe('')
})
