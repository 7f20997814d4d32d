import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startHosts, stopHosts, type LiveHost } from '../support/hosts.ts'
import { eventsOf, inventoryOf, msingi, tasksThat, type Ran } from '../support/msingi.ts'

let host: LiveHost

beforeAll(async () => {
  ;[host] = (await startHosts()) as [LiveHost]
  // A container whose systemd restarts ends; this starts it again, as a firmware does with a machine.
  execFileSync('docker', ['update', '--restart=always', host.container])
})
afterAll(() => stopHosts([host]))

function run(command: 'apply' | 'plan' | 'drift', tasks: string): Promise<Ran> {
  const file = join(mkdtempSync(join(tmpdir(), 'msingi-live-')), 'site.yml')
  writeFileSync(file, `- hosts: all\n  become: true\n  tasks:\n${tasks.replaceAll(/^(?=.)/gm, '    ')}`)
  return msingi(command, file, '-i', inventoryOf([host]))
}

function codes(ran: Ran): readonly (string | undefined)[] {
  return eventsOf(ran, 'task_done').flatMap(({ failure }) => (failure ? [failure.code] : []))
}

/** When the first process was started, in ticks of the kernel's clock. */
const LIFE = 'cut -d" " -f22 /proc/1/stat'

describe('modules/waiting on a live host', () => {
  test('reboot comes back in another life, and asks again what it knew', async () => {
    const before = await host.run(`touch /run/reboot-required; ${LIFE}`)
    const ran = await run(
      'apply',
      '- reboot: { only_if_required: true, reboot_timeout: 90 }\n- assert: { that: "!facts.reboot.required" }\n',
    )

    expect([ran.exit, codes(ran)]).toEqual([0, []])
    expect(await host.run(LIFE)).not.toBe(before)
    const again = await run('apply', '- reboot: { only_if_required: true }\n')
    expect(tasksThat(again, 'changed')).toEqual([])
  })

  test('reboot is only planned by a plan, and drift names a host that asks for it', async () => {
    const before = await host.run(`touch /run/reboot-required; ${LIFE}`)
    const plan = await run('plan', '- reboot:\n')
    const drift = await run('drift', '- reboot: { only_if_required: true }\n')
    await host.run('rm /run/reboot-required')

    expect([plan.exit, drift.exit]).toEqual([2, 2])
    expect(await host.run(LIFE)).toBe(before)
  })

  test('reboot fails where the host does not restart', async () => {
    const ran = await run('apply', '- reboot: { reboot_command: "true", reboot_timeout: 3 }\n')

    expect([ran.exit, codes(ran)]).toEqual([1, ['NOT_BACK']])
  })

  test('wait_for waits for a port, a path, a text, and the end of them', async () => {
    await host.run(`systemd-run --quiet sh -c 'sleep 4; echo now ready > /run/ready; exec timeout 8 busybox httpd -f -p 7070'
      echo > /run/old; systemd-run --quiet sh -c 'sleep 4; rm /run/old'`)
    const ran = await run(
      'apply',
      `- wait_for: { path: /run/ready, search_regex: 'now (ready|up)', timeout: 20 }
- wait_for: { path: /run/old, state: absent, timeout: 20 }
- wait_for: { port: 22, search_regex: ^SSH-2, timeout: 20 }
- wait_for: { port: 7070, timeout: 20 }
- wait_for: { port: 7070, state: stopped, timeout: 20 }
- wait_for: { port: 7071, state: drained, timeout: 20 }
`,
    )

    expect([ran.exit, codes(ran)]).toEqual([0, []])
    expect(tasksThat(ran, 'ok')).toHaveLength(6)
  })

  test('wait_for gives up in time, and neither plan nor drift wait', async () => {
    const tasks = '- wait_for: { path: /run/never, timeout: 2, msg: it never came }\n'
    const ran = await run('apply', tasks)

    expect([ran.exit, codes(ran)]).toEqual([1, ['COMMAND_FAILED']])
    expect(eventsOf(ran, 'task_done')[0]?.failure?.stderr).toContain('it never came')
    expect((await run('drift', tasks)).exit).toBe(2)
  })

  test('wait_for_connection waits for a host that is still starting', async () => {
    await host.run('systemctl stop ssh')
    const waiting = run(
      'apply',
      '- wait_for_connection: { timeout: 60 }\n- command: { cmd: "true", reads: true }\n',
    )
    await new Promise(resolve => setTimeout(resolve, 5_000))
    await host.run('systemctl start ssh')

    expect((await waiting).exit).toBe(0)
  })
})
