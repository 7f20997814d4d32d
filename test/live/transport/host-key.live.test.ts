import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { ConnectError } from '../../../src/base/error.ts'
import { makeHostKeyScan } from '../../../src/transport/connect.ts'
import { pinKeys } from '../../../src/transport/known-hosts.ts'
import type { Reach } from '../../../src/transport/settle.ts'
import {
  daemon,
  dir,
  failure,
  hostEcdsa,
  hostKey,
  hostRsa,
  known,
  me,
  never,
  open,
  otherKey,
  plain,
  print,
  say,
  setup,
  trust,
  trusted,
  userKey,
} from './lab.ts'
import { makeKey, publicKey, reachOf, type Sshd } from './sshd.ts'

describe('the key of the host', () => {
  const reach = (): Reach => reachOf(plain(), { keys: [userKey] })

  test('a-host-that-known_hosts-names-by-hash-is-let-in', async () => {
    trust(plain(), hostKey)
    expect(await say(await open(reach()))).toBe(me)
  })

  test('a-host-known-by-a-weaker-type-of-key-shows-that-one', async () => {
    trust(plain(), hostRsa)
    expect(await say(await open(reach()))).toBe(me)
    trust(plain(), hostEcdsa)
    expect(await say(await open(reach()))).toBe(me)
  })

  test('an-unknown-key-is-refused-with-its-fingerprint-and-the-way-to-trust-it', async () => {
    const error = await failure(open(reach()))
    expect(error.stage).toBe('hostkey')
    expect(error.message).toContain(print(hostKey))
    expect(error.hint).toContain('msingi hosts trust web')
  })

  test('a-changed-key-is-refused-with-both-fingerprints-and-the-place', async () => {
    trust(plain(), otherKey)
    const error = await failure(open(reach()))
    expect(error.stage).toBe('hostkey')
    expect(error.message).toContain(print(hostKey))
    expect(error.message).toContain(`${print(otherKey)} (${known}:1)`)
  })

  test('a-pin-wins-over-known_hosts', async () => {
    trust(plain(), otherKey)
    expect(await say(await open(trusted(plain())))).toBe(me)
    trust(plain(), hostKey)
    const error = await failure(open({ ...reach(), hostKeys: [publicKey(otherKey)] }))
    expect(error.stage).toBe('hostkey')
    expect(error.message).toContain(print(otherKey))
  })

  test('a-pinned-fingerprint-is-found-among-keys-of-all-types', async () => {
    for (const key of [hostKey, hostEcdsa, hostRsa]) {
      expect(await say(await open({ ...reach(), hostKeys: [print(key)] }))).toBe(me)
    }
    const error = await failure(open({ ...reach(), hostKeys: [print(otherKey)] }))
    expect(error.stage).toBe('hostkey')
    expect(error.message).toContain(print(hostKey))
  })

  test('a-revoked-key-is-refused-even-where-it-is-pinned', async () => {
    writeFileSync(known, `@revoked * ${publicKey(hostKey)}\n`)
    const error = await failure(open(trusted(plain())))
    expect(error.stage).toBe('hostkey')
    expect(error.message).toContain(`${known}:1`)
  })

  test('all-keys-of-a-host-are-scanned-and-become-known', async () => {
    const { name, keys } = await makeHostKeyScan(setup({ web: reach() }))('web', never)
    expect(keys.map(key => [key.type, key.fingerprint, key.verdict.is])).toEqual([
      ['ssh-ed25519', print(hostKey), 'unknown'],
      ['ecdsa-sha2-nistp256', print(hostEcdsa), 'unknown'],
      ['ssh-rsa', print(hostRsa), 'unknown'],
    ])
    writeFileSync(known, pinKeys('', name, keys.map(key => key.key), { replace: false })) // prettier-ignore
    expect(await say(await open(reach()))).toBe(me)
  })
})

describe('host certificates', () => {
  const today = '-1d:+1d'
  async function certified(ca: string, principals: string, validity = today, key = hostKey): Promise<Sshd> {
    const sign = ['-q', '-s', ca, '-h', '-I', 'web', '-V', validity, '-n', principals]
    execFileSync('ssh-keygen', [...sign, `${key}.pub`])
    writeFileSync(known, `@cert-authority 127.0.0.1,[127.0.0.1]:* ${publicKey(ca)}\n`)
    return daemon([`HostCertificate ${key}-cert.pub`], [key])
  }
  const refused = async (sshd: Sshd): Promise<ConnectError> =>
    failure(open(reachOf(sshd, { keys: [userKey] })))

  test.each([
    ['ed25519', []],
    ['ecdsa', ['-t', 'ecdsa', '-b', '384']],
    ['rsa', ['-t', 'rsa', '-b', '2048']],
  ] as const)('an-%s-authority-vouches-for-a-host-that-nobody-knows', async (name, options) => {
    const ca = makeKey(dir, `ca_${name}`, ...options)
    const sshd = await certified(ca, '127.0.0.1,web')
    expect(await say(await open(reachOf(sshd, { keys: [userKey] })))).toBe(me)
  })

  test.each([
    ['rsa', hostRsa],
    ['ecdsa', hostEcdsa],
  ])('a-host-with-an-%s-key-is-vouched-for', async (name, key) => {
    const sshd = await certified(makeKey(dir, `ca_of_${name}`), '127.0.0.*', today, key)
    expect(await say(await open(reachOf(sshd, { keys: [userKey] })))).toBe(me)
  })

  test('a-certificate-for-another-host-is-refused', async () => {
    const error = await refused(await certified(makeKey(dir, 'ca_name'), 'db.example.org'))
    expect(error.stage).toBe('hostkey')
    expect(error.message).toContain('db.example.org')
  })

  test('a-certificate-out-of-date-is-refused', async () => {
    const past = await refused(await certified(makeKey(dir, 'ca_past'), '127.0.0.1', '-10d:-1d'))
    expect(past.stage).toBe('hostkey')
    const future = await refused(await certified(makeKey(dir, 'ca_future'), '127.0.0.1', '+1d:+2d'))
    expect(future.stage).toBe('hostkey')
  })

  test('a-certificate-of-a-stranger-is-refused', async () => {
    const sshd = await certified(makeKey(dir, 'ca_stranger'), '127.0.0.1')
    writeFileSync(known, `@cert-authority *,[127.0.0.1]:* ${publicKey(otherKey)}\n`)
    expect((await refused(sshd)).stage).toBe('hostkey')
  })

  test('a-host-without-a-certificate-is-refused-where-only-an-authority-is-known', async () => {
    writeFileSync(known, `@cert-authority *,[127.0.0.1]:* ${publicKey(otherKey)}\n`)
    expect((await refused(plain())).stage).toBe('hostkey')
  })

  test('a-host-that-shows-certificates-alone-is-refused', async () => {
    const ca = makeKey(dir, 'ca_alone')
    execFileSync('ssh-keygen', ['-q', '-s', ca, '-h', '-I', 'w', '-n', '127.0.0.1', `${hostKey}.pub`])
    writeFileSync(known, `@cert-authority [127.0.0.1]:* ${publicKey(ca)}\n`)
    const only = 'HostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com'
    const error = await refused(await daemon([`HostCertificate ${hostKey}-cert.pub`, only]))
    expect(error.stage).toBe('hostkey')
  })
})
