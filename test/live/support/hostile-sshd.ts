import { spawn } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import ssh2 from 'ssh2'
import { makeKeyPair } from '../../../src/lab/keys.ts'
import type { LiveHost } from './hosts.ts'

/** What the host makes of a piece of what its shell says on stdout: bytes as Latin-1, and the marker that it has read along with the bootstrap. */
export type Lie = (said: string, marker: string) => string | AsyncIterable<Buffer>

export interface HostileSshd {
  readonly port: number
  /** `ssh-ed25519 AAAA…`. */
  readonly hostKey: string
  readonly close: () => void
}

const MARKER = /_M=([0-9a-f]{32})/

/** Starts an sshd of this process that lets everybody in, runs commands as the operator of a real host, and lies about what they say. */
export async function hostileSshd(host: LiveHost, lie: Lie): Promise<HostileSshd> {
  const key = makeKeyPair()
  const clients = new Set<ssh2.Connection>()
  const server = new ssh2.Server({ hostKeys: [key.secret] }, client => {
    clients.add(client)
    client.on('error', () => undefined)
    client.on('authentication', context => context.accept())
    client.on('session', accept => {
      accept().on('exec', (started, _, { command }) => run(started(), command, host, lie))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
  return {
    port: (server.address() as AddressInfo).port,
    hostKey: key.open,
    close: () => {
      for (const client of clients) client.end()
      server.close()
    },
  }
}

function run(channel: ssh2.ServerChannel, command: string, host: LiveHost, lie: Lie): void {
  const child = spawn('docker', ['exec', '-i', '-u', host.user, host.container, '/bin/sh', '-c', command])
  let heard = ''
  let saying: Promise<void> = Promise.resolve()
  const closed = new Promise<void>(resolve => channel.once('close', () => resolve()))
  channel.on('data', (data: Buffer) => {
    if (!MARKER.test(heard)) heard += data.toString('latin1')
    child.stdin.write(data)
  })
  child.stdin.on('error', () => undefined)
  channel.on('error', () => undefined)
  channel.on('end', () => child.stdin.end())
  channel.on('close', () => child.stdin.end())
  child.stdout.on('data', (data: Buffer) => {
    const told = lie(data.toString('latin1'), MARKER.exec(heard)?.[1] ?? 'no marker yet')
    saying = saying.then(() => say(channel, told, closed))
  })
  child.stderr.on('data', (data: Buffer) => {
    // Both at once can be more than the server's window has room for, and it forgets one then.
    saying = saying.then(() => void channel.stderr.write(data))
  })
  child.on('close', code => {
    void saying.then(() => {
      if (channel.destroyed) return
      channel.exit(code ?? 1)
      channel.end()
    })
  })
}

async function say(
  channel: ssh2.ServerChannel,
  told: string | AsyncIterable<Buffer>,
  closed: Promise<void>,
): Promise<void> {
  if (typeof told === 'string') return void channel.write(Buffer.from(told, 'latin1'))
  for await (const piece of told) {
    if (channel.destroyed) return
    if (channel.write(piece)) continue
    await Promise.race([new Promise(resolve => channel.once('drain', resolve)), closed])
  }
}
