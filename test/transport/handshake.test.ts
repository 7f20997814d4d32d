import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { Secret } from '../../src/base/secret.ts'
import { HOST_PATH } from '../../src/shell/frame.ts'
import { sh } from '../../src/shell/sh.ts'
import { spawnWire } from '../../src/transport/local.ts'
import type { Become, Session } from '../../src/transport/session.ts'
import { openShell } from '../../src/transport/shell-session.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-become-'))
const opened: Session[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map(session => session.close()))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Behaves as sudo does where it asks for a password on stdin, and runs the command as the user of the test. */
const SUDO = `prompt= user=
while :; do case $1 in -n|-S|-H) shift;; -p) prompt=$2; shift 2;; -u) user=$2; shift 2;; --) shift; break;; esac; done
for try in 1 2 3; do
printf %s "$prompt" >&2
read -r word || exit 1
[ "$word" = hunter2 ] && exec "$@"
echo "Sorry, try again." >&2
done
exit 1`

/** su prints its prompt, reads with a buffer, and drops what it has read too much: what is sent early is lost. */
const SU = `[ "$1" = -s ] && shell=$2 user=$3
printf 'Password: ' >&2
word=$(dd bs=512 count=1 2>/dev/null)
[ "$word" = hunter2 ] || { echo "su: Authentication failure" >&2; exit 1; }
shift 3
exec "$shell" "$@"`

const NO_PASSWORD = `while [ "$1" != -- ]; do shift; done; shift; echo lecture >&2; exec "$@"`

interface Attempt {
  readonly tool: string
  readonly become?: Become
  readonly password?: string
}

async function attempt({
  tool,
  become = { user: 'root', method: 'sudo' },
  password,
}: Attempt): Promise<Session> {
  writeFileSync(join(folder, become.method), `#!/bin/sh\n${tool}\n`, { mode: 0o755 })
  const session = await openShell(
    command => spawnWire('here', command.replace(HOST_PATH, `${folder}:${HOST_PATH}`), '/bin/sh'),
    {
      host: 'here',
      become,
      password: password === undefined ? undefined : new Secret(password),
      deadlineMs: 3000,
    },
  )
  opened.push(session)
  return session
}

const su: Become = { user: 'root', method: 'su' }

describe('escalation', () => {
  test.each<[string, Attempt]>([
    ['sudo with a password', { tool: SUDO, password: 'hunter2' }],
    ['sudo that has a password and needs none', { tool: NO_PASSWORD, password: 'hunter2' }],
    ['sudo without a password', { tool: NO_PASSWORD }],
    ['su that reads more than the password', { tool: SU, become: su, password: 'hunter2' }],
  ])('opens a shell by %s', async (_how, how) => {
    const session = await attempt(how)
    const [answer] = await session.exchange([{ script: sh`echo in; set` }], { deadlineMs: 3000 })
    expect(answer?.out.startsWith('in\n')).toBe(true)
    expect(answer?.out).not.toContain('hunter2')
    expect(session.warnings).toHaveLength(how.tool === NO_PASSWORD ? 1 : 0)
  })

  test.each<[string, Attempt, string]>([
    ['a wrong password', { tool: SUDO, password: 'wrong' }, 'refused the password'],
    ['a wrong password for su', { tool: SU, become: su, password: 'wrong' }, 'refused the password'],
    ['su without a password', { tool: SU, become: su }, 'asks for a password'],
    [
      'a password that is not given',
      { tool: 'echo "sudo: a password is required" >&2; exit 1' },
      'asks for a password',
    ],
    ['a login user without a rule', { tool: 'echo "ops is not in the sudoers file." >&2; exit 1' }, '`ops`'],
    [
      'a rule for other commands',
      { tool: 'echo "Sorry, user ops is not allowed to execute \'/bin/sh -c x\' as root on h." >&2; exit 1' },
      '`ops`',
    ],
    [
      'sudo that wants a terminal',
      { tool: 'echo "sudo: sorry, you must have a tty to run sudo" >&2; exit 1' },
      'terminal',
    ],
    [
      'an unknown user',
      { tool: 'echo "sudo: unknown user: web" >&2; exit 1', become: { user: 'web', method: 'sudo' } },
      'no user `web`',
    ],
    [
      'an unknown user for su',
      {
        tool: 'echo "su: user web does not exist or the user entry does not contain all the required fields" >&2; exit 1',
        become: { user: 'web', method: 'su' },
      },
      'no user `web`',
    ],
    [
      'doas without a rule',
      { tool: 'echo "doas: Operation not permitted" >&2; exit 1', become: { user: 'root', method: 'doas' } },
      'doas does not allow',
    ],
    [
      'doas that wants a password',
      { tool: 'echo "doas: Authorization required" >&2; exit 1', become: { user: 'root', method: 'doas' } },
      'terminal',
    ],
    [
      'a container without privileges',
      { tool: `echo 'sudo: The "no new privileges" flag is set' >&2; exit 1` },
      'privileges',
    ],
    ['anything else', { tool: 'echo "sudo: PAM is on fire" >&2; exit 9' }, 'PAM is on fire'],
  ])('names the reason for %s', async (_what, how, words) => {
    await expect(attempt(how)).rejects.toMatchObject({
      name: 'ConnectError',
      stage: 'become',
      message: expect.stringContaining(words) as string,
    })
  })

  test('sends nothing before it is asked, and the password once', async () => {
    const log = join(folder, 'log')
    await expect(
      attempt({ tool: `cat >${log} & sleep 0.3; kill $!; exit 1`, password: 'hunter2' }),
    ).rejects.toMatchObject({ stage: 'become' })
    expect(readFileSync(log, 'utf8')).toBe('')
    await expect(
      attempt({ tool: `printf %s "$4" >&2; timeout 0.5 cat >${log}; exit 1`, password: 'hunter2' }),
    ).rejects.toMatchObject({ stage: 'become' })
    expect(readFileSync(log, 'utf8')).toBe('hunter2\n')
  })

  test('gives up at the deadline where the far end is silent', async () => {
    const open = openShell(() => spawnWire('here', 'exec sleep 20', '/bin/sh'), {
      host: 'here',
      become: { user: 'root', method: 'sudo' },
      deadlineMs: 150,
    })
    await expect(open).rejects.toMatchObject({ name: 'ConnectError', stage: 'become' })
  })
})
