import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { SourceError } from '../../src/base/error.ts'
import { MASK, Secret } from '../../src/base/secret.ts'
import { openKeyring, unsealing } from '../../src/cli/keys.ts'
import { newIdentity, openAge, recipientOf, sealAge, wantsPassphrase } from '../../src/secrets/age.ts'
import { openVault } from '../../src/secrets/ansible-vault.ts'
import { SealError } from '../../src/secrets/seal-error.ts'
import { openSources } from '../../src/syntax/files.ts'
import { nodeAt, type Node, plain } from '../../src/syntax/node.ts'
import { render } from '../../src/vars/render.ts'
import { Scope } from '../../src/vars/scope.ts'

const FIXTURES = join(import.meta.dirname, 'fixtures')
/** Version control keeps no modes, and an identity that others may read is refused. */
const keys = mkdtempSync(join(tmpdir(), 'msingi-keys-'))
const identityFile = join(keys, 'identity.txt')
writeFileSync(identityFile, read('identity.txt'), { mode: 0o600 })
afterAll(() => {
  rmSync(keys, { recursive: true })
})

const WITH_KEYS = {
  identity: [identityFile],
  vaultPasswordFile: [join(FIXTURES, 'vault-password.txt')],
}

function read(name: string): string {
  return readFileSync(join(FIXTURES, name), 'utf8')
}

/** Reads a fixture as a project does. */
function opened(name: string, flags = WITH_KEYS): { node: Node | undefined; problems: SourceError[] } {
  const problems: SourceError[] = []
  const keyring = openKeyring(flags, { HOME: FIXTURES })
  const node = openSources(unsealing(keyring, false)).parse(resolve(FIXTURES, name), problem =>
    problems.push(problem),
  )
  return { node, problems }
}

/** What the variables of a fixture come to; secrets are told in the open. */
function values(name: string): unknown {
  const { node } = opened(name)
  if (node?.kind !== 'map') throw new Error('no map')
  const scope = new Scope({
    layers: [{ level: 'play', origin: 'here', vars: node }],
    hostData: new Map(),
    localData: new Map(),
  })
  return told(render(node, scope))
}

function told(value: unknown): unknown {
  if (value instanceof Secret) return `secret ${value.reveal()}`
  if (Array.isArray(value)) return value.map(told)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, told(item)]))
}

const DATABASE = {
  db_password: 'secret canary & one: "quoted"',
  db: {
    url: 'secret postgres://cht:canary & one: "quoted"@localhost/cht',
    port: 'secret 5984',
    tls: true,
  },
}

describe('encrypted files', () => {
  test.each(['whole-1.1.yml', 'whole-1.2.yml', 'whole.age.yml'])(
    '%s opens, and all in it is secret',
    name => {
      expect(values(name)).toEqual(DATABASE)
    },
  )

  test.each(['value-1.1.yml', 'value-age.yml'])('%s holds one value, taken as it is', name => {
    expect(values(name)).toEqual({ api_token: 'secret tōken {{ not_a_template }}' })
  })

  test('a file of sops opens value by value, and what was in the open stays so', () => {
    expect(values('sops.yml')).toEqual({
      api_token: 'secret tōken & more',
      db: { port: 'secret 5984', tls: true, replicas: ['secret one', 'secret two'], empty: '' },
      note_unencrypted: 'in the open',
    })
  })

  test.each(['whole-1.1.yml', 'whole.age.yml', 'value-age.yml', 'sops.yml'])(
    '%s shows nothing in its tree, nor in a code frame',
    name => {
      const { node } = opened(name)

      expect(JSON.stringify(node)).not.toMatch(/canary|tōken|5984/)
      expect(JSON.stringify(node && plain(node))).toContain(MASK)
    },
  )

  test('places are those of the decrypted text', () => {
    const { node } = opened('whole.age.yml')

    expect(node && nodeAt(node, ['db', 'port']).at).toMatchObject({ line: 5, col: 9 })
  })

  test.each([
    ['someone-elses.age.yml', WITH_KEYS, 'SECRET_LOCKED'],
    ['whole.age.yml', { ...WITH_KEYS, identity: [] }, 'SECRET_LOCKED'],
    ['whole-1.1.yml', { ...WITH_KEYS, vaultPasswordFile: [] }, 'SECRET_LOCKED'],
    ['value-1.1.yml', { ...WITH_KEYS, vaultPasswordFile: [] }, 'SECRET_LOCKED'],
    ['sops.yml', { ...WITH_KEYS, identity: [] }, 'SECRET_LOCKED'],
  ] as const)('%s without its key is a problem of the project', (name, flags, code) => {
    const { problems } = opened(name, flags as typeof WITH_KEYS)

    expect(problems.map(problem => problem.code)).toEqual([code])
  })
})

describe('what was tampered with', () => {
  test('ansible-vault: one altered digit is found', () => {
    const sealed = read('whole-1.1.yml').replace(/.(?=\n$)/, digit => (digit === '0' ? '1' : '0'))
    const password = new Secret(read('vault-password.txt').trim())

    expect(() => openVault(sealed, [{ id: 'default', password }])).toThrow(SealError)
  })

  test.each([
    ['a value moved to another key', (text: string) => text.replace('api_token', 'other_token')],
    ['a value in the open altered', (text: string) => text.replace('in the open', 'in the closet')],
    ['a value removed', (text: string) => text.replace(/^api_token.*\n/m, '')],
    ['a value put in the open', (text: string) => text.replace(/ENC\[AES256_GCM,data:6gbT[^\n]*/, '5985')],
  ])('sops: %s is found', (_, alter) => {
    const folder = mkdtempSync(join(tmpdir(), 'msingi-sops-'))
    const altered = alter(read('sops.yml'))
    writeFileSync(join(folder, 'sops.yml'), altered)

    const { node, problems } = opened(join(folder, 'sops.yml'))
    rmSync(folder, { recursive: true })

    expect(altered).not.toEqual(read('sops.yml'))
    expect([node, problems.map(({ code }) => code)]).toEqual([undefined, ['SECRET_DAMAGED']])
  })
})

describe('age', () => {
  test('what is sealed for recipients opens for each of them and nobody else', () => {
    const [one, two, stranger] = [newIdentity(), newIdentity(), newIdentity()]
    const sealed = sealAge('hello', { recipients: [recipientOf(one), recipientOf(two)] })

    expect(openAge(sealed, { identities: [one], passphrases: [] })).toBe('hello')
    expect(openAge(sealed.replaceAll(/^/gm, '   '), { identities: [two], passphrases: [] })).toBe('hello')
    expect(() => openAge(sealed, { identities: [stranger], passphrases: [] })).toThrow(SealError)
  })

  test('what is sealed with a passphrase says so', () => {
    const sealed = sealAge('hello', { passphrase: new Secret('open sesame'), workFactor: 10 })

    expect(wantsPassphrase(sealed)).toBe(true)
    expect(wantsPassphrase(read('whole.age.yml'))).toBe(false)
    expect(openAge(sealed, { identities: [], passphrases: [new Secret('open sesame')] })).toBe('hello')
  })
})
