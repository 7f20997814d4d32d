import { createHash } from 'node:crypto'
import type { Registered } from '../base/result.ts'
import type { Certificate } from '../probes/certificate.ts'

/** Seconds. */
export const DAY = 86_400

/** Returns what `register` says of a certificate. */
export function describeCertificate(found: Certificate, now: number): Registered {
  return {
    subject: found.subject,
    issuer: found.issuer,
    subject_alt_name: found.names,
    not_before: new Date(found.from * 1000).toISOString(),
    not_after: new Date(found.until * 1000).toISOString(),
    days_left: Math.floor((found.until - now) / DAY),
    expired: found.until <= now,
    serial_number: found.serial,
    fingerprint: found.fingerprint,
    public_key_fingerprint: digestOf(found.publicKey),
    is_ca: found.isAuthority,
  }
}

/** Returns the SHA-256 of a public key. */
export function digestOf(publicKey: string): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex')
}
