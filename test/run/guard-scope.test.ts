import { describe, expect, test } from 'vitest'
import type { Action } from '../../src/modules/module.ts'
import type { Resource } from '../../src/probes/probe.ts'
import { domainsOf, scopeOf, type Deed } from '../../src/run/guard-scope.ts'
import { sh } from '../../src/shell/sh.ts'

function deed(module: string, more: Partial<Deed> = {}): Deed {
  return { module, params: {}, changes: [], actions: [], touches: [], ...more }
}

function writing(...paths: readonly string[]): Deed {
  const actions = paths.map((path): Action => ({ do: 'write', path, content: '' }))
  return deed('copy', { actions, touches: paths.map((name): Resource => ({ kind: 'path', name })) })
}

function running(command: string): Deed {
  return deed('shell', { actions: [{ do: 'run', script: sh`sh -c ${command}` }], touches: undefined })
}

describe('the ways in which a change may lock people out', () => {
  test.each([
    ['/etc/ssh/sshd_config', ['sshd']],
    ['/etc/ssh/sshd_config.d/10-port.conf', ['sshd']],
    ['/etc/ssh/ssh_host_ed25519_key', ['sshd']],
    ['/etc/systemd/system/ssh.service.d/override.conf', ['sshd']],
    ['/etc/systemd/system/ssh.socket', ['sshd']],
    ['/etc/ssh/ssh_config', []],
    ['/etc/ssh/ssh_config.d/10.conf', []],
    ['/etc/ssh/ssh_known_hosts', []],
    ['/etc/systemd/system/sshguard.service', []],
    ['/etc/nftables.conf', ['firewall']],
    ['/etc/ufw/user.rules', ['firewall']],
    ['/etc/iptables/rules.v4', ['firewall']],
    ['/etc/network/interfaces', ['network']],
    ['/etc/network/interfaces.d/eth1', ['network']],
    ['/etc/netplan/01.yaml', ['network']],
    ['/etc/systemd/network/10-eth0.network', ['network']],
    ['/etc/sudoers', ['sudo']],
    ['/etc/sudoers.d/ops', ['sudo']],
    ['/etc/doas.conf', ['sudo']],
    ['/etc/pam.d/sshd', ['pam']],
    ['/etc/security/access.conf', ['pam']],
    ['/etc/nsswitch.conf', ['pam']],
    ['/etc/hosts', []],
    ['/opt/etc/ssh/sshd_config', []],
  ])('are told by the path %s', (path, domains) => {
    expect(domainsOf(writing(path))).toEqual(domains)
  })

  test.each([
    ['systemctl restart ssh', ['sshd']],
    ['service sshd reload', ['sshd']],
    ['nft -f /etc/nftables.conf', ['firewall']],
    ['ufw --force enable', ['firewall']],
    ['iptables -P INPUT DROP', ['firewall']],
    ['ip link set eth0 down', ['network']],
    ['ip -4 addr flush dev eth0', ['network']],
    ['netplan apply', ['network']],
    ['ifdown -a && ifup -a', ['network']],
    ['systemctl restart nginx', []],
    ['echo unzip address', []],
    ['zip -r link.zip /srv', []],
  ])('are told by the command %s', (command, domains) => {
    expect(domainsOf(running(command))).toEqual(domains)
  })

  test.each([
    ['ssh', ['sshd']],
    ['ssh.socket', ['sshd']],
    ['nftables', ['firewall']],
    ['systemd-networkd', ['network']],
    ['nginx', []],
  ])('are told by the unit %s', (name, domains) => {
    expect(domainsOf(deed('systemd', { params: { name }, touches: undefined }))).toEqual(domains)
  })

  test('are told by a tree that holds such files', () => {
    expect(domainsOf(deed('file', { touches: [{ kind: 'tree', name: '/etc/ssh' }] }))).toEqual(['sshd'])
    expect(domainsOf(deed('file', { touches: [{ kind: 'tree', name: '/etc' }] }))).toContain('network')
    expect(domainsOf(deed('file', { touches: [{ kind: 'tree', name: '/srv/ssh' }] }))).toEqual([])
  })

  test('are told by what a module says that it touches', () => {
    const touches: readonly Resource[] = [{ kind: 'host', name: 'nftables' }]
    expect(domainsOf(deed('nftables', { touches }))).toEqual(['firewall'])
  })
})

describe('what is kept before a change', () => {
  test('is what it writes, and the units that read it', () => {
    const scope = scopeOf(writing('/etc/ssh/sshd_config.d/10-port.conf'))
    expect(scope).toMatchObject({
      paths: ['/etc/ssh/sshd_config.d/10-port.conf'],
      trees: [],
      domains: ['sshd'],
      effects: [],
    })
    expect(scope.units.map(({ name }) => name)).toContain('ssh.service')
  })

  test('is everything that may lock people out, where nobody knows what the change does', () => {
    const scope = scopeOf(deed('shell', { touches: undefined }))
    expect(scope.domains).toEqual(['sshd', 'firewall', 'network', 'sudo', 'pam'])
    expect(scope.trees).toContain('/etc/sudoers.d')
  })

  test('is never the whole system, where a change may touch files anywhere', () => {
    const scope = scopeOf(deed('user', { touches: [{ kind: 'tree', name: '/' }] }))
    expect(scope.trees).not.toContain('/')
    expect(scope.trees).toEqual(expect.arrayContaining(['/etc/sudoers.d', '/etc/ssh', '/etc/pam.d']))
  })

  test('is the unit, where one is restarted', () => {
    const scope = scopeOf(deed('systemd', { params: { name: 'nginx' }, touches: undefined }))
    expect(scope).toMatchObject({
      trees: [],
      domains: [],
      units: [{ name: 'nginx.service', restarts: true }],
    })
  })

  test.each([
    ['a file of sudo', writing('/etc/sudoers.d/ops'), ['sudo']],
    ['a file of sshd', writing('/etc/ssh/sshd_config'), []],
    ['a restart of sshd', deed('systemd', { params: { name: 'ssh' }, touches: undefined }), ['sshd']],
    ['a command', running('nft -f /etc/nftables.conf'), ['firewall']],
    [
      'rules that are only written',
      deed('nftables', { touches: [{ kind: 'path', name: '/etc/nftables.conf' }] }),
      [],
    ],
    [
      'rules that are loaded',
      deed('nftables', {
        changes: [{ kind: 'rules', what: 'inet filter', before: 'absent', after: 'loaded' }],
        touches: [{ kind: 'path', name: '/etc/nftables.conf' }],
      }),
      ['firewall'],
    ],
  ])('says whether %s takes effect at once', (_what, one, effects) => {
    expect(scopeOf(one).effects).toEqual(effects)
  })

  test('holds settings of the kernel by their files', () => {
    const touches: readonly Resource[] = [{ kind: 'path', name: '/proc/sys/net/ipv4/ip_forward' }]
    expect(scopeOf(deed('sysctl', { touches })).sysctls).toEqual(['/proc/sys/net/ipv4/ip_forward'])
  })
})
