import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { validatorFor } from '../../src/shell/validate.ts'
import { interpreter, SHELLS, type ShellName } from '../support/shells.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-validate-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let benches = 0

interface Verdict {
  readonly status: number | null
  readonly text: string
}

/** Judges a file with tools that are scripts of the test; they see the new file as their last argument. */
function judge(
  shell: ShellName,
  path: string,
  files: { old?: string; fresh: string },
  tools: Record<string, string>,
): Verdict {
  benches += 1
  const bench = join(folder, String(benches))
  execFileSync('mkdir', [bench])
  for (const [name, script] of Object.entries(tools)) {
    writeFileSync(join(bench, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }
  const target = join(bench, path.slice(path.lastIndexOf('/') + 1))
  const fresh = join(bench, '.fresh')
  if (files.old !== undefined) writeFileSync(target, files.old)
  writeFileSync(fresh, files.fresh)
  const script = validatorFor(path)?.text ?? 'exit 99'
  const run = spawnSync(interpreter(shell), ['-c', script, 'validate', fresh, target], {
    env: { PATH: `${bench}:/usr/bin:/bin`, LC_ALL: 'C' },
    encoding: 'utf8',
  })
  return { status: run.status, text: run.stdout + run.stderr }
}

const FINDMNT = `for f; do :; done; case $(cat "$f") in
*bad*) echo "findmnt: $f: parse error at line 3 -- ignored"; echo; echo "1 parse error, 0 errors, 0 warnings"; exit 1;;
*nodir*) printf '/mnt\\n   [E] unreachable on boot required target: No such file or directory\\n\\n0 parse errors, 1 error, 0 warnings\\n'; exit 1;;
*wrong*) printf '/mnt\\n   [E] unsupported filesystem type: wrong\\n\\n0 parse errors, 1 error, 0 warnings\\n'; exit 1;;
*) printf '/mnt\\n   [W] unreachable source: x\\n\\n0 parse errors, 0 errors, 1 warning\\n'; exit 0;;
esac`

describe.each(SHELLS)('validators in %s', shell => {
  test.each<[string, string, { old?: string; fresh: string }, Record<string, string>, number]>([
    ['sshd accepts', '/etc/ssh/sshd_config', { fresh: '' }, { sshd: 'exit 0' }, 0],
    ['sshd refuses', '/etc/ssh/sshd_config.d/a.conf', { fresh: '' }, { sshd: 'echo bad >&2; exit 255' }, 1],
    [
      'sshd has no keys yet',
      '/etc/ssh/sshd_config',
      { fresh: '' },
      { sshd: 'echo "sshd: no hostkeys available -- exiting." >&2; exit 1' },
      0,
    ],
    [
      'sshd has never run',
      '/etc/ssh/sshd_config',
      { fresh: '' },
      { sshd: 'echo "Missing privilege separation directory: /run/sshd" >&2; exit 255' },
      0,
    ],
    ['visudo accepts', '/etc/sudoers', { fresh: '' }, { visudo: '[ "$1" = -cf ] && [ -f "$2" ]' }, 0],
    ['visudo refuses', '/etc/sudoers.d/ops', { fresh: '' }, { visudo: 'echo syntax error; exit 1' }, 1],
    ['nginx refuses', '/etc/nginx/nginx.conf', { fresh: '' }, { nginx: 'echo "[emerg]"; exit 1' }, 1],
    [
      'a unit lacks a program',
      '/etc/systemd/system/a.service',
      { fresh: '' },
      {
        'systemd-analyze':
          'echo "a.service: Command /no/such is not executable: No such file or directory"; exit 1',
      },
      0,
    ],
    [
      'a unit is refused',
      '/etc/systemd/system/a.timer',
      { fresh: '' },
      { 'systemd-analyze': 'echo "a.timer: Timer unit lacks value setting. Refusing."; exit 1' },
      1,
    ],
    [
      'another unit is refused',
      '/etc/systemd/system/a.timer',
      { fresh: '' },
      { 'systemd-analyze': 'echo "b.service: has a bad unit file setting."; exit 1' },
      0,
    ],
    [
      'compose is not there',
      '/srv/app/docker-compose.yml',
      { fresh: '' },
      { docker: `echo "docker: 'compose' is not a docker command." >&2; exit 1` },
      0,
    ],
    [
      'compose refuses',
      '/srv/app/compose.override.yaml',
      { fresh: '' },
      { docker: 'echo "services.a.image must be a string" >&2; exit 15' },
      1,
    ],
    [
      'docker refuses',
      '/etc/docker/daemon.json',
      { fresh: '' },
      { dockerd: 'echo "unable to configure" >&2; exit 1' },
      1,
    ],
    [
      'nft may not look',
      '/etc/nftables.conf',
      { fresh: '' },
      { nft: 'echo "netlink: Error: cache initialization failed: Operation not permitted" >&2; exit 1' },
      0,
    ],
    [
      'nft refuses',
      '/etc/nftables.conf',
      { fresh: '' },
      { nft: 'echo "syntax error, unexpected newline" >&2; exit 1' },
      1,
    ],
    ['fstab has warnings', '/etc/fstab', { old: 'a', fresh: 'b' }, { findmnt: FINDMNT }, 0],
    ['fstab lacks a mount point', '/etc/fstab', { old: 'a', fresh: 'nodir' }, { findmnt: FINDMNT }, 0],
    ['fstab is bad', '/etc/fstab', { old: 'a', fresh: 'bad' }, { findmnt: FINDMNT }, 1],
    ['fstab was bad before', '/etc/fstab', { old: 'bad', fresh: 'still bad' }, { findmnt: FINDMNT }, 0],
    ['fstab is new and wrong', '/etc/fstab', { fresh: 'wrong' }, { findmnt: FINDMNT }, 1],
    ['fstab becomes empty', '/etc/fstab', { old: 'a', fresh: '' }, { findmnt: 'exit 1' }, 0],
  ])('%s', (...row) => {
    const [, path, files, tools, status] = row
    const verdict = judge(shell, path, files, tools)
    expect(verdict.status, verdict.text).toBe(status)
    expect(verdict.text === '').toBe(status === 0)
  })
})

test('a host without the tool passes', () => {
  for (const path of [
    '/etc/nginx/nginx.conf',
    '/etc/nftables.conf',
    '/etc/docker/daemon.json',
    '/srv/compose.yml',
  ]) {
    const script = validatorFor(path)?.text ?? 'exit 99'
    const run = spawnSync('/bin/sh', ['-c', script, 'validate', '/no', '/no'], { env: { PATH: '/no' } })
    expect(run.status, path).toBe(0)
  }
})

test.each([
  '/etc/ssh/ssh_config',
  '/etc/ssh/sshd_config.d/README',
  '/etc/nginx/conf.d/site.conf',
  '/etc/systemd/system/a.service.d/override.conf',
  '/etc/systemd/journald.conf',
  '/srv/decompose.yml/x',
  '/home/etc/fstab',
])('%s has no validator of its own', path => {
  expect(validatorFor(path)).toBeUndefined()
})
