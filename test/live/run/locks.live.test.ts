import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { AUDIT_ID } from '../../../src/run/audit.ts'
import { startHosts, stopHosts, type LiveHost } from '../support/hosts.ts'
import { eventsOf, failures, inventoryOf, tasksThat, type Ran } from '../support/msingi.ts'
import { startMsingi, type Running } from '../support/running.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-locks-'))
let hosts: readonly LiveHost[] = []
let host: LiveHost
let busybox: LiveHost

beforeAll(async () => {
  const [[one], [two]] = await Promise.all([startHosts(), startHosts({ shell: 'busybox' })])
  host = one as LiveHost
  busybox = two as LiveHost
  hosts = [host, busybox]
})
afterAll(async () => {
  await stopHosts(hosts)
  rmSync(folder, { recursive: true })
})

afterEach(async () => {
  // Lets a run end that a failed test left waiting.
  for (const on of hosts) await on.run('touch /opt/go; sleep 1; rm -rf /opt/* /run/msingi/*')
})

let controllers = 0
/** Each run has an inventory of its own, as on another controller. */
function start(on: LiveHost, tasks: string, ...flags: readonly string[]): Running {
  controllers += 1
  const file = join(folder, `site-${controllers}.yml`)
  writeFileSync(file, `- hosts: all\n  become: true\n  tasks:\n${tasks.replaceAll(/^/gm, '    ')}\n`)
  const [command = 'apply', ...more] = flags
  return startMsingi([command, file, '-i', inventoryOf([on]), ...more])
}

const SLOW = `- name: slow
  shell: echo started; until [ -e /opt/go ]; do sleep 0.2; done; touch /opt/slow
- name: after
  command: touch /opt/after`
const QUICK = '- { name: quick, file: { path: /opt/quick, state: directory } }'

/** Starts the slow run and resolves once its change goes on. */
async function underWay(on: LiveHost): Promise<Running> {
  const run = start(on, SLOW)
  await run.when(event => event.type === 'task_output')
  return run
}

/** Runs a command as root and returns what was said beside it. */
async function exec(on: LiveHost, command: string): Promise<string> {
  return (await startMsingi(['exec', '-b', '-i', inventoryOf([on]), 'all', command]).ended).stderr
}

const codes = (ran: Ran): readonly (string | undefined)[] =>
  eventsOf(ran, 'task_done').flatMap(event => (event.status === 'failed' ? [event.failure?.code] : []))

const warnings = (ran: Ran): string =>
  eventsOf(ran, 'warning')
    .map(event => event.message)
    .join('\n')

describe.each([
  ['bash', () => host],
  ['busybox', () => busybox],
])('two controllers at once on a host with %s', (_, chosen) => {
  test('one runs, the other is told who holds the host, and readers look on', async () => {
    const on = chosen()
    const first = await underWay(on)
    const second = await start(on, QUICK).ended
    const reader = await start(on, QUICK, 'drift').ended
    await on.run('touch /opt/go')
    const ran = await first.ended
    const run = eventsOf(ran, 'run_start')[0]?.run

    expect(second.exit).toBe(1)
    expect(codes(second)).toEqual(['LOCKED'])
    expect(failures(second)[0]).toContain(run)
    expect(reader.exit).toBe(2)
    expect(warnings(reader)).toContain(run)
    expect(tasksThat(ran, 'changed')).toHaveLength(2)
    expect(await on.run('ls -d /opt/quick /run/msingi/lock 2>/dev/null || true')).toBe('')
  })

  test('a killed controller leaves no lock, but its change that goes on still counts', async () => {
    const on = chosen()
    const first = await underWay(on)
    first.kill('SIGKILL')
    await first.ended
    await on.run(`kill -KILL "$(cut -d ' ' -f 6 /run/msingi/lock)"`)
    const during = await start(on, QUICK).ended
    const wait = start(on, QUICK, 'apply', '--wait', '30')
    await wait.when(event => event.type === 'warning')
    await on.run('touch /opt/go')
    const waiting = await wait.ended

    expect(codes(during)).toEqual(['LOCKED'])
    expect(failures(during)[0]).toContain('/run/msingi/')
    expect(waiting.exit).toBe(0)
    expect(tasksThat(waiting, 'changed')).toHaveLength(1)
    expect(await on.run('ls -d /opt/slow /opt/after 2>/dev/null || true')).toBe('/opt/slow\n')
  })

  test('a host can be stolen: the other run loses it and says so', async () => {
    const on = chosen()
    const first = await underWay(on)
    const second = await start(on, QUICK, 'apply', '--steal', '-y').ended
    const ran = await first.ended

    expect(second.exit).toBe(0)
    expect(warnings(second)).toContain(eventsOf(ran, 'run_start')[0]?.run)
    expect(tasksThat(second, 'changed')).toHaveLength(1)
    expect(ran.exit).not.toBe(0)
    await on.run('touch /opt/go; until [ -e /opt/slow ]; do sleep 0.2; done')
    await sleep(1500)
    expect(await on.run('ls -d /opt/after 2>/dev/null || true')).toBe('')
  })
})

test('the journal of the host tells of each change who made it, and no secret', async () => {
  const ran = await start(
    host,
    `- { name: twice, file: { path: /opt/quick, state: directory, mode: '0700' } }
- { name: fails, shell: exit 3 }`,
  ).ended
  const hidden = await start(
    host,
    '- { name: hidden, copy: { content: canary-7, dest: /opt/canary-8 }, no_log: true }',
  ).ended
  const entries = (await host.run(`journalctl --sync; journalctl -o json MESSAGE_ID=${AUDIT_ID}`))
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Readonly<Record<string, unknown>>)
  const of = (one: Ran) => entries.filter(entry => entry['MSINGI_RUN'] === eventsOf(one, 'run_start')[0]?.run)

  expect(of(ran)).toMatchObject([
    {
      MSINGI_TASK: 'twice',
      MSINGI_MODULE: 'file',
      MSINGI_STATUS: '0',
      MSINGI_USER: userInfo().username,
      SYSLOG_IDENTIFIER: 'msingi',
      PRIORITY: '5',
    },
    { MSINGI_TASK: 'fails', MSINGI_STATUS: '3' },
  ])
  expect(of(hidden)).toMatchObject([{ MSINGI_TASK: 'hidden', MSINGI_CHANGE: 'content' }])
  expect(JSON.stringify(entries)).not.toContain('canary-')
})

test('what is run by hand is told who is at work', async () => {
  const first = await underWay(host)
  const run = await exec(host, 'true')
  await host.run('touch /opt/go')
  await first.ended

  expect(run).toContain('holds this host')
  expect(await exec(host, 'true')).not.toContain('holds this host')
})

test('`--steal` without a yes is refused where nobody can be asked', async () => {
  const ran = await start(host, QUICK, 'apply', '--steal').ended

  expect(ran.exit).toBe(4)
  expect(ran.stderr).toContain('NO_ANSWER')
})

test('two names for one machine share its lock, and neither ends the shell of the other', async () => {
  const { address, user, key, hostKey } = host
  const reach = { ssh: { host: address, user, key, host_key: hostKey } }
  writeFileSync(join(folder, 'names.yml'), JSON.stringify({ all: { hosts: { clinic: reach, hub: reach } } }))
  writeFileSync(
    join(folder, 'names-site.yml'),
    `- hosts: all
  become: true
  tasks:
    - shell: sleep 1; touch /opt/{{ inventory_hostname }}-{{ item }}
      loop: [1, 2, 3]
    - file: { path: '/opt/{{ inventory_hostname }}', state: directory }
`,
  )
  const ran = await startMsingi(['apply', join(folder, 'names-site.yml'), '-i', join(folder, 'names.yml')])
    .ended

  expect([ran.exit, failures(ran), eventsOf(ran, 'host_lost')]).toEqual([0, [], []])
  expect(warnings(ran)).toMatch(/are one machine/)
  expect(await host.run('ls /opt | xargs')).toBe('clinic clinic-1 clinic-2 clinic-3 hub hub-1 hub-2 hub-3\n')
  expect(await host.run('ls -d /run/msingi/lock 2>/dev/null || true')).toBe('')
})
