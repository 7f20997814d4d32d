import { describe, expect, test } from 'vitest'
import {
  type ConfigFile,
  expand,
  expandHome,
  type HostConfig,
  lookUp,
  parseSshConfig,
} from '../../src/transport/ssh-config.ts'

const asker = { user: undefined, localUser: 'amina' }

function ask(text: string, alias = 'web1', files: Record<string, string> = {}): HostConfig {
  const included = (pattern: string): ConfigFile[] =>
    Object.entries(files)
      .filter(([file]) => file.startsWith(pattern.replace('*', '')))
      .map(([file, content]) => ({ file, text: content }))
  return lookUp(parseSshConfig([{ file: 'config', text }], included), alias, asker)
}

describe('which lines apply', () => {
  test.each([
    ['lines-before-any-host-apply-to-all', 'Port 2200', '2200'],
    ['a-host-block-applies-to-its-host', 'Host web1\n  Port 2200', '2200'],
    ['and-not-to-others', 'Host db\n  Port 2200', undefined],
    ['a-block-ends-where-the-next-begins', 'Host web1\nHost db\n  Port 2200', undefined],
    ['patterns-have-stars', 'Host web*\n  Port 2200', '2200'],
    ['patterns-have-question-marks', 'Host db web?\n  Port 2200', '2200'],
    ['a-negated-pattern-takes-a-host-out', 'Host * !web1\n  Port 2200', undefined],
    ['the-first-value-wins', 'Host web1\n  Port 2200\nHost *\n  Port 22', '2200'],
    ['match-all-applies-to-all', 'Match all\n  Port 2200', '2200'],
    ['match-host-takes-patterns', 'Match host db,web*\n  Port 2200', '2200'],
    ['match-host-may-be-negated', 'Match !host web*\n  Port 2200', undefined],
    ['match-host-sees-the-hostname', 'HostName srv9\nMatch host srv9\n  Port 2200', '2200'],
    ['match-originalhost-sees-the-alias', 'HostName srv9\nMatch originalhost srv9\n  Port 2200', undefined],
    ['match-user-sees-the-user', 'User root\nMatch user root host web1\n  Port 2200', '2200'],
    ['match-localuser', 'Match localuser amina\n  Port 2200', '2200'],
    ['match-exec-is-left-out', 'Match host web1 exec "true"\n  Port 2200', undefined],
    ['keywords-have-no-case', 'hOST web1\n  pORT 2200', '2200'],
    ['an-equals-sign-separates', 'Host=web1\n  Port = 2200', '2200'],
    ['comments-are-skipped', '# Port 1\nPort 2200 # not 22', '2200'],
    ['windows-line-ends', 'Host web1\r\n  Port 2200\r\n', '2200'],
  ])('%s', (_name, text, port) => {
    expect(ask(text).port).toBe(port)
  })

  test('what-match-does-not-know-is-warned-of-with-its-place', () => {
    const { warnings } = parseSshConfig([{ file: 'config', text: '\nMatch exec "true"\n' }], () => [])
    expect(warnings).toEqual([expect.stringContaining('config:2')])
  })

  test('an-included-file-stands-inside-the-block-that-includes-it', () => {
    const files = { 'conf.d/a': 'Port 2200\nHost db\n  User root\n' }
    expect(ask('Host web1\n  Include conf.d/*\n', 'web1', files)).toMatchObject({
      port: '2200',
      user: undefined,
    })
    expect(ask('Host web1\n  Include conf.d/*\n', 'db', files)).toMatchObject({
      port: undefined,
      user: undefined,
    })
    expect(ask('Include conf.d/*\nPort 22', 'db', files)).toMatchObject({ port: '2200', user: 'root' })
  })

  test('files-that-include-themselves-come-to-an-end', () => {
    expect(ask('Include self\nPort 2200', 'web1', { self: 'Include self\nUser root' })).toMatchObject({
      port: '2200',
      user: 'root',
    })
  })
})

describe('values', () => {
  test('all-identity-files-count', () => {
    const text = 'Host web1\n  IdentityFile ~/.ssh/a\n  IdentityFile "~/my keys/b"\nHost *\n  IdentityFile c'
    expect(ask(text).identityFiles).toEqual(['~/.ssh/a', '~/my keys/b', 'c'])
  })

  test('several-known-hosts-files-stand-on-one-line', () => {
    expect(ask('UserKnownHostsFile a b\nUserKnownHostsFile c').userKnownHostsFiles).toEqual(['a', 'b'])
    expect(ask('').userKnownHostsFiles).toBeUndefined()
  })

  test('yes-and-no', () => {
    expect(ask('IdentitiesOnly yes\nCompression no')).toMatchObject({
      identitiesOnly: true,
      compression: false,
    })
    expect(ask('').identitiesOnly).toBeUndefined()
  })

  test.each([
    ['a-jump', 'ProxyJump bastion', 'bastion', undefined],
    ['a-command', 'ProxyCommand nc -X "a b" %h %p', undefined, 'nc -X "a b" %h %p'],
    ['the-first-of-both', 'ProxyJump bastion\nProxyCommand nc', 'bastion', undefined],
    ['the-first-of-both-again', 'ProxyCommand nc\nProxyJump bastion', undefined, 'nc'],
    ['none-ends-the-search', 'ProxyJump none\nProxyCommand nc', undefined, undefined],
  ])('proxies: %s', (_name, text, proxyJump, proxyCommand) => {
    expect(ask(text)).toMatchObject({ proxyJump, proxyCommand })
  })

  test('tokens-are-filled-in', () => {
    const tokens = {
      alias: 'w',
      host: 'web1',
      port: 2200,
      user: 'root',
      localUser: 'amina',
      home: '/home/amina',
    }
    const env = { KEYS: '/keys' }
    expect(expand('~/.ssh/%r@%h:%p-%n-%u-%%h', tokens, env)).toBe(
      '/home/amina/.ssh/root@web1:2200-w-amina-%h',
    )
    expect(expand('%d/x ${KEYS}/y ${NONE} %Z', tokens, env)).toBe('/home/amina/x /keys/y ${NONE} %Z')
    expect(expandHome('~amina/x', '/home/amina')).toBe('~amina/x')
  })
})
