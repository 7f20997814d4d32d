import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startHosts, stopHosts, type LiveHost } from '../support/hosts.ts'
import { eventsOf, inventoryOf, tasksThat } from '../support/msingi.ts'
import { startMsingi, type Running } from '../support/running.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-interrupt-'))
let host: LiveHost
let inventory: string

beforeAll(async () => {
  ;[host] = (await startHosts()) as [LiveHost]
  inventory = inventoryOf([host])
  writeFileSync(join(folder, 'big'), Buffer.alloc(40_000_000, 'x'))
})
afterAll(async () => {
  await stopHosts([host])
  rmSync(folder, { recursive: true })
})
afterEach(async () => {
  await host.run('rm -rf /opt/first /opt/second /opt/big')
})

/** Starts a run of tasks that are told by their names. */
function start(tasks: string): Running {
  const file = join(folder, 'site.yml')
  writeFileSync(file, `- hosts: all\n  become: true\n  tasks:\n${tasks.replaceAll(/^/gm, '    ')}\n`)
  return startMsingi(['apply', file, '-i', inventory])
}

const SLOW = `- name: slow
  shell: echo started; sleep 4; echo half > /opt/first; echo whole >> /opt/first
- name: next
  command: touch /opt/second`

/** What a run could leave on a host: shells, jobs, units, private folders, drafts of files. Who was here last is always told. */
const TRACES = `pgrep -af '[s]shd: ops' || true
  systemctl list-units --all --no-legend 'msingi*'
  systemctl --failed --no-legend
  find / -xdev -name '*.msingi*' -not -path '/proc/*'
  find /run -maxdepth 2 -path "/run/msingi*" -not -path /run/msingi -not -path /run/msingi/last`

/** Waits until the host has nothing left of any run; sshd may take a moment to notice. */
async function expectNoTrace(): Promise<void> {
  let found = ''
  for (let tries = 0; tries < 40; tries += 1) {
    found = await host.run(TRACES)
    if (found === '') return
    await sleep(250)
  }
  expect(found).toBe('')
}

const wrote = (event: { type: string }): boolean => event.type === 'task_output'

describe('Ctrl-C', () => {
  test('once lets the change end, begins nothing new, and leaves nothing behind', async () => {
    const run = start(SLOW)
    await run.when(wrote)
    run.kill('SIGINT')
    const ran = await run.ended

    expect(ran.exit).toBe(130)
    expect(tasksThat(ran, 'changed')).toEqual([`${host.name}: slow`])
    expect(eventsOf(ran, 'task_done')).toHaveLength(1)
    expect(eventsOf(ran, 'run_done')).toMatchObject([{ exit: 130, counts: { changed: 1, failed: 0 } }])
    expect(await host.run('cat /opt/first; ls /opt/second 2>/dev/null || echo none')).toBe(
      'half\nwhole\nnone\n',
    )
    await expectNoTrace()
  })

  test('twice ends at once; what was begun on the host comes to its own end', async () => {
    const run = start(SLOW)
    await run.when(wrote)
    run.kill('SIGINT')
    await sleep(300)
    const second = performance.now()
    run.kill('SIGINT')
    const ran = await run.ended

    expect(ran.exit).toBe(130)
    expect(performance.now() - second).toBeLessThan(1500)
    for (
      let tries = 0;
      tries < 40 && (await host.run('cat /opt/first || true')) !== 'half\nwhole\n';
      tries += 1
    )
      await sleep(250)
    expect(await host.run('cat /opt/first; ls /opt/second 2>/dev/null || echo none')).toBe(
      'half\nwhole\nnone\n',
    )
    expect(await host.run(`find / -xdev -name '*.msingi*' -not -path '/proc/*'`)).toBe('')
    await host.run('rm -rf /run/msingi/*')
    await expectNoTrace()
  })

  test('while a file is on its way leaves no part of it', async () => {
    const run = start(
      `- name: big\n  copy: { src: ${folder}/big, dest: /opt/big }\n- command: touch /opt/second`,
    )
    await run.when(event => event.type === 'host_connected')
    await sleep(300)
    run.kill('SIGINT')
    const ran = await run.ended

    expect(ran.exit).toBe(130)
    expect(['0\n', '40000000\n']).toContain(await host.run('stat -c %s /opt/big 2>/dev/null || echo 0'))
    expect(await host.run('ls /opt/second 2>/dev/null || echo none')).toBe('none\n')
    await expectNoTrace()
  })

  test('while a question is asked does not wait for the answer', async () => {
    const run = start('- command: { cmd: sleep 30, reads: true }')
    await run.when(event => event.type === 'host_connected')
    await sleep(500)
    run.kill('SIGINT')
    const ran = await run.ended

    expect(ran.exit).toBe(130)
    expect(ran.ms).toBeLessThan(15_000)
    await host.run('pkill -xf "sleep 30" || true')
    await expectNoTrace()
  })
})
