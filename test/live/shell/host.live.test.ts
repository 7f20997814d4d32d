import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Completed } from '../../../src/base/result.ts'
import { Secret } from '../../../src/base/secret.ts'
import { changeScript, discardChanges, followScripts, type Carried } from '../../../src/shell/change.ts'
import { jobBase, jobScript } from '../../../src/shell/job.ts'
import { journalFolder } from '../../../src/shell/journal.ts'
import { quote, sh, type Sh } from '../../../src/shell/sh.ts'
import { writeError, writeScript } from '../../../src/shell/write.ts'
import { spawnWire } from '../../../src/transport/local.ts'
import type { Session } from '../../../src/transport/session.ts'
import { openShell, type ShellOptions } from '../../../src/transport/shell-session.ts'
import type { OpenWire } from '../../../src/transport/wire.ts'
import { startHosts, stopHosts, type LiveHost } from '../support/hosts.ts'

const root = { user: 'root', method: 'sudo' } as const

/** The command line client as the wire: what is tested here is the far end. */
function ssh(host: LiveHost, login = host.user): OpenWire {
  const options = ['-F', 'none', '-o', 'BatchMode=yes', '-o', `UserKnownHostsFile=${host.knownHosts}`]
  const line = ['ssh', '-T', ...options, '-i', host.key, '-p', String(host.port), `${login}@${host.address}`]
  return command => spawnWire(host.name, `exec ${[...line, command].map(quote).join(' ')}`, '/bin/sh')
}

describe.each(['bash', 'dash', 'busybox'] as const)('a host with %s', shell => {
  let host: LiveHost
  let session: Session
  const base = jobBase('live', 0)

  beforeAll(async () => {
    const [first] = await startHosts({ shell })
    if (!first) throw new Error('no host')
    host = first
    session = await openShell(ssh(host), { host: host.name, become: root })
    await host.run(`useradd -m -s /bin/sh limited && echo limited:secret1 | chpasswd && echo root:secret0 | chpasswd
      echo 'limited ALL=(root) ALL' >/etc/sudoers.d/limited
      useradd -m nobody2 && echo nobody2:secret2 | chpasswd
      for user in limited nobody2; do cp /etc/ssh/authorized_keys.d/ops /etc/ssh/authorized_keys.d/$user; done`)
  })
  afterAll(async () => {
    await session.close()
    await stopHosts([host])
  })

  async function ask(script: Sh): Promise<Completed> {
    const [answer] = await session.exchange([{ script }], { deadlineMs: 30_000 })
    if (!answer) throw new Error('no answer')
    return answer
  }

  test('opens a root shell with a private directory in /run', () => {
    expect(session).toMatchObject({ uid: 0, user: 'root', warnings: [] })
    expect(session.scratch).toMatch(/^\/run\/msingi\./)
  })

  test('runs a job in a unit of its own, and leaves alone what the job left behind', async () => {
    const script = sh`grep -o 'msingi-[^/]*service' /proc/self/cgroup | head -n 1; echo "$HOME $USER"; sleep 61 & exit 3`
    const answer = await ask(jobScript({ dir: `${base}/1`, script }))
    expect(answer).toMatchObject({ code: 3, out: 'msingi-live-1.service\n/root root\n', err: '' })
    expect(await ask(sh`pkill -xf 'sleep 61'`)).toMatchObject({ code: 0 })
    expect(
      (await ask(sh`systemctl list-units --all --no-legend 'msingi-*'; systemctl --failed --no-legend`)).out,
    ).toBe('')
    await ask(discardChanges([`${base}/1`]))
  })

  test('lets a change go on when the link is cut and its sshd is killed', async () => {
    const lost = await openShell(ssh(host), { host: host.name, become: root })
    const file = `${base}/2`
    const script = sh`echo before; sleep 2; echo after; exit 4`
    const change: Carried = {
      run: 'live',
      change: 2,
      file,
      deeds: [
        { script: sh`sleep 1; echo first` },
        { job: `${file}.1`, script: jobScript({ dir: `${file}.1`, script }) },
      ],
      journal: { folder: journalFolder(0), host: '-', owes: ['a'], settles: [] },
    }
    const pending = lost
      .exchange([{ script: changeScript(change) }], { deadlineMs: 20_000 })
      .catch((error: unknown) => error)
    while ((await ask(sh`cat ${file}`)).out === '') await sleep(50)
    await host.run(`pkill -9 --newest -f '[s]shd: ops@notty'`)
    expect(await pending).toMatchObject({ name: 'ConnectError', stage: 'lost' })
    const [output, state] = followScripts(change)
    const answers = await session.exchange([{ script: output }, { script: state }], { deadlineMs: 30_000 })
    expect(answers).toMatchObject([{ out: 'before\nafter\nfirst\n' }, { out: 'ended 4\n' }])
    expect((await ask(sh`cat ${`${journalFolder(0)}/owed`}`)).out.trim()).toBe(
      'owed live 2 - a\n\nvoid live 2',
    )
    await ask(discardChanges([file]))
    await host.run('rm -r /var/lib/msingi')
  })

  test.each([
    ['/etc/sudoers.d/test', 'ops ALL=(ALL) NOPASSWD: ALL\n', 'nonsense here\n'],
    ['/etc/ssh/sshd_config.d/test.conf', 'X11Forwarding no\n', 'X11Forwardign no\n'],
    ['/etc/systemd/system/test.service', '[Service]\nExecStart=/not/yet/there\n', '[Service\n'],
    ['/etc/fstab', 'tmpfs /mnt/not-yet tmpfs size=1m 0 0\n', 'tmpfs /mnt/x\n'],
  ])('accepts a good %s and refuses a bad one', async (path, good, bad) => {
    expect(writeError(await ask(writeScript({ path, content: good, mode: '0440' })), path)).toBeUndefined()
    const refused = writeError(await ask(writeScript({ path, content: bad })), path)
    expect(refused?.code).toBe('INVALID_CONTENT')
    expect(await host.run(`cat ${path}; ls -A $(dirname ${path}) | grep -c msingi || true`)).toBe(
      `${good}0\n`,
    )
  })

  test.each<[string, string, Partial<ShellOptions>, RegExp | number]>([
    ['sudo with the right password', 'limited', { become: root, password: new Secret('secret1') }, 0],
    [
      'sudo with a wrong password',
      'limited',
      { become: root, password: new Secret('wrong') },
      /refused the password/,
    ],
    ['sudo without a password', 'limited', { become: root }, /asks for a password/],
    [
      'sudo without a rule',
      'nobody2',
      { become: root, password: new Secret('secret2') },
      /does not allow `nobody2`/,
    ],
    ['sudo to nobody known', 'ops', { become: { user: 'ghost', method: 'sudo' } }, /no user `ghost`/],
    ['sudo where no password is asked for', 'ops', { become: root, password: new Secret('unused') }, 0],
    [
      'su with the right password',
      'nobody2',
      { become: { ...root, method: 'su' }, password: new Secret('secret0') },
      0,
    ],
    [
      'su with a wrong password',
      'nobody2',
      { become: { ...root, method: 'su' }, password: new Secret('wrong') },
      /refused the password/,
    ],
  ])('answers to %s', async (...row) => {
    const [, login, options, outcome] = row
    const opened = await openShell(ssh(host, login), { host: host.name, ...options }).catch(
      (error: unknown) => error,
    )
    if (outcome instanceof RegExp) {
      expect(opened).toMatchObject({
        name: 'ConnectError',
        stage: 'become',
        message: expect.stringMatching(outcome) as string,
      })
      return
    }
    expect(opened).toMatchObject({ uid: outcome })
    await (opened as Session).close()
  })

  test('leaves nothing in /run when its session ends', async () => {
    const other = await openShell(ssh(host), { host: host.name, become: root })
    await other.upload(Buffer.alloc(3_000_000, 7), { deadlineMs: 20_000 })
    const scratch = other.scratch
    expect((await host.run(`ls ${scratch}`)).trim()).toBe('upload-1')
    await other.close()
    expect(await host.run(`ls -d ${scratch} 2>/dev/null || echo gone`)).toBe('gone\n')
  })
})
