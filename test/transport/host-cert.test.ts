import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { checkHostCert, type HostCert, parseHostCert } from '../../src/transport/host-cert.ts'

function read(name: string): Buffer {
  const text = readFileSync(new URL(`fixtures/host-certs/${name}.pub`, import.meta.url), 'utf8')
  return Buffer.from(text.split(' ')[1] ?? '', 'base64')
}

function cert(name: string): HostCert {
  const parsed = parseHostCert(read(name))
  if (parsed === undefined) throw new Error(`${name} is no certificate`)
  return parsed
}

const now = new Date('2030-01-01T00:00:00Z')
const host = 'web1.example.org'

describe('parseHostCert', () => {
  test('a-certificate-says-what-ssh-keygen-put-into-it', () => {
    expect(cert('by-ed25519')).toMatchObject({
      kind: 'host',
      keyId: 'web',
      principals: ['web1.example.org', '10.0.0.7'],
      validAfter: 1735689600n,
      validBefore: 2051222400n,
      criticalOptions: [],
    })
  })

  test.each([
    ['by-ed25519', 'host'],
    ['of-ecdsa', 'hostecdsa'],
    ['of-rsa', 'hostrsa'],
  ])('the-key-in-%s-is-the-plain-one', (certificate, key) => {
    expect(cert(certificate).key.equals(read(key))).toBe(true)
  })

  test('a-plain-key-is-no-certificate', () => {
    expect(parseHostCert(read('host'))).toBeUndefined()
  })

  test('no-beginning-of-a-certificate-is-one', () => {
    const whole = read('by-ed25519')
    for (let length = 0; length < whole.length; length++) {
      expect(parseHostCert(whole.subarray(0, length))).toBeUndefined()
    }
    expect(parseHostCert(Buffer.concat([whole, Buffer.alloc(1)]))).toBeUndefined()
  })
})

describe('checkHostCert', () => {
  test.each(['ed25519', 'ecdsa256', 'ecdsa384', 'ecdsa521', 'rsa'])(
    'a-certificate-of-an-%s-authority-holds',
    name => {
      expect(checkHostCert(cert(`by-${name}`), host, [read(`ca-${name}`)], now)).toBeUndefined()
    },
  )

  test('names-fit-without-case-and-with-stars', () => {
    const authorities = [read('ca-ed25519')]
    expect(checkHostCert(cert('by-ed25519'), 'WEB1.example.org', authorities, now)).toBeUndefined()
    expect(checkHostCert(cert('by-ed25519'), '10.0.0.7', authorities, now)).toBeUndefined()
    expect(checkHostCert(cert('of-rsa'), 'db.example.org', authorities, now)).toBeUndefined()
  })

  test('a-certificate-without-end-holds', () => {
    expect(checkHostCert(cert('for-ever'), host, [read('ca-ed25519')], now)).toBeUndefined()
  })

  interface Case {
    readonly file: string
    readonly name?: string
    readonly date?: string
  }
  test.each<[string, Case, string]>([
    ['for-another-host', { file: 'by-ed25519', name: 'db.example.org' }, 'web1.example.org'],
    ['before-its-time', { file: 'by-ed25519', date: '2024-12-31T23:59:59Z' }, '2025-01-01'],
    ['after-its-time', { file: 'by-ed25519', date: '2035-01-01T00:00:00Z' }, '2035-01-01'],
    ['for-users', { file: 'for-users' }, 'users'],
    ['for-nobody', { file: 'for-nobody' }, 'no host'],
    ['signed-with-sha1', { file: 'by-sha1' }, 'signature'],
    ['with-an-option-nobody-knows', { file: 'with-option' }, 'force@example.org'],
  ])('a-certificate-%s-does-not-hold', (_name, { file, name = host, date = '2030-01-01' }, part) => {
    const authorities = [read('ca-ed25519'), read('ca-rsa')]
    expect(checkHostCert(cert(file), name, authorities, new Date(date))).toContain(part)
  })

  test('another-authority-does-not-vouch', () => {
    expect(checkHostCert(cert('by-ed25519'), host, [read('ca-rsa')], now)).toContain('authority')
    expect(checkHostCert(cert('by-ed25519'), host, [], now)).toContain('authority')
  })

  test('a-certificate-that-was-touched-anywhere-does-not-hold', () => {
    const whole = read('by-ed25519')
    const authorities = [read('ca-ed25519')]
    const believed = [...whole.keys()].filter(at => {
      const touched = Buffer.from(whole)
      touched[at] = (touched[at] ?? 0) ^ 1
      const parsed = parseHostCert(touched)
      return parsed !== undefined && checkHostCert(parsed, host, authorities, now) === undefined
    })
    expect(believed).toEqual([])
  })
})
