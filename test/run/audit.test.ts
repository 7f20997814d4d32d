import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Redactor, Secret } from '../../src/base/secret.ts'
import { auditScript, type AuditEntry } from '../../src/run/audit.ts'
import { lines, sh } from '../../src/shell/sh.ts'
import { openIn, SHELLS } from '../support/shells.ts'
import { fakeHost } from '../support/fake-session.ts'
import { fakeRun } from '../support/fake-run.ts'

const ENTRY: AuditEntry = {
  run: 'r1',
  user: 'ann',
  controller: 'clinic',
  task: 'Write "hosts" it\'s',
  module: 'copy',
  at: 'site.yml:3:7',
  changes: [
    { kind: 'content', what: '/etc/hosts' },
    { kind: 'mode', what: '/etc/hosts\nMSINGI_RUN=forged' },
  ],
  isHidden: false,
}
const operator = { user: 'ann', controller: 'clinic' }

/** Sends an audit behind a piece that ends with 3, to a logger that writes down what it is given. */
async function logged(
  shell: (typeof SHELLS)[number],
  entry: AuditEntry,
  redactor: Redactor,
  isNew: boolean,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'msingi-audit-'))
  const seen = join(folder, 'seen')
  const old = isNew ? '' : '[ "$1" != --journald ] || exit 1;'
  writeFileSync(
    join(folder, 'logger'),
    `#!/bin/sh\n${old} echo "$*" >${seen}.part; cat >>${seen}.part; mv ${seen}.part ${seen}\n`,
  )
  chmodSync(join(folder, 'logger'), 0o755)
  const session = await openIn(shell)
  const script = lines(sh`PATH=${folder}:$PATH`, auditScript(entry, redactor))
  const [, audit, wait] = await session.exchange(
    [
      { script: sh`exit 3` },
      { script },
      { script: sh`for i in 1 2 3 4 5 6 7 8 9; do [ ! -e ${seen} ] || break; sleep 0.3; done` },
    ],
    { deadlineMs: 9000 },
  )
  expect([audit?.code, wait?.code]).toEqual([0, 0])
  await session.close()
  return readFileSync(seen, 'utf8')
}

describe.each(SHELLS)('run/audit in %s', shell => {
  test('the journal gets one entry with fields of its own, and the status of the change', async () => {
    const said = await logged(shell, ENTRY, new Redactor(), true)

    expect(said.split('\n')).toEqual(
      expect.arrayContaining([
        '--journald',
        'MSINGI_RUN=r1',
        'MSINGI_TASK=Write "hosts" it\'s',
        'MSINGI_MODULE=copy',
        'MSINGI_AT=site.yml:3:7',
        'MSINGI_USER=ann',
        'MSINGI_CONTROLLER=clinic',
        'MSINGI_CHANGE=content /etc/hosts',
        'MSINGI_CHANGE=mode /etc/hosts MSINGI_RUN=forged',
        'MSINGI_STATUS=3',
      ]),
    )
    expect(said.match(/^MSINGI_RUN=/gm)).toHaveLength(1)
  })

  test('a logger that knows no fields gets a line', async () => {
    const said = await logged(shell, ENTRY, new Redactor(), false)

    expect(said).toMatch(
      /^-t msingi -p user.notice -- run r1 of ann on clinic: .*content \/etc\/hosts.*: status 3\n$/,
    )
  })
})

describe('run/audit', () => {
  test('it tells no secret, and of a hidden task not even what changed', () => {
    const redactor = new Redactor()
    redactor.add(new Secret('hunter2'))
    const changes = [{ kind: 'password', what: `user:${'x'.repeat(290)}hunter2` }]

    expect(auditScript({ ...ENTRY, changes }, redactor).text).not.toContain('hunter2')
    expect(auditScript({ ...ENTRY, isHidden: true }, redactor).text).not.toContain('/etc/hosts')
  })

  test('it travels with the change, and only with a change', async () => {
    const text = '- hosts: all\n  tasks:\n    - put: {key: a, value: 1}\n    - put: {key: b, value: 1}\n'
    const host = fakeHost({ b: '1' })

    const { exit } = await fakeRun(text, { h: host }, 'apply', { operator })
    const untold = fakeHost({ b: '1' })
    await fakeRun(text, { h: untold })
    const looked = fakeHost()
    await fakeRun(text, { h: looked }, 'plan', { operator })

    expect(exit).toBe(0)
    expect(host.frames.map(parts => parts.length)).toEqual(untold.frames.map(parts => parts.length))
    expect(host.frames.flat().filter(part => part.includes('MSINGI_TASK'))).toHaveLength(1)
    expect(host.frames.flat().find(part => part.includes('MSINGI_TASK'))).toContain('MSINGI_RUN=r1')
    expect(looked.frames.flat().join('')).not.toContain('MSINGI')
  })
})
