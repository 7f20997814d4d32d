import ssh2 from 'ssh2'
import { expect, test } from 'vitest'
import { makeKeyPair } from '../../src/lab/keys.ts'

test('a key pair is read as one by an independent reader', () => {
  const { secret, open } = makeKeyPair()

  const parsed = ssh2.utils.parseKey(secret)

  if (parsed instanceof Error) throw parsed
  expect(`ssh-ed25519 ${parsed.getPublicSSH().toString('base64')}`).toBe(open)
  const signature = parsed.sign('text')
  if (signature instanceof Error) throw signature
  expect(parsed.verify('text', signature)).toBe(true)
})

test('no two pairs are equal', () => {
  expect(makeKeyPair().open).not.toBe(makeKeyPair().open)
})
