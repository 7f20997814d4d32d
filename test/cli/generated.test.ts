import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newIdentity, recipientOf } from '../../src/secrets/age.ts'
import { ENVIRONMENT, many } from './support/in-one-process.ts'
import type { Outcome } from './support/many.ts'

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'msingi-generated-'))
const identity = newIdentity()
const APPLY = ['apply', 'site.yml', '-i', 'hosts.yml', '--identity', 'me.txt']
const PLAN = ['plan', ...APPLY.slice(1)]

const ROLE = `summary: Keeps things.
params:
  word: { type: string, secret: true, generate: { length: 40, alphabet: hex }, describe: A word. }
  words: { type: string, secret: true, generate: { words: 5, per: project }, describe: More words. }
  out: { type: path, describe: Where to. }
`
const TASKS = `- name: Write the words
  copy: { dest: '{{ out }}', content: '{{ word }} {{ words }}', mode: '0600' }
`

function put(file: string, text: string): void {
  mkdirSync(join(folder, file, '..'), { recursive: true })
  writeFileSync(join(folder, file), text, { mode: 0o600 })
}

function written(): string {
  return readFileSync(join(folder, 'out.txt'), 'utf8')
}

beforeAll(() => {
  put('me.txt', identity.reveal())
  put('hosts.yml', 'all: { hosts: { me: { connection: local } } }\n')
  put('site.yml', `- hosts: all\n  roles:\n    - { role: store, out: ${join(folder, 'out.txt')} }\n`)
  put('roles/store/role.yml', ROLE)
  put('roles/store/tasks.yml', TASKS)
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe('a secret that a role declares with `generate`', () => {
  let planned: readonly Outcome[] = []
  let applied: readonly Outcome[] = []
  let first = ''

  beforeAll(async () => {
    planned = await many([PLAN, APPLY], folder)
    put('secrets/recipients.txt', `${recipientOf(identity)}\n`)
    await many([APPLY], folder)
    first = written()
    rmSync(join(folder, 'out.txt'))
    applied = await many([APPLY, PLAN], folder)
  }, 120_000)

  test('is not made by a plan, which says that it would be', () => {
    expect(planned[0]?.stdout).toContain('store.word')
    expect(planned[0]?.code).not.toBe(4)
  })

  test('is not made where nobody is there to encrypt it for', () => {
    expect(planned[1]?.code).toBe(1)
    expect(planned[1]?.stdout).toContain('secrets/recipients.txt')
  })

  test('is made by the first apply, as it was asked for', () => {
    expect(first).toMatch(/^[0-9a-f]{40} (?:[a-z]{5}-){4}[a-z]{5}$/)
  })

  test('is the same in every later run', () => {
    expect(applied[0]?.code).toBe(0)
    expect(written()).toBe(first)
    expect(applied[1]?.code).toBe(0)
  })

  test('lies encrypted in the project, for the host or for all', () => {
    expect(readdirSync(join(folder, 'secrets'))).toEqual(['all.age.yml', 'me.age.yml', 'recipients.txt'])
    for (const name of ['all.age.yml', 'me.age.yml'])
      expect(readFileSync(join(folder, 'secrets', name), 'utf8')).toMatch(
        /^-----BEGIN AGE ENCRYPTED FILE-----/,
      )
  })

  test('is told by nobody', () => {
    const said = [...planned, ...applied].map(({ stdout, stderr }) => stdout + stderr).join('')

    for (const word of first.split(' ')) expect(said).not.toContain(word)
  })

  test('is made once by runs that want it at the same time', { timeout: 60_000 }, async () => {
    rmSync(join(folder, 'secrets/me.age.yml'))
    const script = join(folder, 'want.ts')
    writeFileSync(
      script,
      `import { openKeyring } from '${join(import.meta.dirname, '../../src/cli/keys.ts')}'
       import { generatedSecrets } from '${join(import.meta.dirname, '../../src/cli/generated.ts')}'
       const give = generatedSecrets(openKeyring({ identity: ['me.txt'] }, {}), true, () => undefined)
       const wanted = { host: 'me', role: 'store', param: 'word' }
       const generate = { length: 20, alphabet: 'abcdefghijkl', words: undefined, per: 'host' }
       process.stdout.write(give({ ...wanted, generate }).reveal())`,
    )

    const words = await Promise.all(
      [1, 2, 3].map(() => run(process.execPath, [script], { cwd: folder, env: ENVIRONMENT })),
    )

    expect(words[0]?.stdout).toMatch(/^[a-l]{20}$/)
    expect(new Set(words.map(({ stdout }) => stdout)).size).toBe(1)
  })

  test.each([
    ['one that is no secret', '{ type: string, generate: true, describe: A. }'],
    ['one that is no text', '{ type: integer, secret: true, generate: true, describe: A. }'],
    ['one that has a default', '{ type: string, secret: true, generate: true, default: a, describe: A. }'],
    ['one that can be guessed', '{ type: string, secret: true, generate: { length: 4 }, describe: A. }'],
    ['one of an unknown sort', '{ type: string, secret: true, generate: { size: 9 }, describe: A. }'],
  ])('%s is refused', async (_, param) => {
    put('roles/store/role.yml', `${ROLE}  another: ${param}\n`)
    const [outcome] = await many([['lint', 'site.yml', '-i', 'hosts.yml']], folder)

    expect(outcome?.stderr).toMatch(/^error\[BAD_VALUE\].*\n.*roles\/store\/role\.yml:6:/)
  })
})
