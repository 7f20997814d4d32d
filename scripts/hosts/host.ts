import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { operatorKey } from './keys.ts'

/** A throw-away host that answers on SSH. */
export interface ThrowawayHost {
  readonly name: string
  /** Identifier of its container. */
  readonly container: string
  readonly address: string
  readonly port: number
  readonly user: string
  /** File of the private login key. */
  readonly key: string
  /** `ssh-ed25519 AAAA…`. */
  readonly hostKey: string
}

/** How systemd runs in a container without full privileges: its own `/run`, and the machine's control groups. */
export const CONTAINER = {
  capabilities: ['SYS_ADMIN'],
  security: ['seccomp=unconfined'],
  tmpfs: ['/run', '/run/lock'],
  binds: ['/sys/fs/cgroup:/sys/fs/cgroup:rw'],
} as const

/** Files that give a container its identity and let the operator in. */
export function identityFiles(hostKey: { secret: string; open: string }): readonly IdentityFile[] {
  return [
    { path: '/etc/machine-id', content: `${randomUUID().replaceAll('-', '')}\n`, mode: 0o444 },
    { path: '/etc/ssh/ssh_host_ed25519_key', content: hostKey.secret, mode: 0o600 },
    { path: '/etc/ssh/ssh_host_ed25519_key.pub', content: `${hostKey.open}\n`, mode: 0o644 },
    { path: '/etc/ssh/authorized_keys.d/ops', content: `${operatorKey().open}\n`, mode: 0o644 },
  ]
}

export interface IdentityFile {
  readonly path: string
  readonly content: string
  readonly mode: number
}

/**
 * Resolves when sshd greets.
 *
 * @throws Error when it does not within the given seconds.
 */
export async function awaitSshd(address: string, port: number, seconds = 180): Promise<void> {
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) {
    if (await greets(address, port)) return
    await sleep(100)
  }
  throw new Error(`no sshd on ${address}:${port} after ${seconds} seconds`)
}

function greets(address: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: address, port, timeout: 2000 })
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('data', bytes => end(bytes.toString('latin1').startsWith('SSH-2.0')))
    socket.once('error', () => end(false))
    socket.once('timeout', () => end(false))
    socket.once('close', () => end(false))
  })
}

/** Writes an inventory of the hosts with their host keys pinned. */
export function writeInventory(
  file: string,
  hosts: readonly ThrowawayHost[],
  groups: Readonly<Record<string, readonly string[]>> = {},
): void {
  const lines = ['all:', '  hosts:']
  for (const host of hosts) {
    lines.push(
      `    ${host.name}:`,
      '      ssh:',
      `        host: ${host.address}`,
      `        port: ${host.port}`,
      `        user: ${host.user}`,
      `        key: ${host.key}`,
      `        host_key: ${host.hostKey}`,
    )
  }
  if (Object.keys(groups).length > 0) lines.push('  children:')
  for (const [group, names] of Object.entries(groups)) {
    lines.push(`    ${group}:`, `      hosts: { ${names.map(name => `${name}: {}`).join(', ')} }`)
  }
  writeFileSync(file, `${lines.join('\n')}\n`)
}

/** Writes the hosts' keys in the form of OpenSSH. */
export function writeKnownHosts(file: string, hosts: readonly ThrowawayHost[]): void {
  const name = (host: ThrowawayHost) => (host.port === 22 ? host.address : `[${host.address}]:${host.port}`)
  writeFileSync(file, hosts.map(host => `${name(host)} ${host.hostKey}\n`).join(''))
}
