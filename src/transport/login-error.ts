import { ConnectError, type ConnectStage } from '../base/error.ts'
import type { Identity, Offer } from './keys.ts'
import { EarlyDrop } from './limits.ts'
import { showAddress, type SshTarget } from './target.ts'
import { WrongKey } from './trust.ts'

/** What is known of a login while it goes on; tells the stage when it fails. */
export interface Progress {
  stage: ConnectStage
  /** Our own verdict on the host's key. */
  refusal: ConnectError | undefined
  /** The fingerprint of the key offered last. */
  offered?: string | undefined
  readonly tried: Identity[]
  /** What the host would accept instead. */
  methods: readonly string[]
  /** The key was right, but not enough. */
  partial: boolean
  readonly notes: string[]
  /** The first bytes of the server: its banner, or why it hangs up. */
  greeting: string
}

/** What was wanted of the login. */
interface Attempt {
  readonly target: SshTarget
  readonly algorithms: readonly string[]
  readonly offer: Offer
}

/** Returns the error for what ended a login, with the stage it had come to. */
export function explain(error: Error, progress: Progress, attempt: Attempt): Error {
  const { target, algorithms } = attempt
  if (progress.refusal) return progress.refusal
  if (progress.stage === 'auth')
    return isRefusal(error) ? refusedLogin(error, progress, attempt) : brokenLogin(error, target)
  if (progress.stage === 'tcp' && !progress.greeting.includes('SSH-'))
    return noBanner(error, progress, target)
  if (error.message.includes('host key format')) {
    return new WrongKey(target.name, true, `the host has no key of the types ${algorithms.join(', ')}`, {
      hint: 'Give the host an ed25519, ecdsa or rsa key; certificates alone and ssh-dss are not enough.',
      cause: error,
    })
  }
  const message = `the key exchange failed (${error.message})`
  // What is none of the keys' business is the line's, and may be better the next time.
  if (!/no matching|signature/i.test(error.message))
    return new ConnectError(target.name, 'tcp', message, { cause: error })
  return new ConnectError(target.name, 'hostkey', message, {
    hint: 'Compare the algorithms of the host (`sshd -T`) with those of current OpenSSH.',
    cause: error,
  })
}

function noBanner(error: Error, { greeting }: Progress, target: SshTarget): Error {
  const text = greeting.split('\n')[0]?.trim() ?? ''
  if (text === '' || /MaxStartups/i.test(text)) return new EarlyDrop(error.message, { cause: error })
  return new ConnectError(target.name, 'tcp', `${showAddress(target)} is no sshd, it says \`${text}\``, {
    hint: 'Check the port.',
    cause: error,
  })
}

/** Returns the error for a host that hung up before its banner until the retries were used up. */
export function droppedEarly(target: SshTarget, drop: EarlyDrop): ConnectError {
  return new ConnectError(
    target.name,
    'tcp',
    `${showAddress(target)} closed the connection before it said what it is`,
    { hint: 'Raise `MaxStartups` in sshd_config, or check that the port is that of sshd.', cause: drop },
  )
}

/** Returns the error for a login whose deadline is over. */
export function tooSlow(progress: Progress, target: SshTarget, deadlineMs: number): ConnectError {
  const what =
    progress.greeting === ''
      ? 'said nothing'
      : progress.stage === 'auth'
        ? 'did not let us in'
        : 'did not agree on keys'
  return new ConnectError(
    target.name,
    progress.stage === 'hostkey' ? 'tcp' : progress.stage,
    `${showAddress(target)} ${what} within ${deadlineMs / 1000} s`,
    { hint: 'Look at the load of the host, or raise the connect timeout.' },
  )
}

/** The connection ended without a word. */
export class HangUp extends Error {
  constructor() {
    super('the host hung up')
  }
}

/** Returns whether the host said no. All else that ends a login may be the line's doing, and better the next time. */
function isRefusal(error: Error & { readonly level?: string }): boolean {
  return error.level === 'client-authentication' || TOO_MANY.test(error.message)
}

/** How OpenSSH hangs up on who has offered as many keys as `MaxAuthTries` allows. */
const TOO_MANY = /too many/i

/** sshd hangs up without a word on whom PAM refuses, as a line that is cut may do: to be careful, that counts as a refusal. */
function brokenLogin(error: Error, { name, user }: SshTarget): ConnectError {
  const stage = error instanceof HangUp ? 'auth' : 'tcp'
  return new ConnectError(name, stage, `the login as \`${user}\` broke off (${error.message})`, {
    hint: 'The line was cut, or a rule of the host ends such logins (`/etc/nologin`, PAM): look at its journal.',
    cause: error,
  })
}

function refusedLogin(error: Error, progress: Progress, { target, offer }: Attempt): ConnectError {
  const { tried, methods, notes, partial } = progress
  const accepts = methods.length > 0 ? `; it accepts ${methods.join(', ')}` : ''
  const untried = offer.identities.length - tried.length
  const details = [
    ...tried.map(showIdentity),
    ...notes,
    ...(untried > 0 && !partial ? [`and ${untried} keys more were not asked for`] : []),
  ]
  return new ConnectError(
    target.name,
    'auth',
    `the host ${whyRefused(error, partial)} as \`${target.user}\`${accepts}; tried: ${details.join(', ') || 'no key'}`,
    { hint: hintForLogin(progress, target, untried), cause: error },
  )
}

function whyRefused(error: Error, partial: boolean): string {
  if (partial) return 'wants more than a key'
  return TOO_MANY.test(error.message) ? 'had enough of wrong keys' : 'refused the login'
}

function showIdentity({ origin, from, fingerprint }: Identity): string {
  return `${from === 'agent' ? `agent: ${origin}` : origin} (${fingerprint})`
}

function hintForLogin({ tried, partial, methods }: Progress, target: SshTarget, untried: number): string {
  if (partial) return 'Let a key be enough for this user (`AuthenticationMethods` in sshd_config).'
  if (methods.length > 0 && !methods.includes('publickey')) {
    return 'Allow `PubkeyAuthentication` in sshd_config.'
  }
  if (tried.length === 0) return 'Name a private key with `ssh.key` in the inventory or `--private-key`.'
  if (untried > 0) {
    return 'Name the right key with `ssh.key`; named keys are offered first, before the host loses patience.'
  }
  return `Add one of these keys to ~${target.user}/.ssh/authorized_keys on the host.`
}
