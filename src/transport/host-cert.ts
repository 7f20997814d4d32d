import { createPublicKey, type JsonWebKey, verify, type KeyObject } from 'node:crypto'
import { matchPattern } from './host-pattern.ts'
import { SshBytes, sshString, withoutZeros } from './ssh-bytes.ts'

/** What a host certificate says. Nothing of it is to be believed before `checkHostCert` has looked at it. */
export interface HostCert {
  /** The host's own key, as it travels without a certificate. */
  readonly key: Buffer
  readonly kind: 'user' | 'host'
  readonly keyId: string
  readonly principals: readonly string[]
  /** Seconds since 1970. */
  readonly validAfter: bigint
  readonly validBefore: bigint
  readonly criticalOptions: readonly string[]
  /** The key of the authority. */
  readonly authority: Buffer
  /** The bytes that the authority signed, and what it signed them with. */
  readonly signed: Buffer
  readonly signature: Buffer
}

/** The algorithms under which hosts show certificates, best first. */
export const CERT_ALGORITHMS = [
  'ssh-ed25519-cert-v01@openssh.com',
  'ecdsa-sha2-nistp256-cert-v01@openssh.com',
  'ecdsa-sha2-nistp384-cert-v01@openssh.com',
  'ecdsa-sha2-nistp521-cert-v01@openssh.com',
  'rsa-sha2-512-cert-v01@openssh.com',
  'rsa-sha2-256-cert-v01@openssh.com',
] as const

const CERT_SUFFIX = '-cert-v01@openssh.com'
/** How many fields of its own each type of key has. */
const KEY_FIELDS: Readonly<Record<string, number>> = {
  'ssh-ed25519': 1,
  'ecdsa-sha2-nistp256': 2,
  'ecdsa-sha2-nistp384': 2,
  'ecdsa-sha2-nistp521': 2,
  'ssh-rsa': 2,
}

/** Returns what a certificate says, or undefined where the bytes are no certificate. */
export function parseHostCert(blob: Buffer): HostCert | undefined {
  try {
    const bytes = new SshBytes(blob)
    const type = bytes.text()
    const plain = type.endsWith(CERT_SUFFIX) ? type.slice(0, -CERT_SUFFIX.length) : ''
    const fields = KEY_FIELDS[plain]
    if (fields === undefined) return undefined
    bytes.string() // a nonce
    const own = Array.from({ length: fields }, () => sshString(bytes.string()))
    bytes.uint64() // the serial number
    const kind = bytes.uint32()
    const keyId = bytes.text()
    const principals = new SshBytes(bytes.string()).strings()
    const validAfter = bytes.uint64()
    const validBefore = bytes.uint64()
    const criticalOptions = optionNames(bytes.string())
    bytes.string() // extensions, which say nothing about hosts
    bytes.string() // reserved
    const authority = bytes.string()
    const signed = blob.subarray(0, bytes.at)
    const signature = bytes.string()
    if ((kind !== 1 && kind !== 2) || !bytes.ended) return undefined
    return {
      key: Buffer.concat([sshString(plain), ...own]),
      kind: kind === 2 ? 'host' : 'user',
      keyId,
      principals,
      validAfter,
      validBefore,
      criticalOptions,
      authority,
      signed,
      signature,
    }
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function optionNames(packed: Buffer): readonly string[] {
  const pairs = new SshBytes(packed)
  const names: string[] = []
  while (!pairs.ended) {
    names.push(pairs.text())
    pairs.string()
  }
  return names
}

/**
 * Returns why the certificate does not speak for the host, in words that follow `its certificate`, or undefined where
 * it does. A certificate that names no host at all speaks for none.
 */
export function checkHostCert(
  cert: HostCert,
  host: string,
  authorities: readonly Buffer[],
  now: Date,
): string | undefined {
  if (cert.kind !== 'host') return 'is one for users'
  if (!authorities.some(authority => authority.equals(cert.authority))) {
    return 'is signed by an authority that is not known for this host'
  }
  if (!signedBy(cert.authority, cert.signed, cert.signature)) return 'has a wrong signature'
  const name = host.toLowerCase()
  if (!cert.principals.some(principal => matchPattern(principal.toLowerCase(), name))) {
    return `is for ${cert.principals.join(', ') || 'no host'}, not for \`${host}\``
  }
  const seconds = BigInt(Math.floor(now.getTime() / 1000))
  if (seconds < cert.validAfter) return `is not valid before ${showTime(cert.validAfter)}`
  if (seconds >= cert.validBefore) return `was valid until ${showTime(cert.validBefore)}`
  const [option] = cert.criticalOptions
  return option === undefined ? undefined : `demands \`${option}\`, which is not understood`
}

function showTime(seconds: bigint): string {
  const latest = 8_640_000_000_000n
  return seconds > latest ? 'for ever' : new Date(Number(seconds) * 1000).toISOString()
}

const CURVES: Readonly<Record<string, readonly [jwk: string, hash: string, bytes: number]>> = {
  nistp256: ['P-256', 'sha256', 32],
  nistp384: ['P-384', 'sha384', 48],
  nistp521: ['P-521', 'sha512', 66],
}

/** Signatures with SHA-1 are no proof of anything any more; `ssh-rsa` is not among these. */
const RSA_HASHES: Readonly<Record<string, string>> = { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' }

function signedBy(authority: Buffer, signed: Buffer, signature: Buffer): boolean {
  try {
    return verifies(authority, signed, signature)
  } catch {
    // Bytes that are no key or no signature prove nothing.
    return false
  }
}

function verifies(authority: Buffer, signed: Buffer, signature: Buffer): boolean {
  const key = new SshBytes(authority)
  const type = key.text()
  const proof = new SshBytes(signature)
  const algorithm = proof.text()
  const value = proof.string()
  if (type === 'ssh-ed25519' && algorithm === type) {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: key.string().toString('base64url') }
    return verify(null, signed, publicKey(jwk), value)
  }
  if (type === 'ssh-rsa') {
    const hash = RSA_HASHES[algorithm]
    const e = withoutZeros(key.string()).toString('base64url')
    const n = withoutZeros(key.string()).toString('base64url')
    return hash !== undefined && verify(hash, signed, publicKey({ kty: 'RSA', e, n }), value)
  }
  const curve = CURVES[key.text()]
  if (curve === undefined || type !== algorithm || !type.startsWith('ecdsa-sha2-')) return false
  const [crv, hash, bytes] = curve
  const point = key.string()
  const x = point.subarray(1, 1 + bytes).toString('base64url')
  const y = point.subarray(1 + bytes).toString('base64url')
  const ecKey = { key: publicKey({ kty: 'EC', crv, x, y }), dsaEncoding: 'ieee-p1363' as const }
  return verify(hash, signed, ecKey, fixedWidth(value, bytes))
}

function publicKey(jwk: JsonWebKey): KeyObject {
  return createPublicKey({ key: jwk, format: 'jwk' })
}

/** Two numbers of any length become two of the same length, side by side. */
function fixedWidth(value: Buffer, bytes: number): Buffer {
  const numbers = new SshBytes(value)
  const pair = Buffer.alloc(2 * bytes)
  for (const end of [bytes, 2 * bytes]) {
    const number = withoutZeros(numbers.string())
    number.copy(pair, end - number.length)
  }
  return pair
}
