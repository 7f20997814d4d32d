import { describe, expect, test } from 'vitest'
import {
  entriesFor,
  fingerprint,
  judge,
  keyType,
  parseKnownHosts,
  pinKeys,
  pinMatches,
  trustLine,
} from '../../src/transport/known-hosts.ts'

const ED = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIINOlT+atygIRmY6kErNUFoKlmg80dGDrgf2CEYx5idt'
const ED2 = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFGyWWG5gKN79vQjjBFB69KyBje4QsF1+Et/THLXbg5E'
const blob = (line: string): Buffer => Buffer.from(line.split(' ')[1] ?? '', 'base64')
const web = { host: 'web1.example.org', port: 22 }
const about = (text: string, name: Parameters<typeof judge>[1] = web, key = ED): string =>
  judge(parseKnownHosts(text, 'known_hosts'), name, blob(key)).is

describe('judge', () => {
  test.each([
    ['a-plain-name-matches', `web1.example.org ${ED}`, 'match'],
    ['names-are-compared-without-case', `WEB1.Example.Org ${ED}`, 'match'],
    ['one-of-several-names-matches', `web1,web1.example.org,10.0.0.1 ${ED}`, 'match'],
    ['a-comment-after-the-key-is-ignored', `web1.example.org ${ED} laid in March`, 'match'],
    ['a-star-stands-for-any-text', `*.example.org ${ED}`, 'match'],
    ['a-question-mark-stands-for-one-character', `web?.example.org ${ED}`, 'match'],
    ['a-negated-name-takes-a-host-out', `*.example.org,!web1.example.org ${ED}`, 'unknown'],
    ['a-negation-alone-matches-nothing', `!db.example.org ${ED}`, 'unknown'],
    ['another-host-is-unknown', `web2.example.org ${ED}`, 'unknown'],
    ['another-key-is-a-change', `web1.example.org ${ED2}`, 'changed'],
    ['one-right-key-among-others-matches', `web1.example.org ${ED2}\nweb1.example.org ${ED}`, 'match'],
    ['a-revoked-key-is-revoked', `@revoked * ${ED}`, 'revoked'],
    ['a-revoked-key-stays-revoked-when-known', `web1.example.org ${ED}\n@revoked * ${ED}`, 'revoked'],
    ['another-revoked-key-does-no-harm', `web1.example.org ${ED}\n@revoked * ${ED2}`, 'match'],
    ['an-authority-may-speak-for-an-unknown-key', `@cert-authority *.example.org ${ED2}`, 'ca'],
    ['an-authority-key-is-no-host-key', `@cert-authority *.example.org ${ED}`, 'ca'],
    ['comments-and-empty-lines-are-skipped', `# web1.example.org ${ED}\n\n`, 'unknown'],
    ['a-key-that-is-not-of-its-type-is-skipped', `web1.example.org ssh-rsa ${ED.split(' ')[1]}`, 'unknown'],
    ['an-unknown-marker-is-skipped', `@trusted web1.example.org ${ED}`, 'unknown'],
    ['carriage-returns-are-no-part-of-the-key', `web1.example.org ${ED}\r\n`, 'match'],
  ])('%s', (_name, text, verdict) => {
    expect(about(text)).toBe(verdict)
  })

  test('a-port-is-part-of-the-name', () => {
    const name = { host: 'web1.example.org', port: 2222 }
    expect(about(`[web1.example.org]:2222 ${ED}`, name)).toBe('match')
    expect(about(`[web1.example.org]:2223 ${ED}`, name)).toBe('unknown')
    expect(about(`[web1.example.org]:2222 ${ED}`)).toBe('unknown')
  })

  test('on-another-port-the-plain-name-helps-only-where-the-key-is-the-same', () => {
    const name = { host: 'web1.example.org', port: 2222 }
    expect(about(`web1.example.org ${ED}`, name)).toBe('match')
    expect(about(`web1.example.org ${ED2}`, name)).toBe('unknown')
  })

  test('an-alias-replaces-host-and-port', () => {
    const name = { host: '10.0.0.1', port: 2222, alias: 'clinic' }
    expect(about(`clinic ${ED}`, name)).toBe('match')
    expect(about(`10.0.0.1 ${ED}`, name)).toBe('unknown')
  })

  test('a-change-tells-file-and-line-of-what-was-known', () => {
    const known = parseKnownHosts(`# first\nweb1.example.org ${ED2}\n`, '/etc/ssh/ssh_known_hosts')
    expect(judge(known, web, blob(ED))).toMatchObject({
      is: 'changed',
      known: [{ file: '/etc/ssh/ssh_known_hosts', line: 2 }],
    })
  })
})

describe('hashed names', () => {
  // Made by `ssh-keygen -H`.
  const hashed = `|1|IiRNaOBqkl67v01BvlKurQ4qTwI=|N/soqRDh7pyadYFTAeBgSDMc4EQ= ${ED}`
  test('a-hashed-name-matches-its-host-alone', () => {
    expect(about(hashed)).toBe('match')
    expect(about(hashed, { host: 'web2.example.org', port: 22 })).toBe('unknown')
  })

  test('a-broken-hash-is-skipped', () => {
    expect(parseKnownHosts(`|1|abc ${ED}\n|2|a|b ${ED}`, 'f')).toEqual([])
  })

  test('a-line-of-ours-is-found-again', () => {
    const name = { host: 'WEB1.example.org', port: 2222 }
    const line = trustLine(name, blob(ED), Buffer.alloc(20, 7))
    expect(line).not.toContain('web1')
    expect(about(line, name)).toBe('match')
    expect(trustLine(name, blob(ED))).toBe(`[web1.example.org]:2222 ${ED}`)
  })
})

describe('pinKeys', () => {
  test('a-key-is-added-once', () => {
    const once = pinKeys('', web, [blob(ED)], { replace: false })
    expect(once).toBe(`web1.example.org ${ED}\n`)
    expect(pinKeys(once, web, [blob(ED)], { replace: false })).toBe(once)
  })

  test('replacing-takes-away-what-was-known-of-this-host-alone', () => {
    const before = [
      '# ours',
      `web1.example.org,web2.example.org ${ED2}`,
      `@revoked * ${ED2}`,
      trustLine(web, blob(ED2), Buffer.alloc(20, 1)),
      `db.example.org ${ED2}`,
      '',
    ].join('\n')
    expect(pinKeys(before, web, [blob(ED)], { replace: true }).split('\n')).toEqual([
      '# ours',
      `web2.example.org ${ED2}`,
      `@revoked * ${ED2}`,
      `db.example.org ${ED2}`,
      `web1.example.org ${ED}`,
      '',
    ])
  })
})

describe('pins', () => {
  test.each([
    ['a-key-with-its-type', ED, true],
    ['a-key-with-a-comment', `${ED} root@web1`, true],
    ['a-fingerprint', 'SHA256:8yyJvQMKxGxbNm1zgLoMbYzMusV+aW3/wxwhuzY9BHw', true],
    ['another-fingerprint', 'SHA256:aaaa', false],
    ['another-key', ED2, false],
    ['a-type-alone', 'ssh-ed25519', false],
    ['nothing', '', false],
  ])('%s', (_name, pin, matches) => {
    expect(pinMatches(pin, blob(ED))).toBe(matches)
  })

  test('a-fingerprint-is-that-of-ssh-keygen', () => {
    expect(fingerprint(blob(ED))).toBe('SHA256:8yyJvQMKxGxbNm1zgLoMbYzMusV+aW3/wxwhuzY9BHw')
  })
})

test('bytes-that-are-no-key-have-no-type', () => {
  expect(keyType(Buffer.from('nonsense'))).toBeUndefined()
  expect(keyType(Buffer.alloc(0))).toBeUndefined()
  expect(keyType(blob(ED))).toBe('ssh-ed25519')
})

test('entries-are-found-by-marker', () => {
  const known = parseKnownHosts(`web1.example.org ${ED}\n@cert-authority * ${ED2}`, 'f')
  expect(entriesFor(known, web, 'none').map(entry => entry.line)).toEqual([1])
  expect(entriesFor(known, web, 'cert-authority').map(entry => entry.line)).toEqual([2])
})
