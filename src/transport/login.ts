import type { AnyAuthMethod, AuthenticationType, Client, ServerHostKeyAlgorithm } from 'ssh2'
import ssh2 from 'ssh2'
import type { ConnectError } from '../base/error.ts'
import type { Dialled } from './dial.ts'
import type { Offer } from './keys.ts'
import { explain, HangUp, type Progress, tooSlow } from './login-error.ts'
import type { SshTarget } from './target.ts'

/** A connection to an sshd that knows us and that we know. */
export interface Link {
  readonly client: Client
  readonly sent: () => number
  readonly received: () => number
  readonly isOpen: () => boolean
  /** The fingerprint of the key that let us in. */
  readonly key: string | undefined
  /** Resolves when the connection is gone, with the reason where there is one. */
  readonly closed: Promise<Error | undefined>
  readonly close: () => Promise<void>
}

export interface Login {
  readonly target: SshTarget
  readonly algorithms: readonly ServerHostKeyAlgorithm[]
  /** Returns why the host's key will not do, or undefined where it will. */
  readonly refuse: (key: Buffer) => ConnectError | undefined
  readonly offer: Offer
}

/** A login takes several round trips and may wait for a slow host; this many connect deadlines are enough. */
const DEADLINES = 3
const GOODBYE_MS = 1000

/**
 * Logs in over an open stream, and closes the stream where that fails.
 *
 * @throws ConnectError with stage `tcp`, `hostkey` or `auth`; EarlyDrop where the server hung up before its banner.
 */
export function logIn(login: Login, wire: Dialled, signal: AbortSignal): Promise<Link> {
  const { target, offer } = login
  const client = new ssh2.Client()
  const progress: Progress = {
    stage: 'tcp',
    refusal: undefined,
    tried: [],
    methods: [],
    partial: false,
    notes: [...offer.notes],
    greeting: '',
  }
  return new Promise((resolve, reject) => {
    const deadlineMs = target.connectTimeoutMs * DEADLINES
    const settle = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      client.off('error', onError).off('close', onClose).off('ready', onReady)
    }
    const fail = (error: unknown): void => {
      settle()
      client.on('error', () => undefined)
      wire.stream.on('error', () => undefined).destroy()
      reject(error instanceof Error ? error : new Error(String(error)))
    }
    const onError = (error: Error & { level?: string }): void => {
      if (error.level === 'agent') progress.notes.push(`signing: ${error.message}`)
      else fail(explain(error, progress, login))
    }
    const onClose = (): void => fail(explain(new HangUp(), progress, login))
    const onReady = (): void => {
      settle()
      resolve(makeLink(client, wire, progress.offered))
    }
    const abort = (): void => fail(signal.reason)
    const timer = setTimeout(() => fail(tooSlow(progress, target, deadlineMs)), deadlineMs)
    signal.addEventListener('abort', abort, { once: true })
    wire.stream.once('data', (chunk: Buffer) => (progress.greeting = chunk.toString('latin1', 0, 200)))
    client.on('error', onError).on('close', onClose).on('ready', onReady)
    client.on('handshake', () => (progress.stage = 'auth'))
    start(client, login, wire, progress)
  })
}

function start(client: Client, login: Login, wire: Dialled, progress: Progress): void {
  const { target } = login
  client.connect({
    sock: wire.stream,
    username: target.user,
    readyTimeout: 0,
    keepaliveInterval: target.keepaliveMs,
    keepaliveCountMax: target.keepaliveCount,
    algorithms: {
      // The one with the cheapest arithmetic first; OpenSSH's own first choice costs ten times as much.
      kex: [
        'curve25519-sha256',
        'curve25519-sha256@libssh.org',
        'ecdh-sha2-nistp256',
        'ecdh-sha2-nistp384',
        'ecdh-sha2-nistp521',
        'diffie-hellman-group16-sha512',
        'diffie-hellman-group18-sha512',
        'diffie-hellman-group14-sha256',
        'diffie-hellman-group-exchange-sha256',
      ],
      serverHostKey: [...login.algorithms],
      compress: target.compression ? ['zlib@openssh.com', 'none'] : ['none'],
    },
    hostVerifier: (key: Buffer) => {
      progress.stage = 'hostkey'
      progress.refusal = login.refuse(key)
      return progress.refusal === undefined
    },
    authHandler: makeAuthHandler(login, progress),
  })
}

/** Offers one key after the other and remembers which; asks what the host would take where there is none. */
function makeAuthHandler(
  { offer, target }: Login,
  progress: Progress,
): (left: AuthenticationType[] | null, partial: boolean | null) => AnyAuthMethod | false {
  const queue = [...offer.identities]
  return (left, partial) => {
    if (left !== null) progress.methods = left
    if (partial === true) progress.partial = true
    if (left !== null && !left.includes('publickey')) return false
    const identity = queue.shift()
    progress.offered = identity?.fingerprint
    if (identity === undefined) return left === null ? { type: 'none', username: target.user } : false
    progress.tried.push(identity)
    return { type: 'agent', username: target.user, agent: identity.agent }
  }
}

function makeLink(client: Client, wire: Dialled, key: string | undefined): Link {
  let open = true
  let reason: Error | undefined
  client.on('error', error => (reason ??= error))
  const closed = new Promise<Error | undefined>(resolve => {
    client.once('close', () => {
      open = false
      resolve(reason)
    })
  })
  return {
    client,
    sent: wire.sent,
    received: wire.received,
    key,
    isOpen: () => open,
    closed,
    close: async () => {
      if (!open) return
      client.end()
      const timer = setTimeout(() => wire.stream.destroy(), GOODBYE_MS)
      await closed
      clearTimeout(timer)
    },
  }
}
