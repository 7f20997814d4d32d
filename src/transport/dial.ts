import { spawn } from 'node:child_process'
import { connect, isIP, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { Client, ClientChannel } from 'ssh2'
import { ConnectError } from '../base/error.ts'
import { showAddress, type SshTarget } from './target.ts'

/** A stream to a host's sshd, and what went over it. */
export interface Dialled {
  readonly stream: Duplex
  readonly sent: () => number
  readonly received: () => number
}

/** Opens a TCP connection. Throws ConnectError with stage `dns` or `tcp`. */
export function dialTcp(target: SshTarget, signal: AbortSignal): Promise<Dialled> {
  const { host, port, connectTimeoutMs } = target
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    let found = isIP(host) !== 0
    const socket = connect({
      host,
      port,
      noDelay: true,
      // The default of 250 ms for each address is less than one round trip over a satellite.
      autoSelectFamilyAttemptTimeout: Math.max(250, Math.floor(connectTimeoutMs / 2)),
    })
    const settle = (act: () => void): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      socket.off('error', fail)
      act()
    }
    const drop = (error: Error): void =>
      settle(() => {
        socket.on('error', () => undefined).destroy()
        reject(error)
      })
    const fail = (error: NodeJS.ErrnoException): void => drop(tcpError(target, error))
    const abort = (): void => drop(signal.reason as Error)
    const timer = setTimeout(() => drop(deadlineError(target, found)), connectTimeoutMs)
    signal.addEventListener('abort', abort, { once: true })
    socket.once('lookup', (error: Error | null) => (found = error === null))
    socket.once('error', fail)
    socket.once('connect', () => settle(() => resolve(dialledSocket(socket))))
  })
}

function dialledSocket(socket: Socket): Dialled {
  return { stream: socket, sent: () => socket.bytesWritten, received: () => socket.bytesRead }
}

function deadlineError(target: SshTarget, found: boolean): ConnectError {
  const seconds = target.connectTimeoutMs / 1000
  if (!found) {
    return new ConnectError(target.name, 'dns', `no answer for \`${target.host}\` from DNS in ${seconds} s`, {
      hint: 'Check the name servers of this machine.',
    })
  }
  return new ConnectError(target.name, 'tcp', `${showAddress(target)} did not answer in ${seconds} s`, {
    hint: 'Check that the host is up and that no firewall drops packets to this port.',
  })
}

const TCP_PROBLEMS: Readonly<Record<string, readonly [text: string, hint: string]>> = {
  ECONNREFUSED: ['refused the connection', 'Check that sshd runs there and listens on this port.'],
  ETIMEDOUT: ['did not answer', 'Check that the host is up and that no firewall drops packets to this port.'],
  EHOSTUNREACH: ['cannot be reached', 'Check the address and the route to it.'],
  ENETUNREACH: ['is in a network that cannot be reached', 'Check the network of this machine.'],
  ECONNRESET: ['reset the connection', 'Check that sshd listens on this port.'],
}

function tcpError(target: SshTarget, error: NodeJS.ErrnoException): ConnectError {
  if (error.syscall === 'getaddrinfo' || error.syscall?.startsWith('query') === true) {
    return new ConnectError(target.name, 'dns', `the name \`${target.host}\` is not found (${error.code})`, {
      hint: 'Check the spelling, or set `ssh.host` to an address.',
      cause: error,
    })
  }
  const [text, hint] = TCP_PROBLEMS[error.code ?? ''] ?? [
    `cannot be connected to (${error.message})`,
    undefined,
  ]
  return new ConnectError(target.name, 'tcp', `${showAddress(target)} ${text}`, {
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  })
}

/** Opens a connection through a jump host, as `ssh -J` does. Throws ConnectError that names the hop which refused. */
export function dialThrough(jump: Client, hop: SshTarget, target: SshTarget): Promise<Dialled> {
  return new Promise((resolve, reject) => {
    let late = false
    const timer = setTimeout(() => {
      late = true
      reject(noAnswerThrough(hop, target))
    }, target.connectTimeoutMs)
    const done = (error: Error | undefined, channel: ClientChannel): void => {
      clearTimeout(timer)
      if (error) reject(jumpError(error, hop, target))
      else if (late) channel.destroy()
      else resolve(dialledChannel(channel))
    }
    try {
      jump.forwardOut('127.0.0.1', 0, target.host, target.port, done)
    } catch (error) {
      clearTimeout(timer)
      const message = `the connection to the jump host \`${hop.name}\` is lost`
      reject(new ConnectError(target.name, 'tcp', message, { cause: error }))
    }
  })
}

function noAnswerThrough(hop: SshTarget, target: SshTarget): ConnectError {
  const seconds = target.connectTimeoutMs / 1000
  const message = `${showAddress(target)} did not answer through \`${hop.name}\` in ${seconds} s`
  return new ConnectError(target.name, 'tcp', message)
}

const ADMINISTRATIVELY_PROHIBITED = 1

function jumpError(error: Error & { reason?: unknown }, hop: SshTarget, target: SshTarget): ConnectError {
  if (error.reason === ADMINISTRATIVELY_PROHIBITED) {
    return new ConnectError(
      target.name,
      'tcp',
      `the jump host \`${hop.name}\` does not forward to ${showAddress(target)}`,
      {
        hint: `Set \`AllowTcpForwarding local\` for ${hop.user} in sshd_config of \`${hop.name}\`.`,
        cause: error,
      },
    )
  }
  return new ConnectError(
    target.name,
    'tcp',
    `${showAddress(target)} cannot be reached from the jump host \`${hop.name}\` (${error.message})`,
    { hint: `Check name and port as \`${hop.name}\` sees them.`, cause: error },
  )
}

function dialledChannel(channel: ClientChannel): Dialled {
  const stream = new Counted(channel)
  return { stream, sent: () => stream.sent, received: () => stream.received }
}

/** Passes a channel on and counts its bytes; ssh2 does not. */
class Counted extends Duplex {
  sent = 0
  received = 0
  readonly #inner: Duplex

  constructor(inner: Duplex) {
    super({ autoDestroy: true })
    this.#inner = inner
    inner.on('data', (chunk: Buffer) => {
      this.received += chunk.length
      if (!this.push(chunk)) inner.pause()
    })
    inner.once('end', () => this.push(null))
    inner.once('error', error => this.destroy(error))
    inner.once('close', () => this.destroy())
  }

  override _read(): void {
    this.#inner.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.sent += chunk.length
    this.#inner.write(chunk, done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#inner.end()
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#inner.destroy()
    done(error)
  }
}

/** Starts the command of `ProxyCommand`; its stdin and stdout are the connection, what it says on stderr goes to ours. */
export function dialCommand(target: SshTarget, command: string): Dialled {
  const child = spawn('/bin/sh', ['-c', `exec ${command}`], { stdio: ['pipe', 'pipe', 'inherit'] })
  const stream = new Counted(Duplex.from({ readable: child.stdout, writable: child.stdin }))
  child.once('error', error =>
    stream.destroy(new ConnectError(target.name, 'tcp', 'the ProxyCommand does not start', { cause: error })),
  )
  stream.once('close', () => child.kill())
  return { stream, sent: () => stream.sent, received: () => stream.received }
}
