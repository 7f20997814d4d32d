import type { ServerHostKeyAlgorithm } from 'ssh2'
import { ConnectError } from '../base/error.ts'
import { checkHostCert, parseHostCert } from './host-cert.ts'
import { entriesFor, fingerprint, judge, keyType, type KnownHost, pinMatches } from './known-hosts.ts'
import { knownName, type SshTarget } from './target.ts'

/** What a host's key is held against. */
export interface Trust {
  /** Keys a certificate authority vouched for; they are as good as known ones. */
  readonly certified: readonly Buffer[]
  /** Why a certificate did not do, for the message. */
  readonly caProblem: string | undefined
}

type Family = 'ed25519' | 'ecdsa' | 'rsa'

/** Signatures with SHA-1 (`ssh-rsa`) are not among them, as in OpenSSH since 8.8. */
const ALGORITHMS: Readonly<Record<Family, readonly ServerHostKeyAlgorithm[]>> = {
  ed25519: ['ssh-ed25519'],
  ecdsa: ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  rsa: ['rsa-sha2-512', 'rsa-sha2-256'],
}
const FAMILIES = ['ed25519', 'ecdsa', 'rsa'] as const

/** All algorithms that a host's key may be proven with, best first. */
export const HOST_KEY_ALGORITHMS = FAMILIES.flatMap(family => ALGORITHMS[family])

/**
 * Returns the host key algorithms to ask for, one list for each attempt. Types of which a key is known come first:
 * a host shows only one of its keys, and another one than the known would look like a stranger's.
 * A pin that is only a fingerprint does not tell its type, so each type is asked for on its own.
 */
export function hostKeyAttempts(target: SshTarget, trust: Trust): readonly ServerHostKeyAlgorithm[][] {
  const certified = trust.certified.map(key => keyType(key))
  const pinned = target.pins.map(pin => pin.trim().split(/\s+/)[0] ?? '')
  if (certified.length === 0 && pinned.some(word => word.startsWith('SHA256:'))) {
    return FAMILIES.map(family => [...ALGORITHMS[family]])
  }
  const known = entriesFor(target.known, knownName(target), 'none').map(entry => entry.type)
  const types = certified.length > 0 ? certified : pinned.length > 0 ? pinned : known
  return [preferring(types)]
}

function preferring(types: readonly (string | undefined)[]): ServerHostKeyAlgorithm[] {
  const wanted = (algorithm: string): boolean =>
    types.includes(algorithm) || (algorithm.startsWith('rsa-') && types.includes('ssh-rsa'))
  return [
    ...HOST_KEY_ALGORITHMS.filter(wanted),
    ...HOST_KEY_ALGORITHMS.filter(algorithm => !wanted(algorithm)),
  ]
}

/** Returns the keys of the authorities that may speak for the host; none where its key is pinned, for then nobody else may. */
export function authoritiesFor(target: SshTarget): readonly Buffer[] {
  if (target.pins.length > 0) return []
  const { known } = target
  return entriesFor(known, knownName(target), 'cert-authority')
    .map(entry => entry.key)
    .filter(key => judge(known, knownName(target), key).is !== 'revoked')
}

/** Returns what a certificate that the host showed is worth. */
export function readCertificate(
  target: SshTarget,
  authorities: readonly Buffer[],
  shown: Buffer | undefined,
): Trust {
  const cert = shown === undefined ? undefined : parseHostCert(shown)
  const problem =
    cert === undefined
      ? 'the host shows no certificate, though an authority is known for it'
      : checkHostCert(cert, target.alias ?? target.host, authorities, new Date())
  if (cert !== undefined && problem === undefined) return { certified: [cert.key], caProblem: undefined }
  return { certified: [], caProblem: cert === undefined ? problem : `its certificate ${problem}` }
}

/** Returns why the key is refused, or undefined where the host is who it should be. */
export function refuseHostKey(target: SshTarget, trust: Trust, key: Buffer): ConnectError | undefined {
  const verdict = judge(target.known, knownName(target), key)
  if (verdict.is === 'revoked') return revoked(target, key, verdict.by)
  if (trust.certified.some(certified => certified.equals(key))) return undefined
  if (target.pins.length > 0) {
    return target.pins.some(pin => pinMatches(pin, key)) ? undefined : notPinned(target, key)
  }
  if (verdict.is === 'match') return undefined
  if (verdict.is === 'changed') return changed(target, key, verdict.known)
  return unknown(target, key, trust.caProblem)
}

/** The host showed no key that will do, but it may have one of another type that does. */
export class WrongKey extends ConnectError {
  /** It has no key of the type that was asked for. */
  readonly missing: boolean

  constructor(host: string, missing: boolean, message: string, more: { hint: string; cause?: unknown }) {
    super(host, 'hostkey', message, more)
    this.missing = missing
  }
}

function notPinned(target: SshTarget, key: Buffer): ConnectError {
  const pins = target.pins.map(showPin).join(', ')
  return new WrongKey(
    target.name,
    false,
    `the host shows ${showKey(key)}, the inventory pins ${pins}; another machine may have taken its place`,
    { hint: 'Correct `host_key` in the inventory if the host was installed anew.' },
  )
}

function changed(target: SshTarget, key: Buffer, known: readonly KnownHost[]): ConnectError {
  const places = known.map(entry => `${showKey(entry.key)} (${entry.file}:${entry.line})`).join(', ')
  return new ConnectError(
    target.name,
    'hostkey',
    `the host shows ${showKey(key)}, known is ${places}; another machine may have taken its place`,
    { hint: `Run \`msingi hosts trust --replace ${target.name}\` if the host was installed anew.` },
  )
}

function revoked(target: SshTarget, key: Buffer, by: KnownHost): ConnectError {
  return new ConnectError(
    target.name,
    'hostkey',
    `the host shows ${showKey(key)}, which is revoked (${by.file}:${by.line})`,
    { hint: 'Give the host a new key; this one has fallen into other hands.' },
  )
}

function unknown(target: SshTarget, key: Buffer, caProblem: string | undefined): ConnectError {
  const authority = caProblem === undefined ? '' : `; ${caProblem}`
  return new ConnectError(
    target.name,
    'hostkey',
    `the key of the host is unknown: ${showKey(key)}${authority}`,
    {
      hint: `Compare the fingerprint with the host's own, then run \`msingi hosts trust ${target.name}\`.`,
    },
  )
}

function showKey(key: Buffer): string {
  return `${keyType(key) ?? 'a key'} ${fingerprint(key)}`
}

function showPin(pin: string): string {
  const [type, base64] = pin.trim().split(/\s+/)
  return base64 === undefined ? (type ?? '') : `${type} ${fingerprint(Buffer.from(base64, 'base64'))}`
}
