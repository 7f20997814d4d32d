import { describe, expect, test } from 'vitest'
import { ConnectError } from '../../src/base/error.ts'
import { type Reach, settleTarget, type SshFlags } from '../../src/transport/settle.ts'
import { parseSshConfig } from '../../src/transport/ssh-config.ts'
import type { SshTarget } from '../../src/transport/target.ts'

interface World {
  readonly hosts?: Record<string, Partial<Reach>>
  readonly config?: string
  readonly flags?: SshFlags
  readonly env?: NodeJS.ProcessEnv
}

function reach(name: string, more: Partial<Reach>): Reach {
  const nothing = { port: undefined, user: undefined, keys: [], jump: undefined, hostKeys: [] }
  return { connection: 'ssh', host: name, ...nothing, ...more }
}

function settle(name: string, { hosts = {}, config = '', flags = {}, env = {} }: World = {}): SshTarget {
  const files: string[][] = []
  const found = (host: string): Reach | undefined =>
    hosts[host] === undefined ? undefined : reach(host, hosts[host])
  return settleTarget(name, found(name) ?? reach(name, {}), {
    hosts: found,
    flags,
    config: parseSshConfig([{ file: 'config', text: config }], () => []),
    known: names => {
      files.push([...names])
      return names.map((file, line) => ({
        file,
        line,
        marker: 'none',
        names: { kind: 'patterns', list: [] },
        type: '',
        key: Buffer.alloc(0),
      }))
    },
    projectKnownHosts: ['/project/known_hosts'],
    home: '/home/amina',
    localUser: 'amina',
    env,
  })
}

describe('a slow line', () => {
  test('gets patience and compression, on the command line or in the inventory', () => {
    const slow = {
      connectTimeoutMs: 40_000,
      keepaliveMs: 30_000,
      keepaliveCount: 6,
      compression: true,
      patienceMs: 120_000,
    }
    expect(settle('web1', { flags: { link: 'slow' } })).toMatchObject(slow)
    expect(settle('web1', { hosts: { web1: { line: { speed: 'slow' } } } })).toMatchObject(slow)
    expect(
      settle('web1', { hosts: { web1: { line: { speed: 'slow' } } }, flags: { link: 'normal' } }),
    ).toMatchObject({
      connectTimeoutMs: 10_000,
      patienceMs: 0,
    })
  })

  test('what is said of a single matter wins', () => {
    const line = { speed: 'slow', timeout: 90, keepalive: 5, compression: false } as const
    expect(
      settle('web1', { hosts: { web1: { line } }, config: 'Compression yes\nConnectTimeout 7' }),
    ).toMatchObject({
      connectTimeoutMs: 90_000,
      keepaliveMs: 5000,
      compression: false,
    })
    expect(
      settle('web1', { config: 'Compression yes\nConnectTimeout 7', flags: { link: 'slow' } }),
    ).toMatchObject({
      connectTimeoutMs: 7000,
      compression: true,
    })
  })
})

describe('who wins', () => {
  const config = 'User conf\nPort 2201\nIdentityFile ~/.ssh/conf_%h\nConnectTimeout 7'

  test('nothing-said-means-the-usual', () => {
    expect(settle('web1')).toMatchObject({
      host: 'web1',
      port: 22,
      user: 'amina',
      via: { kind: 'direct' },
      connectTimeoutMs: 10_000,
      keepaliveMs: 15_000,
      keepaliveCount: 3,
      compression: false,
      keys: { named: [], agent: undefined, identitiesOnly: false },
    })
    expect(settle('web1').keys.usual[0]).toBe('/home/amina/.ssh/id_ed25519')
  })

  test('the-inventory-wins-over-ssh-configuration', () => {
    const hosts = { web1: { user: 'inv', port: 2202, keys: ['~/inv'] } }
    expect(settle('web1', { hosts, config })).toMatchObject({
      user: 'inv',
      port: 2202,
      keys: { named: ['/home/amina/inv'] },
      connectTimeoutMs: 7000,
    })
    expect(settle('web1', { config })).toMatchObject({
      user: 'conf',
      port: 2201,
      keys: { named: ['/home/amina/.ssh/conf_web1'] },
    })
  })

  test('flags-win-over-the-inventory', () => {
    const hosts = { web1: { user: 'inv', keys: ['~/inv'] } }
    const flags = { user: 'flag', privateKey: '~/flag', connectTimeout: 3 }
    expect(settle('web1', { hosts, config, flags })).toMatchObject({
      user: 'flag',
      keys: { named: ['/home/amina/flag'] },
      connectTimeoutMs: 3000,
    })
  })

  test('configuration-is-looked-up-by-the-address-of-the-inventory', () => {
    const world = {
      hosts: { web1: { host: 'srv' } },
      config: 'Host srv\n  HostName %h.example.org\n  Port 9',
    }
    expect(settle('web1', world)).toMatchObject({ name: 'web1', host: 'srv.example.org', port: 9 })
  })

  test('a-port-that-is-none-is-an-error-of-the-configuration', () => {
    expect(() => settle('web1', { config: 'Port ssh' })).toThrow(ConnectError)
  })
})

describe('known hosts', () => {
  const filesOf = (target: SshTarget): string[] => target.known.map(entry => entry.file)

  test('the-files-of-the-project-come-first', () => {
    expect(filesOf(settle('web1'))).toEqual([
      '/project/known_hosts',
      '/home/amina/.ssh/known_hosts',
      '/home/amina/.ssh/known_hosts2',
      '/etc/ssh/ssh_known_hosts',
      '/etc/ssh/ssh_known_hosts2',
    ])
  })

  test('configuration-names-others', () => {
    const config = 'UserKnownHostsFile ~/kh_%h\nGlobalKnownHostsFile none\nHostKeyAlias clinic'
    const target = settle('web1', { config })
    expect(filesOf(target)).toEqual(['/project/known_hosts', '/home/amina/kh_web1'])
    expect(target.alias).toBe('clinic')
  })
})

describe('agents', () => {
  const env = { SSH_AUTH_SOCK: '/run/agent', OTHER: '/run/other' }
  test.each([
    ['the-environment-names-it', '', '/run/agent'],
    ['none-is-none', 'IdentityAgent none', undefined],
    ['a-path-with-home', 'IdentityAgent ~/agent', '/home/amina/agent'],
    ['another-variable', 'IdentityAgent $OTHER', '/run/other'],
    ['the-usual-variable-by-name', 'IdentityAgent SSH_AUTH_SOCK', '/run/agent'],
  ])('%s', (_name, config, agent) => {
    expect(settle('web1', { config, env }).keys.agent).toBe(agent)
  })

  test('an-empty-variable-is-no-agent', () => {
    expect(settle('web1', { env: { SSH_AUTH_SOCK: '' } }).keys.agent).toBeUndefined()
  })

  test('identity-file-none-means-no-usual-keys-either', () => {
    expect(settle('web1', { config: 'IdentityFile none' }).keys).toMatchObject({ named: [], usual: [] })
  })
})

describe('jump hosts', () => {
  const hop = (target: SshTarget): SshTarget | undefined =>
    target.via.kind === 'jump' ? target.via.target : undefined

  test('a-host-of-the-inventory-brings-its-own-settings', () => {
    const hosts = { bastion: { host: '10.0.0.1', port: 2200, user: 'gate' }, web1: { jump: 'bastion' } }
    expect(hop(settle('web1', { hosts }))).toMatchObject({
      name: 'bastion',
      host: '10.0.0.1',
      port: 2200,
      user: 'gate',
    })
  })

  test('the-user-of-the-command-line-is-not-that-of-the-jump-host', () => {
    const target = settle('web1', { hosts: { web1: { jump: 'bastion' } }, flags: { user: 'root' } })
    expect([target.user, hop(target)?.user]).toEqual(['root', 'amina'])
  })

  test('a-hop-outside-the-inventory-is-written-as-in-ssh-configuration', () => {
    const config = 'Host web1\n  ProxyJump gate@[fd00::1]:2200\nHost fd00::1\n  IdentityFile /k'
    expect(hop(settle('web1', { config }))).toMatchObject({
      host: 'fd00::1',
      port: 2200,
      user: 'gate',
      keys: { named: ['/k'] },
    })
  })

  test('a-list-is-a-chain-from-left-to-right', () => {
    const last = hop(settle('web1', { hosts: { web1: { jump: 'a,b' } } }))
    expect([last?.name, last === undefined ? undefined : hop(last)?.name]).toEqual(['b', 'a'])
  })

  test('a-jump-host-set-for-all-is-not-its-own-jump-host', () => {
    const hosts = { bastion: { jump: 'bastion' }, web1: { jump: 'bastion' } }
    expect(settle('bastion', { hosts }).via).toEqual({ kind: 'direct' })
    expect(hop(settle('web1', { hosts }))?.via).toEqual({ kind: 'direct' })
    expect(settle('gate', { config: 'ProxyJump gate' }).via).toEqual({ kind: 'direct' })
  })

  test('a-circle-is-an-error-that-names-it', () => {
    const hosts = { a: { jump: 'b' }, b: { jump: 'c' }, c: { jump: 'a' } }
    expect(() => settle('a', { hosts })).toThrow(/a → b → c → a/)
  })

  test('the-inventory-can-switch-a-jump-host-off', () => {
    const world = { hosts: { web1: { jump: 'none' } }, config: 'ProxyJump bastion' }
    expect(settle('web1', world).via).toEqual({ kind: 'direct' })
  })

  test('a-proxy-command-gets-its-tokens', () => {
    const config = 'ProxyCommand nc %h %p'
    expect(settle('web1', { config }).via).toEqual({ kind: 'command', command: 'nc web1 22' })
  })

  test('a-proxy-command-never-sees-a-name-that-a-shell-could-read', () => {
    expect(() => settle('web1;reboot', { config: 'ProxyCommand nc %h %p' })).toThrow(ConnectError)
    expect(() => settle('-oBad', { config: 'ProxyCommand nc %h %p' })).toThrow(ConnectError)
  })
})
