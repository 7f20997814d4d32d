import { createHash } from 'node:crypto'
import type { IdentityFile } from './archive.ts'

export interface Identity {
  readonly name: string
  /** In OpenSSH's format. */
  readonly hostKey: { readonly secret: string; readonly open: string }
  /** Public half of the key that logs in. */
  readonly loginKey: string
}

/** Returns the files that make a host of the common image this one, and let the operator in. */
export function identityFiles({ name, hostKey, loginKey }: Identity): readonly IdentityFile[] {
  const machineId = createHash('sha256').update(hostKey.open).digest('hex').slice(0, 32)
  return [
    { path: '/etc/machine-id', content: `${machineId}\n`, mode: 0o444 },
    { path: '/etc/hostname', content: `${name}\n`, mode: 0o644 },
    { path: '/etc/ssh/ssh_host_ed25519_key', content: hostKey.secret, mode: 0o600 },
    { path: '/etc/ssh/ssh_host_ed25519_key.pub', content: `${hostKey.open}\n`, mode: 0o644 },
    { path: '/etc/ssh/authorized_keys.d/ops', content: `${loginKey}\n`, mode: 0o644 },
  ]
}

/** Returns the number of a host among its lab's, from 1, as an address of their private network. */
export function privateAddress(number: number): string {
  return `10.77.0.${number}`
}

/** Returns the hardware addresses of a machine: the card towards the controller, and the one towards the other hosts. */
export function cards(number: number): { readonly outer: string; readonly inner: string } {
  const last = number.toString(16).padStart(2, '0')
  return { outer: `52:54:00:77:00:${last}`, inner: `52:54:00:77:01:${last}` }
}

/** Returns the files that give a machine its place in both networks. */
export function networkFiles(number: number, names: readonly string[]): readonly IdentityFile[] {
  const { outer, inner } = cards(number)
  const hosts = names.map((name, index) => `${privateAddress(index + 1)} ${name}\n`).join('')
  return [
    {
      path: '/etc/hosts',
      content: `127.0.0.1 localhost\n::1 localhost ip6-localhost\n${hosts}`,
      mode: 0o644,
    },
    { path: '/etc/resolv.conf', content: 'nameserver 10.0.2.3\n', mode: 0o644 },
    {
      path: '/etc/systemd/network/10-outer.network',
      content: `[Match]\nMACAddress=${outer}\n\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\nLinkLocalAddressing=no\n`,
      mode: 0o644,
    },
    {
      path: '/etc/systemd/network/20-inner.network',
      content: `[Match]\nMACAddress=${inner}\n\n[Network]\nAddress=${privateAddress(number)}/24\nLinkLocalAddressing=no\n`,
      mode: 0o644,
    },
  ]
}
