import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { $ } from 'zx'
import { makeKeyPair } from '../../../src/lab/keys.ts'
import { startHosts, stopHosts, type LiveHost } from '../support/hosts.ts'
import { eventsOf, msingi, tasksThat, type Ran } from '../support/msingi.ts'
import { startMsingi } from '../support/running.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-weather-'))
/** Seconds that a host may take to answer; to log in it may take three times as long. */
const TIMEOUT = 4
/** Nobody here comes back by waiting. */
const RECONNECT = { reconnect: 2 }

let host: LiveHost
let other: LiveHost
let silent: Server
let full: Full

beforeAll(async () => {
  ;[host, other] = (await startHosts({ count: 2 })) as [LiveHost, LiveHost]
  silent = createServer(() => undefined)
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  full = await fullBacklog()
})
afterAll(async () => {
  silent.close()
  full.close()
  await stopHosts([host, other])
  rmSync(folder, { recursive: true })
})

describe('a host that cannot be reached', () => {
  test('is named with the stage, and keeps no other one from its work', async () => {
    writeFileSync(join(folder, 'stranger'), makeKeyPair().secret, { mode: 0o600 })
    const inventory = inventoryWith({
      good: {},
      wrong_key: { key: join(folder, 'stranger') },
      changed_host_key: { host_key: makeKeyPair().open },
      unknown_host_key: { host_key: undefined },
      refused: { host: '127.0.0.1', port: 1 },
      black_hole: { host: '127.0.0.1', port: full.port },
      silent: { host: '127.0.0.1', port: (silent.address() as AddressInfo).port },
      no_name: { host: 'no-such-host.invalid' },
    })
    const playbook = playbookOf('- command: { cmd: id -un, reads: true }')

    const began = performance.now()
    const ran = await msingi('apply', playbook, '-i', inventory, '-T', String(TIMEOUT))

    expect(performance.now() - began).toBeLessThan((3 * TIMEOUT + 8) * 1000)
    expect(ran.exit).toBe(3)
    expect(tasksThat(ran, 'ok')).toEqual(['good: command'])
    expect(lossesIn(ran)).toEqual({
      wrong_key: 'CONNECT_AUTH',
      changed_host_key: 'CONNECT_HOSTKEY',
      unknown_host_key: 'CONNECT_HOSTKEY',
      refused: 'CONNECT_TCP',
      black_hole: 'CONNECT_TCP',
      silent: 'CONNECT_TCP',
      no_name: 'CONNECT_DNS',
    })
  })
})

describe('a host that cannot take what is to be written', () => {
  beforeAll(async () => {
    writeFileSync(join(folder, 'big'), Buffer.alloc(3_000_000, 'x'))
    await host.run(`mkdir -p /mnt/small /mnt/fixed
      mount -t tmpfs -o size=1m small /mnt/small
      echo old > /mnt/small/big
      mount -t tmpfs fixed /mnt/fixed && echo old > /mnt/fixed/conf && mount -o remount,ro /mnt/fixed`)
  })

  test.each([
    [
      'no space left',
      `copy: { src: ${folder}/big, dest: /mnt/small/big }`,
      'No space left on device',
      '/mnt/small/big',
    ],
    [
      'no space left in an edit',
      `shell: cat /dev/zero > /mnt/small/full || true\n- lineinfile: { path: /mnt/small/big, line: '${'x'.repeat(9000)}' }`,
      'No space left on device',
      '/mnt/small/big',
    ],
    [
      'a file system that is read only',
      'copy: { content: new, dest: /mnt/fixed/conf }',
      'Read-only file system',
      '/mnt/fixed/conf',
    ],
    [
      'a folder that is read only',
      'file: { path: /mnt/fixed/sub, state: directory }',
      'Read-only file system',
      '/mnt/fixed/sub',
    ],
    [
      'a line that is read only',
      'lineinfile: { path: /mnt/fixed/conf, line: new }',
      'Read-only file system',
      '/mnt/fixed/conf',
    ],
  ])('%s', async (_, task, why, what) => {
    const ran = await msingi('apply', playbookOf(`- ${task}`), '-i', inventoryWith({ web1: {} }))

    expect(ran.exit).toBe(1)
    const [failed] = eventsOf(ran, 'task_done').filter(({ status }) => status === 'failed')
    expect(failed?.host).toBe('web1')
    const told = [failed?.failure?.message, failed?.failure?.stderr].join('\n')
    expect(told).toContain(why)
    expect(told).toContain(what)
    expect(
      await host.run('rm -f /mnt/small/full; find /mnt/small /mnt/fixed -type f; cat /mnt/*/big /mnt/*/conf'),
    ).toBe('/mnt/small/big\n/mnt/fixed/conf\nold\nold\n')
  })

  test('no room in /run for what is to be run', async () => {
    await host.run(`mount -o remount,size=24m /run; dd if=/dev/zero of=/run/filler bs=64k 2>/dev/null || true
      dd if=/dev/zero of=/run/filler bs=1k oflag=append conv=notrunc 2>/dev/null || true`)
    const ran = await msingi('apply', playbookOf('- shell: touch /opt/x'), '-i', inventoryWith({ web1: {} }))
    await host.run('rm /run/filler; mount -o remount,size=50% /run')

    expect(ran.exit).toBe(1)
    const [failed] = eventsOf(ran, 'task_done').map(event => event.failure)
    expect(failed?.stderr).toContain('no space for the job')
    // Who was here last is always told; nothing else stays.
    expect(await host.run('ls -d /opt/x /run/msingi.* /run/msingi/* 2>/dev/null || true')).toBe(
      '/run/msingi/last\n',
    )
  })
})

describe('a host that stands still in the middle', () => {
  /** Whoever wants to notice sooner says so where OpenSSH has it as well. */
  const home = join(folder, 'home')

  beforeAll(() => {
    mkdirSync(join(home, '.ssh'), { recursive: true })
    writeFileSync(join(home, '.ssh/config'), 'Host *\n  ServerAliveInterval 1\n  ServerAliveCountMax 3\n')
  })

  test('a frozen host is lost after some signs of life did not come; the others are done by then', async () => {
    const inventory = inventoryWith({ good: {} }, { frozen: other }, RECONNECT)
    const playbook = playbookOf(`- shell: echo started; [ {{ inventory_hostname }} = good ] || sleep 30
- command: touch /opt/after-{{ inventory_hostname }}`)
    const run = startMsingi(['apply', playbook, '-i', inventory, '-T', '1'], { HOME: home })
    await run.when(event => event.type === 'task_output' && event.host === 'frozen')
    await $({ quiet: true })`docker pause ${other.container}`
    const frozen = performance.now()
    const good = await run.when(event => event.type === 'host_done' && event.host === 'good')
    const ran = await run.ended
    const waited = performance.now() - frozen
    await $({ quiet: true })`docker unpause ${other.container}`
    // Its change goes on, and would keep the next run away.
    await other.run('pkill -xf "sleep 30"; sleep 1')

    expect(good).toMatchObject({ counts: { changed: 2, unreachable: 0 } })
    expect(ran.exit).toBe(3)
    expect(lossesIn(ran)).toEqual({ frozen: 'CONNECT_LOST' })
    expect(waited).toBeLessThan(15_000)
    expect(await host.run('ls /opt/after-good')).toBe('/opt/after-good\n')
  })

  test('where only the session stands still, the run comes back over a new connection and hears the end', async () => {
    const inventory = inventoryWith({ good: {} }, { stopped: other })
    const tasks = `- shell: echo started; [ {{ inventory_hostname }} = good ] || { sleep 8; echo x >> /opt/once; }`
    const run = startMsingi(['apply', playbookOf(tasks), '-i', inventory], { HOME: home })
    await run.when(event => event.type === 'task_output' && event.host === 'stopped')
    await other.run(`pkill -STOP -f '[s]shd: ops'`)
    const ran = await run.ended
    await other.run(`pkill -CONT -f '[s]shd: ops' || true`)

    expect(ran.exit).toBe(0)
    expect(eventsOf(ran, 'host_lost').map(event => event.host)).toEqual(['stopped'])
    expect(eventsOf(ran, 'host_reconnected').map(event => event.host)).toEqual(['stopped'])
    expect(tasksThat(ran, 'changed')).toEqual(['good: shell', 'stopped: shell'])
    expect(await other.run('cat /opt/once')).toBe('x\n')
  })

  test('a question that is never answered is given up, and the host lost', async () => {
    await other.run(`printf '#!/bin/sh\\nexec sleep 300\\n' > /usr/local/sbin/systemctl
      chmod +x /usr/local/sbin/systemctl`)
    const inventory = inventoryWith({ good: {} }, { stuck: other })
    const playbook = playbookOf('- systemd: { name: ssh, state: started }')
    const ran = await startMsingi(['drift', playbook, '-i', inventory]).ended
    await other.run('rm /usr/local/sbin/systemctl; pkill -xf "sleep 300"')

    expect(ran.exit).toBe(3)
    expect(lossesIn(ran)).toEqual({ stuck: 'DEADLINE' })
    expect(tasksThat(ran, 'ok')).toEqual(['good: systemd'])
    expect(ran.ms).toBeLessThan(60_000)
  })
})

/** Returns the code of the failure of each host that was lost. */
function lossesIn(ran: Ran): Readonly<Record<string, string | undefined>> {
  const lost = eventsOf(ran, 'host_done').filter(event => event.failure !== undefined)
  return Object.fromEntries(lost.map(event => [event.host, event.failure?.code]))
}

type Ssh = Readonly<Record<string, string | number | undefined>>

/** Writes an inventory of the first host under several names, each reached in its own way. */
function inventoryWith(
  ways: Readonly<Record<string, Ssh>>,
  more: Readonly<Record<string, LiveHost>> = {},
  all: Ssh = {},
): string {
  const reach = (at: LiveHost): Ssh => ({
    host: at.address,
    user: at.user,
    key: at.key,
    host_key: at.hostKey,
  })
  const hosts = {
    ...Object.fromEntries(
      Object.entries(ways).map(([name, way]) => [name, { ssh: { ...reach(host), ...way, ...all } }]),
    ),
    ...Object.fromEntries(
      Object.entries(more).map(([name, at]) => [name, { ssh: { ...reach(at), ...all } }]),
    ),
  }
  const file = join(mkdtempSync(join(folder, 'inventory-')), 'hosts.yml')
  writeFileSync(file, JSON.stringify({ all: { hosts } }))
  return file
}

function playbookOf(tasks: string): string {
  const file = join(mkdtempSync(join(folder, 'play-')), 'site.yml')
  writeFileSync(file, `- hosts: all\n  become: true\n  tasks:\n${tasks.replaceAll(/^/gm, '    ')}\n`)
  return file
}

interface Full {
  readonly port: number
  readonly close: () => void
}

/** A port of which the kernel drops whatever wants to come in, as a filter would: nobody takes connections from its full queue. */
async function fullBacklog(): Promise<Full> {
  const program = `const server = require('node:net').createServer()
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port))`
  const child: ChildProcess = spawn(process.execPath, ['-e', program])
  const [chunk] = (await once(child.stdout ?? child, 'data')) as [Buffer]
  const port = Number(String(chunk))
  child.kill('SIGSTOP')
  const fillers: Socket[] = Array.from({ length: 4 }, () =>
    connect(port, '127.0.0.1').on('error', () => undefined),
  )
  return {
    port,
    close: () => {
      for (const filler of fillers) filler.destroy()
      child.kill('SIGKILL')
    },
  }
}
