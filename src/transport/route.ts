import type { ServerHostKeyAlgorithm } from 'ssh2'
import { ConnectError } from '../base/error.ts'
import { type Dialled, dialCommand, dialTcp, dialThrough } from './dial.ts'
import { CERT_ALGORITHMS } from './host-cert.ts'
import { showHostKey, type Shown } from './host-key-scan.ts'
import type { Keyring } from './keys.ts'
import { fingerprint, keyType } from './known-hosts.ts'
import { EarlyDrop, type HandshakeLimits, retryEarlyDrops } from './limits.ts'
import { type Link, logIn } from './login.ts'
import { droppedEarly } from './login-error.ts'
import { identityOf, type SshTarget } from './target.ts'
import {
  authoritiesFor,
  HOST_KEY_ALGORITHMS,
  hostKeyAttempts,
  readCertificate,
  refuseHostKey,
  type Trust,
  WrongKey,
} from './trust.ts'

/** What all connections of one process share. */
export interface SshShared {
  readonly keyring: Keyring
  readonly limits: HandshakeLimits
  /** Connections to jump hosts, by `identityOf`; several hosts go through one. */
  readonly jumps: Map<string, SharedLink>
  /** Host keys that an authority vouched for, by `identityOf`. */
  readonly certified: Map<string, Trust>
}

const DEADLINES = 3

interface SharedLink {
  users: number
  readonly link: Promise<Link>
  readonly end: () => void
}

/** Logs in to a host, through its jump hosts where it has some. Each hop's key is verified as strictly as the host's. */
export async function openLink(target: SshTarget, shared: SshShared, signal: AbortSignal): Promise<Link> {
  const { limited, release } = await openRoute(target, shared, signal)
  try {
    const link = await logInLimited(target, shared, signal, limited)
    void link.closed.then(release)
    return link
  } catch (error) {
    release()
    throw error instanceof EarlyDrop ? droppedEarly(target, error) : error
  }
}

/** A key that a host showed, not yet believed. */
export interface ScannedKey {
  readonly type: string
  readonly fingerprint: string
  /** The key as it travels. */
  readonly key: Buffer
}

/** Returns all keys that a host shows, one of each type, as `ssh-keyscan` does; through jump hosts, which must be known. */
export async function scanHostKeys(
  target: SshTarget,
  shared: SshShared,
  signal: AbortSignal,
): Promise<readonly ScannedKey[]> {
  const { limited, release } = await openRoute(target, shared, signal)
  const ask = (wanted: readonly string[]): Promise<Shown> =>
    limited(wire => showHostKey(target.name, wire.stream, wanted, target.connectTimeoutMs * DEADLINES))
  try {
    const found: Buffer[] = []
    let wanted: readonly string[] = HOST_KEY_ALGORITHMS
    while (wanted.length > 0) {
      const { key, algorithms } = await ask(wanted)
      if (key === undefined) break
      found.push(key)
      const seen = found.map(keyType)
      wanted = HOST_KEY_ALGORITHMS.filter(
        one => algorithms.includes(one) && !seen.includes(one.startsWith('rsa-') ? 'ssh-rsa' : one),
      )
    }
    return found.map(key => ({ type: keyType(key) ?? '', fingerprint: fingerprint(key), key }))
  } catch (error) {
    throw error instanceof EarlyDrop ? droppedEarly(target, error) : error
  } finally {
    release()
  }
}

/** The way to a host, jump hosts included. */
interface Route {
  readonly limited: Limited
  readonly release: () => void
}

/** Dials and does something with the stream, within the limits of handshakes and again after an early drop. */
type Limited = <T>(job: (wire: Dialled) => Promise<T>) => Promise<T>

async function openRoute(target: SshTarget, shared: SshShared, signal: AbortSignal): Promise<Route> {
  const { via } = target
  const through = (gateway: string | undefined, dial: () => Promise<Dialled>): Limited => {
    return job =>
      retryEarlyDrops(() => shared.limits.run(gateway, async () => job(await dial()), signal), signal)
  }
  if (via.kind === 'jump') {
    const { jump, release } = await borrowJump(via.target, target, shared, signal)
    const dial = (): Promise<Dialled> => dialThrough(jump.client, via.target, target)
    return { limited: through(identityOf(via.target), dial), release }
  }
  const dial = async (): Promise<Dialled> =>
    via.kind === 'command' ? dialCommand(target, via.command) : dialTcp(target, signal)
  return { limited: through(undefined, dial), release: () => undefined }
}

async function borrowJump(
  hop: SshTarget,
  target: SshTarget,
  shared: SshShared,
  signal: AbortSignal,
): Promise<{ jump: Link; release: () => void }> {
  const key = identityOf(hop)
  const entry = shared.jumps.get(key) ?? shareLink(key, hop, shared)
  entry.users++
  let held = true
  const release = (): void => {
    if (!held) return
    held = false
    entry.users--
    if (entry.users === 0) entry.end()
  }
  try {
    return { jump: await unlessAborted(entry.link, signal), release }
  } catch (error) {
    release()
    throw error instanceof ConnectError ? jumpFailed(error, hop, target) : error
  }
}

/** One host's abort must not cut the way of the others: a shared link ends when the last of its users has left. */
function shareLink(key: string, hop: SshTarget, shared: SshShared): SharedLink {
  const abort = new AbortController()
  const link = openLink(hop, shared, abort.signal)
  const forget = (): void => {
    if (shared.jumps.get(key) === entry) shared.jumps.delete(key)
  }
  const end = (): void => {
    forget()
    abort.abort(new Error('nobody needs the jump host any more'))
    link.then(open => open.close()).catch(forget)
  }
  const entry: SharedLink = { users: 0, link, end }
  shared.jumps.set(key, entry)
  link.then(open => open.closed.then(forget)).catch(forget)
  return entry
}

function jumpFailed(error: ConnectError, hop: SshTarget, target: SshTarget): ConnectError {
  return new ConnectError(target.name, error.stage, `the jump host \`${hop.name}\`: ${error.message}`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  })
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

async function logInLimited(
  target: SshTarget,
  shared: SshShared,
  signal: AbortSignal,
  limited: Limited,
): Promise<Link> {
  const trust = await trustIn(target, shared, limited)
  const refuse = (key: Buffer): ConnectError | undefined => refuseHostKey(target, trust, key)
  const attempt = async (): Promise<Link> => {
    const offer = await shared.keyring.offer(target.keys)
    return tryHostKeys(target, trust, algorithms =>
      limited(wire => logIn({ target, algorithms, refuse, offer }, wire, signal)),
    )
  }
  return afterPassphrase(attempt, shared.keyring)
}

/** Where an authority speaks for the host, its certificate is fetched and read before the login. */
async function trustIn(target: SshTarget, shared: SshShared, limited: Limited): Promise<Trust> {
  const authorities = authoritiesFor(target)
  if (authorities.length === 0) return { certified: [], caProblem: undefined }
  const key = identityOf(target)
  const known = shared.certified.get(key)
  if (known) return known
  const { connectTimeoutMs, name } = target
  const shown = await limited(wire =>
    showHostKey(name, wire.stream, CERT_ALGORITHMS, connectTimeoutMs * DEADLINES),
  )
  const trust = readCertificate(target, authorities, shown.key)
  if (trust.certified.length > 0) shared.certified.set(key, trust)
  return trust
}

/** A person may type longer than sshd waits (`LoginGraceTime`); with the passphrase at hand one more try goes through. */
async function afterPassphrase(attempt: () => Promise<Link>, keyring: Keyring): Promise<Link> {
  const asked = keyring.asked()
  try {
    return await attempt()
  } catch (error) {
    const isLate = error instanceof ConnectError && (error.stage === 'tcp' || error.stage === 'auth')
    if (keyring.asked() === asked || !isLate) throw error
    await keyring.settled()
    return attempt()
  }
}

/** Asks for one type of key after the other where only a fingerprint is pinned. */
async function tryHostKeys(
  target: SshTarget,
  trust: Trust,
  attempt: (algorithms: readonly ServerHostKeyAlgorithm[]) => Promise<Link>,
): Promise<Link> {
  let refusal: WrongKey | undefined
  for (const algorithms of hostKeyAttempts(target, trust)) {
    try {
      return await attempt(algorithms)
    } catch (error) {
      if (!(error instanceof WrongKey)) throw error
      if (refusal === undefined || refusal.missing) refusal = error
    }
  }
  throw refusal ?? new ConnectError(target.name, 'hostkey', 'no type of host key is left to ask for')
}
