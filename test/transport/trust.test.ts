import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { fingerprint, parseKnownHosts } from '../../src/transport/known-hosts.ts'
import type { SshTarget } from '../../src/transport/target.ts'
import { authoritiesFor, hostKeyAttempts, readCertificate, refuseHostKey } from '../../src/transport/trust.ts'

const line = (name: string): string =>
  readFileSync(new URL(`fixtures/host-certs/${name}.pub`, import.meta.url), 'utf8').trim()
const key = (name: string): Buffer => Buffer.from(line(name).split(' ')[1] ?? '', 'base64')

function target(known: string, more: Partial<SshTarget> = {}): SshTarget {
  return {
    name: 'web1',
    host: 'web1.example.org',
    port: 22,
    user: 'root',
    alias: undefined,
    keys: { named: [], usual: [], agent: undefined, identitiesOnly: false },
    pins: [],
    known: parseKnownHosts(known, 'known_hosts'),
    via: { kind: 'direct' },
    connectTimeoutMs: 1000,
    keepaliveMs: 0,
    keepaliveCount: 0,
    compression: false,
    patienceMs: 0,
    uploadChunk: 1024,
    ...more,
  }
}
const nobody = { certified: [], caProblem: undefined }
const host = 'web1.example.org'

describe('hostKeyAttempts', () => {
  test('an-unknown-host-is-asked-for-its-best-key', () => {
    expect(hostKeyAttempts(target(''), nobody)[0]?.[0]).toBe('ssh-ed25519')
  })

  test.each([
    ['rsa', 'hostrsa', 'rsa-sha2-512'],
    ['ecdsa', 'hostecdsa', 'ecdsa-sha2-nistp256'],
    ['ed25519', 'host', 'ssh-ed25519'],
  ])('a-known-%s-key-is-asked-for-first-and-the-others-after-it', (_type, name, first) => {
    const attempts = hostKeyAttempts(target(`${host} ${line(name)}`), nobody)
    expect(attempts).toHaveLength(1)
    expect(attempts[0]?.[0]).toBe(first)
    expect(new Set(attempts[0]).size).toBe(6)
  })

  test('a-pinned-key-tells-its-type-a-fingerprint-does-not', () => {
    const typed = target(`${host} ${line('host')}`, { pins: [line('hostrsa')] })
    expect(hostKeyAttempts(typed, nobody)[0]?.[0]).toBe('rsa-sha2-512')
    const print = target('', { pins: [fingerprint(key('hostrsa'))] })
    expect(hostKeyAttempts(print, nobody).map(list => list[0])).toEqual([
      'ssh-ed25519',
      'ecdsa-sha2-nistp256',
      'rsa-sha2-512',
    ])
  })

  test('signatures-with-sha1-are-never-asked-for', () => {
    const attempts = hostKeyAttempts(target(`${host} ${line('hostrsa')}`), nobody)
    expect(attempts.flat()).not.toContain('ssh-rsa')
  })
})

describe('refuseHostKey', () => {
  test('a-certified-key-is-let-in-and-only-that', () => {
    const trust = { certified: [key('host')], caProblem: undefined }
    expect(refuseHostKey(target(''), trust, key('host'))).toBeUndefined()
    expect(refuseHostKey(target(''), trust, key('hostrsa'))?.stage).toBe('hostkey')
  })

  test('a-certified-key-that-is-revoked-is-refused', () => {
    const trust = { certified: [key('host')], caProblem: undefined }
    const revoked = target(`@revoked * ${line('host')}`)
    expect(refuseHostKey(revoked, trust, key('host'))?.message).toContain('known_hosts:1')
  })

  test('a-pin-shuts-out-what-known_hosts-would-let-in', () => {
    const pinned = target(`${host} ${line('host')}`, { pins: [line('hostrsa')] })
    expect(refuseHostKey(pinned, nobody, key('host'))?.message).toContain(fingerprint(key('hostrsa')))
    expect(refuseHostKey(pinned, nobody, key('hostrsa'))).toBeUndefined()
  })
})

describe('authorities', () => {
  test('a-revoked-authority-vouches-for-nobody', () => {
    const known = `@cert-authority *.example.org ${line('ca-ed25519')}\n`
    expect(authoritiesFor(target(known))).toHaveLength(1)
    expect(authoritiesFor(target(`${known}@revoked * ${line('ca-ed25519')}`))).toEqual([])
  })

  test('nobody-vouches-for-a-pinned-host', () => {
    const known = `@cert-authority * ${line('ca-ed25519')}`
    expect(authoritiesFor(target(known, { pins: [line('host')] }))).toEqual([])
  })

  test('a-certificate-is-read-under-the-alias-of-the-host', () => {
    const trust = (more: Partial<SshTarget>): number =>
      readCertificate(target('', more), [key('ca-ed25519')], key('for-ever')).certified.length
    expect(trust({})).toBe(1)
    expect(trust({ host: '10.0.0.1' })).toBe(0)
    expect(trust({ host: '10.0.0.1', alias: 'web1.example.org' })).toBe(1)
  })

  test('no-certificate-and-a-bad-one-are-told-apart', () => {
    const problem = (shown: Buffer | undefined): string | undefined =>
      readCertificate(target(''), [key('ca-rsa')], shown).caProblem
    expect(problem(undefined)).not.toBe(problem(key('for-ever')))
    expect(problem(key('for-ever'))).toContain('authority')
  })
})
