import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Secret } from '../../../src/base/secret.ts'
import type { Reach } from '../../../src/transport/settle.ts'
import {
  daemon,
  dir,
  failure,
  hostKey,
  me,
  open,
  openAll,
  otherKey,
  plain,
  print,
  say,
  trusted,
} from './lab.ts'
import { makeKey, startSshd, type Sshd } from './sshd.ts'

describe('keys', () => {
  const encrypted = join(dir, 'encrypted')
  const locked = join(dir, 'locked.pem')
  let withEncrypted: Sshd
  beforeAll(async () => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'opensesame', '-f', encrypted])
    execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-m', 'PEM', '-N', 'opensesame', '-f', locked])
    withEncrypted = await startSshd(dir, [hostKey], [encrypted, locked])
  })
  afterAll(() => withEncrypted.stop())
  const reach = (...keys: string[]): Reach => trusted(withEncrypted, { keys })

  test.each([
    ['openssh', encrypted],
    ['pem', locked],
  ])('the-passphrase-of-an-%s-key-is-asked-once-for-all-hosts', async (_format, key) => {
    const prompts: string[] = []
    const ask = (prompt: string): Promise<Secret> => {
      prompts.push(prompt)
      return Promise.resolve(new Secret('opensesame'))
    }
    await openAll({ a: reach(key), b: reach(key), c: reach(key) }, ['a', 'b', 'c'], { ask })
    expect(prompts).toHaveLength(1)
    expect(prompts[0]).toContain(key)
  })

  test('a-passphrase-that-comes-after-the-host-lost-patience-is-still-used', async () => {
    const sshd = await daemon(['LoginGraceTime 1'], [hostKey], [encrypted])
    const ask = async (): Promise<Secret> => {
      await sleep(2000)
      return new Secret('opensesame')
    }
    expect(await say(await open(trusted(sshd, { keys: [encrypted] }), { ask }))).toBe(me)
  })

  test('a-wrong-passphrase-is-asked-for-three-times', async () => {
    let asked = 0
    const ask = (): Promise<Secret> => {
      asked++
      return Promise.resolve(new Secret('guess'))
    }
    const error = await failure(open(reach(encrypted), { ask }))
    expect(error.stage).toBe('auth')
    expect(asked).toBe(3)
  })

  test('a-refused-login-lists-what-was-tried', async () => {
    const missing = join(dir, 'nowhere')
    const error = await failure(open(trusted(plain(), { keys: [otherKey, encrypted, missing] })))
    expect(error.stage).toBe('auth')
    for (const part of [otherKey, print(otherKey), encrypted, print(encrypted), missing]) {
      expect(error.message).toContain(part)
    }
  })

  test('a-key-that-others-may-read-is-not-used', async () => {
    const readable = makeKey(dir, 'readable')
    execFileSync('chmod', ['644', readable])
    const error = await failure(open(trusted(plain(), { keys: [readable] })))
    expect(error.message).toContain(`chmod 600 ${readable}`)
  })

  test('a-host-that-takes-no-keys-is-named-so', async () => {
    const error = await failure(open(trusted(await daemon(['PubkeyAuthentication no', 'PermitEmptyPasswords no'])))) // prettier-ignore
    expect(error.stage).toBe('auth')
  })
})

describe('an agent', () => {
  const socket = join(dir, 'agent')
  const held = Array.from({ length: 5 }, (_, index) => makeKey(dir, `held${index}`))
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
  let strict: Sshd | undefined
  const strictOne = (): Sshd => strict ?? plain()
  const env = { HOME: dir, SSH_AUTH_SOCK: socket }

  beforeAll(async () => {
    const last = held.at(-1) ?? ''
    for (let tries = 0; tries < 200 && !existsSync(socket); tries++) await sleep(20)
    for (const key of held) execFileSync('ssh-add', ['-q', key], { env: { ...process.env, ...env } })
    strict = await startSshd(dir, [hostKey], [last], ['MaxAuthTries 2'])
  })
  afterAll(async () => {
    agent.kill()
    await strict?.stop()
  })

  test('an-agent-signs', async () => {
    const lenient = await daemon(['MaxAuthTries 20'], [hostKey], held.slice(-1))
    expect(await say(await open(trusted(lenient, { keys: [] }), { env }))).toBe(me)
  })

  test('too-many-keys-of-the-agent-are-listed', async () => {
    const error = await failure(open(trusted(strictOne(), { keys: [] }), { env }))
    expect(error.stage).toBe('auth')
    expect(error.message).toContain(print(held[0] ?? ''))
    expect(error.hint).toContain('ssh.key')
  })

  test('a-named-key-is-offered-first-and-the-agent-signs-for-its-public-half', async () => {
    const last = held.at(-1) ?? ''
    const half = join(dir, 'half.pub')
    writeFileSync(half, readFileSync(`${last}.pub`))
    expect(await say(await open(trusted(strictOne(), { keys: [half] }), { env }))).toBe(me)
  })

  test('identities-only-offers-nothing-else-of-the-agent', async () => {
    const config = join(dir, 'only_config')
    writeFileSync(config, 'IdentitiesOnly yes\n')
    const error = await failure(open(trusted(strictOne(), { keys: [otherKey] }), { env, userConfig: config }))
    expect(error.message).toContain(print(otherKey))
    expect(error.message).not.toContain(print(held[0] ?? ''))
  })

  test('an-agent-that-is-gone-does-not-hinder-a-key-file', async () => {
    const gone = { HOME: dir, SSH_AUTH_SOCK: join(dir, 'no-agent') }
    expect(await say(await open(trusted(plain()), { env: gone }))).toBe(me)
  })
})
