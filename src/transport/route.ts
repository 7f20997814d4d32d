import type { ServerHostKeyAlgorithm } from 'ssh2'
import { ConnectError } from '../base/error.ts'
import { type Dialled, dialCommand, dialTcp, dialThrough } from './dial.ts'
import type { Keyring } from './keys.ts'
import { EarlyDrop, type HandshakeLimits, retryEarlyDrops } from './limits.ts'
import { type Link, logIn } from './login.ts'
import { droppedEarly } from './login-error.ts'
import { identityOf, type SshTarget } from './target.ts'
import { hostKeyAttempts, refuseHostKey, type Trust, WrongKey } from './trust.ts'

/** What all connections of one process share. */
export interface SshShared {
  readonly keyring: Keyring
  readonly limits: HandshakeLimits
  /** Connections to jump hosts, by `identityOf`; several hosts go through one. */
  readonly jumps: Map<string, SharedLink>
}

interface SharedLink {
  users: number
  readonly link: Promise<Link>
}

/** Logs in to a host, through its jump hosts where it has some. Each hop's key is verified as strictly as the host's. */
export async function openLink(target: SshTarget, shared: SshShared, signal: AbortSignal): Promise<Link> {
  if (target.via.kind !== 'jump') return logInLimited(target, shared, signal, () => dial(target, signal))
  const hop = target.via.target
  const { jump, release } = await borrowJump(hop, target, shared, signal)
  try {
    const link = await logInLimited(target, shared, signal, () => dialThrough(jump.client, hop, target))
    void link.closed.then(release)
    return link
  } catch (error) {
    await release()
    throw error
  }
}

function dial(target: SshTarget, signal: AbortSignal): Promise<Dialled> {
  return target.via.kind === 'command'
    ? Promise.resolve(dialCommand(target, target.via.command))
    : dialTcp(target, signal)
}

async function borrowJump(
  hop: SshTarget,
  target: SshTarget,
  shared: SshShared,
  signal: AbortSignal,
): Promise<{ jump: Link; release: () => Promise<void> }> {
  const key = identityOf(hop)
  const entry = shared.jumps.get(key) ?? shareLink(key, hop, shared)
  entry.users++
  const release = async (): Promise<void> => {
    entry.users--
    if (entry.users > 0) return
    if (shared.jumps.get(key) === entry) shared.jumps.delete(key)
    await entry.link.then(
      link => link.close(),
      () => undefined,
    )
  }
  try {
    return { jump: await unlessAborted(entry.link, signal), release }
  } catch (error) {
    await release()
    throw error instanceof ConnectError ? jumpFailed(error, hop, target) : error
  }
}

/** One host's abort must not cut the way of the others, so a shared link listens to no signal but its users' leaving. */
function shareLink(key: string, hop: SshTarget, shared: SshShared): SharedLink {
  const entry: SharedLink = { users: 0, link: openLink(hop, shared, new AbortController().signal) }
  shared.jumps.set(key, entry)
  const forget = (): void => {
    if (shared.jumps.get(key) === entry) shared.jumps.delete(key)
  }
  entry.link.then(link => link.closed.then(forget), forget).catch(forget)
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
  dialOnce: () => Promise<Dialled>,
): Promise<Link> {
  const gateway = target.via.kind === 'jump' ? identityOf(target.via.target) : undefined
  const trust: Trust = { certified: [], caProblem: undefined }
  const attempt = async (): Promise<Link> => {
    const offer = await shared.keyring.offer(target.keys)
    return tryHostKeys(target, trust, algorithms =>
      retryEarlyDrops(
        () =>
          shared.limits.run(
            gateway,
            async () => {
              const refuse = (key: Buffer): ConnectError | undefined => refuseHostKey(target, trust, key)
              return logIn({ target, algorithms, refuse, offer }, await dialOnce(), signal)
            },
            signal,
          ),
        signal,
      ),
    )
  }
  try {
    return await afterPassphrase(attempt, shared.keyring)
  } catch (error) {
    throw error instanceof EarlyDrop ? droppedEarly(target, error) : error
  }
}

/** A person may type longer than sshd waits (`LoginGraceTime`); with the passphrase at hand one more try goes through. */
async function afterPassphrase(attempt: () => Promise<Link>, keyring: Keyring): Promise<Link> {
  const asked = keyring.asked()
  try {
    return await attempt()
  } catch (error) {
    if (keyring.asked() === asked || !(error instanceof ConnectError) || error.stage !== 'auth') throw error
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
      if (refusal === undefined || !error.missing) refusal = error
    }
  }
  throw refusal ?? new ConnectError(target.name, 'hostkey', 'no type of host key is left to ask for')
}
