import { execFile, spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ENVIRONMENT, many } from './support/in-one-process.ts'
import type { Outcome } from './support/many.ts'

const BIN = join(import.meta.dirname, '../../bin/msingi.js')
const FIXTURES = join(import.meta.dirname, '../secrets/fixtures')
const WORD = 'canary-of-the-command-line'
const ME = ['--identity', 'me.txt']
const run = promisify(execFile)

const project = mkdtempSync(join(tmpdir(), 'msingi-secrets-'))

function put(file: string, text: string): void {
  mkdirSync(join(project, file, '..'), { recursive: true })
  writeFileSync(join(project, file), text)
}

function has(file: string): string {
  return readFileSync(join(project, file), 'utf8')
}

beforeAll(() => {
  put('hosts.yml', 'all: { hosts: { me: { connection: local } } }\n')
  put('site.yml', "- hosts: all\n  tasks:\n    - debug: { msg: '{{ db_password }} {{ theirs }}' }\n")
  put('group_vars/all.yml', `# remarks stay\ndb_password: ${WORD}\n`)
  put('vars/vault.yml', readFileSync(join(FIXTURES, 'whole-1.1.yml'), 'utf8'))
  put('vars/single.yml', readFileSync(join(FIXTURES, 'value-1.1.yml'), 'utf8'))
  const identity = readFileSync(join(FIXTURES, 'identity.txt'), 'utf8')
  writeFileSync(join(project, 'theirs.txt'), identity, { mode: 0o600 })
  cpSync(join(FIXTURES, 'vault-password.txt'), join(project, 'vault-password.txt'))
  cpSync(join(FIXTURES, 'sops.yml'), join(project, 'vars/sops.yml'))
})

afterAll(() => {
  rmSync(project, { recursive: true, force: true })
})

describe('msingi secrets', () => {
  let outcomes: readonly Outcome[] = []
  const vault = ['--vault-password-file', 'vault-password.txt']
  const theirs = ['--identity', 'theirs.txt']
  const lines: readonly (readonly [string, readonly string[], Partial<Outcome>])[] = [
    ['nobody to encrypt for', ['secrets', 'encrypt', 'group_vars/all.yml'], { code: 4 }],
    ['an identity', ['secrets', 'init', ...ME], { code: 0 }],
    ['the same identity again', ['secrets', 'init', ...ME], { code: 0 }],
    ['a secret that lies open', ['secrets', 'check'], { code: 2 }],
    ['a file that is encrypted', ['secrets', 'encrypt', 'group_vars/all.yml'], { code: 0 }],
    ['nothing open any more', ['secrets', 'check', 'group_vars', 'vars', 'site.yml'], { code: 0 }],
    [
      'a look',
      ['secrets', 'view', 'group_vars/all.age.yml', ...ME],
      { code: 0, stdout: `# remarks stay\ndb_password: ${WORD}\n` },
    ],
    [
      'a look at ansible-vault',
      ['secrets', 'view', 'vars/single.yml', ...vault],
      { code: 0, stdout: 'api_token: tōken {{ not_a_template }}\n' },
    ],
    ['a file taken over from ansible-vault', ['secrets', 'encrypt', 'vars/vault.yml', ...vault], { code: 0 }],
    ['a file taken over from sops', ['secrets', 'encrypt', 'vars/sops.yml', ...theirs], { code: 0 }],
    ['its values', ['secrets', 'view', 'vars/vault.age.yml', ...ME], { code: 0 }],
    ['a stranger', ['secrets', 'view', 'group_vars/all.age.yml', ...theirs], { code: 4 }],
    ['a run that needs the key', ['lint', 'site.yml', '-i', 'hosts.yml', '-e', 'theirs=1'], { code: 4 }],
    [
      'a run that has the key',
      ['apply', 'site.yml', '-i', 'hosts.yml', '-e', 'theirs=1', '-vv', ...ME],
      { code: 0 },
    ],
    [
      'the variables',
      ['vars', 'me', '-i', 'hosts.yml', ...ME],
      { code: 0, stdout: expect.stringContaining('db_password = "‹secret›"') as string },
    ],
    ['no recipient', ['secrets', 'add-recipient', 'age1nobody', ...ME], { code: 4 }],
    [
      'one more recipient',
      [
        'secrets',
        'add-recipient',
        'age1g37nkhf729gdzsluehh0gl66snhaal7fekamd6at59c0tn6sjfgsww0mpw',
        'of the tests',
        ...ME,
      ],
      { code: 0 },
    ],
    ['the other one, now', ['secrets', 'view', 'group_vars/all.age.yml', ...theirs], { code: 0 }],
    ['all of it anew', ['secrets', 'rekey', ...theirs], { code: 0 }],
    [
      'a plain copy',
      ['secrets', 'decrypt', 'group_vars/all.age.yml', '--out', 'plain.txt', ...ME],
      { code: 0 },
    ],
    [
      'no plain copy over another',
      ['secrets', 'decrypt', 'group_vars/all.age.yml', '--out', 'plain.txt', ...ME],
      { code: 4 },
    ],
  ]

  beforeAll(async () => {
    outcomes = await many(
      lines.map(([, argv]) => argv),
      project,
    )
  }, 60_000)

  test.each(lines.map(([title, argv, wanted], index) => ({ title, argv, wanted, index })))(
    '$title',
    ({ wanted, index }) => {
      expect(outcomes[index]).toMatchObject(wanted)
    },
  )

  test('tells the value only where it is asked to', () => {
    const telling = outcomes.flatMap(({ stdout, stderr }, index) =>
      (stdout + stderr).includes(WORD) ? [lines[index]?.[0]] : [],
    )

    expect(telling).toEqual(['a look', 'the other one, now'])
  })

  test('leaves an encrypted file, and nothing beside it', () => {
    expect(readdirSync(join(project, 'group_vars'))).toEqual(['all.age.yml'])
    expect(has('group_vars/all.age.yml')).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/)
    expect(statSync(join(project, 'me.txt')).mode & 0o777).toBe(0o600)
    expect(statSync(join(project, 'plain.txt')).mode & 0o777).toBe(0o600)
    expect(has('secrets/recipients.txt').match(/^age1/gm)).toHaveLength(2)
  })
})

describe('msingi secrets edit', () => {
  async function edit(file: string, editor: string): Promise<Outcome> {
    const env = { ...ENVIRONMENT, EDITOR: editor, XDG_RUNTIME_DIR: join(project, 'run') }
    mkdirSync(env.XDG_RUNTIME_DIR, { recursive: true })
    try {
      const argv = [BIN, 'secrets', 'edit', file, ...ME]
      const { stdout, stderr } = await run(process.execPath, argv, { cwd: project, env })
      return { code: 0, stdout, stderr }
    } catch (error) {
      return error as Outcome
    }
  }

  test('gives the editor a file in memory that nobody else can read, and clears it away', async () => {
    const seen = join(project, 'seen.txt')
    const script = `sh -c 'stat -c "%a %n" "$1" > ${seen}; echo "more: words of mine" >> "$1"; cp "$1" "$1~"' sh`

    expect(await edit('group_vars/all.age.yml', script)).toMatchObject({ code: 0 })

    expect(readFileSync(seen, 'utf8')).toMatch(/^600 .*\/run\/msingi-edit-.*\/all\.age\.yml\n$/)
    expect(readdirSync(join(project, 'run'))).toEqual([])
    const { stdout } = await run(
      process.execPath,
      [BIN, 'secrets', 'view', 'group_vars/all.age.yml', ...ME],
      { cwd: project, env: ENVIRONMENT },
    )
    expect(stdout).toBe(`# remarks stay\ndb_password: ${WORD}\nmore: words of mine\n`)
  })

  test.each([
    ['an editor that fails', 'false'],
    ['a text that is no YAML', `sh -c 'echo "a: [" > "$1"' sh`],
  ])('%s leaves everything as it was', async (_, editor) => {
    const before = has('group_vars/all.age.yml')

    expect(await edit('group_vars/all.age.yml', editor)).toMatchObject({ code: 4 })

    expect(has('group_vars/all.age.yml')).toBe(before)
    expect(readdirSync(join(project, 'run'))).toEqual([])
  })

  test('an editor that is interrupted leaves no plain text behind', async () => {
    const started = join(project, 'started.txt')
    const env = {
      ...ENVIRONMENT,
      EDITOR: `sh -c 'touch ${started}; exec sleep 30' sh`,
      XDG_RUNTIME_DIR: join(project, 'run'),
    }
    const child = spawn(process.execPath, [BIN, 'secrets', 'edit', 'group_vars/all.age.yml', ...ME], {
      cwd: project,
      env,
      detached: true,
    })
    while (!existsSync(started)) await new Promise(resolve => setTimeout(resolve, 20))
    expect(readdirSync(join(project, 'run'))).toHaveLength(1)

    process.kill(-Number(child.pid), 'SIGTERM')
    await once(child, 'close')

    expect(readdirSync(join(project, 'run'))).toEqual([])
  })
})
