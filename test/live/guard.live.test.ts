import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startHosts, stopHosts, type LiveHost } from './support/hosts.ts'
import { eventsOf, failures, inventoryOf, msingi, tasksThat, type Ran } from './support/msingi.ts'
import { startMsingi } from './support/running.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-guard-'))
let host: LiveHost
let inventory: string
let before: string

/** What a guard must bring back: files that let people in, and what sshd does with them. */
const DOORS = `cd /etc && find ssh sudoers.d pam.d systemd/system -printf '%p %m %u %g %l\\n' | sort
  cat /etc/ssh/sshd_config.d/* /etc/sudoers.d/* /etc/pam.d/sshd
  sshd -T | grep -E '^(port|maxauthtries) '; systemctl is-active ssh; ss -Hltn sport = :22 | wc -l`

beforeAll(async () => {
  ;[host] = (await startHosts()) as [LiveHost]
  inventory = inventoryOf([host])
  before = await host.run(DOORS)
})
afterAll(async () => {
  await stopHosts([host])
  rmSync(folder, { recursive: true })
})
afterEach(async () => {
  await host.run('rm -f /opt/next')
})

function playbook(tasks: string, handlers = ''): string {
  const file = join(folder, 'site.yml')
  const list = (text: string): string => text.replaceAll(/^/gm, '    ')
  const after = handlers === '' ? '' : `\n  handlers:\n${list(handlers)}`
  writeFileSync(
    file,
    `- hosts: all\n  become: true\n  tasks:\n${list(tasks)}\n    - name: next\n      command: touch /opt/next\n${after}\n`,
  )
  return file
}

const apply = (tasks: string, handlers = ''): Promise<Ran> =>
  msingi('apply', playbook(tasks, handlers), '-i', inventory)

const port = (more: string): string => `- name: port
  copy: { dest: /etc/ssh/sshd_config.d/90-port.conf, content: "Port 2222\\n" }
  guard: { reconnect: 10s }
${more}`

async function expectTakenBack(ran: Ran, task: string): Promise<void> {
  expect(ran.exit).toBe(1)
  expect(failures(ran).at(-1)).toContain(`${host.name}: ${task}: `)
  expect(await host.run(DOORS)).toBe(before)
  expect(await host.run('ls /opt/next 2>/dev/null || echo none')).toBe('none\n')
  expect((await msingi('exec', 'all', '-i', inventory, '-b', 'true')).exit).toBe(0)
}

const codeOf = (ran: Ran, task: string): string | undefined =>
  eventsOf(ran, 'task_done').find(event => event.task === task)?.failure?.code

describe('a change that locks everybody out is taken back', () => {
  test('where a handler puts a wrong port of sshd into effect', async () => {
    const ran = await apply(
      port('  notify: reload'),
      '- name: reload\n  systemd: { name: ssh, state: reloaded }',
    )
    await expectTakenBack(ran, 'port')
    expect(codeOf(ran, 'port')).toBe('LOCKED_OUT')
    expect(tasksThat(ran, 'changed')).toEqual([`${host.name}: reload`])
  })

  test('where a later task does, along with what that one relies upon', async () => {
    const ran = await apply(
      port('- name: restart\n  systemd: { name: ssh, state: restarted }\n  guard: { reconnect: 10s }'),
    )
    await expectTakenBack(ran, 'restart')
    expect(eventsOf(ran, 'task_done').at(-1)?.failure?.stdout).toContain('took back as well: port')
  })

  test('where sudo asks for a password all of a sudden', async () => {
    const ran = await apply(
      '- name: sudo\n  copy: { dest: /etc/sudoers.d/ops, mode: "0440", content: "ops ALL=(ALL:ALL) ALL\\n" }\n  guard: { reconnect: 10s }',
    )
    await expectTakenBack(ran, 'sudo')
  })

  test('where PAM refuses every login', async () => {
    const ran = await apply(
      '- name: pam\n  copy: { dest: /etc/pam.d/sshd, content: "account required pam_deny.so\\n" }\n  guard: { reconnect: 30s }',
    )
    await expectTakenBack(ran, 'pam')
    expect(codeOf(ran, 'pam')).toBe('LOCKED_OUT')
    // Whoever counts failed logins must not shut us out for it.
    expect(await host.run("journalctl --output cat | grep -c 'Access denied for user ops by PAM'")).toBe(
      '2\n',
    )
  })

  test('by the host alone, where the link is cut and nobody gets in any more', async () => {
    const ran = await apply(
      `- name: cut\n  shell: |\n    echo 'Port 2222' > /etc/ssh/sshd_config.d/90-port.conf\n    systemctl restart ssh\n    pkill -KILL -f '[s]shd: ops'\n    sleep 60\n  guard: { reconnect: 10s }`,
    )
    await expectTakenBack(ran, 'cut')
  })

  test('by the host alone, where the engine is killed, and the next run tells of it', async () => {
    const file = playbook(
      port('  notify: restart'),
      '- name: restart\n  shell: systemctl restart ssh; echo restarted; sleep 60',
    )
    const run = startMsingi(['apply', file, '-i', inventory])
    await run.when(event => event.type === 'task_output')
    expect(await host.run('ss -Hltn sport = :22 | wc -l')).toBe('0\n')
    run.kill('SIGKILL')
    await run.ended
    for (let tries = 0; tries < 80 && (await host.run(DOORS)) !== before; tries += 1) await sleep(250)

    expect(await host.run(DOORS)).toBe(before)
    const next = await msingi('apply', playbook('- ping:'), '-i', inventory)
    const warnings = eventsOf(next, 'warning').map(({ message }) => message)
    expect(warnings.filter(message => message.includes('`port`'))).toHaveLength(1)
    expect(next.exit).toBe(0)
  })
})

describe('a guarded change that lets people in', () => {
  test('is kept, handler and all, and leaves nothing behind; again nothing is armed', async () => {
    const tasks = `- name: tries
  copy: { dest: /etc/ssh/sshd_config.d/90-tries.conf, content: "MaxAuthTries 5\\n" }
  notify: reload`
    const handlers = '- name: reload\n  systemd: { name: ssh, state: reloaded }'
    const ran = await apply(tasks, handlers)

    expect(ran.exit).toBe(0)
    expect(tasksThat(ran, 'changed').slice(0, 2)).toEqual([`${host.name}: tries`, `${host.name}: next`])
    expect(await host.run('sshd -T | grep maxauthtries')).toBe('maxauthtries 5\n')
    // The watcher looks once a second whether it is still needed.
    await sleep(2500)
    expect(
      await host.run(
        "ls -d /var/lib/msingi/guard/armed /var/lib/msingi/guard/waiting-* /etc/systemd/system/msingi* 2>/dev/null | wc -l; systemctl list-units --all --plain --no-legend 'msingi*' | wc -l",
      ),
    ).toBe('0\n0\n')
    const again = await apply(tasks, handlers)
    expect(tasksThat(again, 'changed')).toEqual([`${host.name}: next`])
  })
})

describe('a file that a run has replaced', () => {
  test('is put back as any task would, and kept once more before it', async () => {
    const put = (content: string, mode: string): Promise<Ran> =>
      apply(`- copy: { dest: /opt/settings, content: "${content}\\n", mode: "${mode}" }`)
    await put('one', '0640')
    await put('two', '0644')
    const revert = (...more: readonly string[]): Promise<Ran> =>
      msingi('revert', host.name, '/opt/settings', '-i', inventory, ...more)
    const now = 'cat /opt/settings; stat -c %a /opt/settings'

    expect((await revert('--check')).exit).toBe(2)
    expect(await host.run(now)).toBe('two\n644\n')
    expect((await revert()).exit).toBe(0)
    expect(await host.run(now)).toBe('one\n640\n')
    expect((await revert()).exit).toBe(0)
    expect(await host.run(now)).toBe('two\n644\n')
    expect((await revert('--run', 'never')).exit).toBe(4)
    const modes = await host.run('stat -c %a /var/lib/msingi/backup /var/lib/msingi/backup/*')
    expect(new Set(modes.trim().split('\n'))).toEqual(new Set(['700']))
  })
})
