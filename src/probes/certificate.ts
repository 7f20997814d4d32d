import { createPublicKey, X509Certificate } from 'node:crypto'
import { TaskError } from '../base/error.ts'
import type { Unread } from './checksum.ts'
import { probeOf, type Family } from './probe.ts'
import { pathRead } from './resources.ts'
import { textFamily, type FileText } from './text.ts'

/** What a certificate says; times are seconds since 1970, digests hexadecimal SHA-256. */
export interface Certificate {
  /** Such as `CN=clinic.example, O=Ministry`. */
  readonly subject: string
  readonly issuer: string
  /** Such as `DNS:clinic.example` and `IP:10.0.0.7`, as `nameOf` spells them. */
  readonly names: readonly string[]
  readonly from: number
  readonly until: number
  readonly serial: string
  readonly fingerprint: string
  /** The public key, as `PrivateKey` has it. */
  readonly publicKey: string
  readonly isAuthority: boolean
  /** What it may be used for, as numbers of the standard; empty where it does not say. */
  readonly purposes: readonly string[]
  /** The whole of it, DER in base64. */
  readonly raw: string
}

/** The file holds something else. */
export interface NoCertificate {
  readonly problem: 'unusable'
}

export type CertificateAnswer = Certificate | NoCertificate | Unread | null

/** Asks for certificates in files; they are read here, not by a program of the host. Of several in a file, the first counts. */
export const certificateFamily: Family<string, CertificateAnswer> = {
  name: 'certificate',
  key: path => path,
  reads: pathRead,
  script: textFamily.script,
  parse: (answer, paths) =>
    textFamily.parse(answer, paths).map((file): CertificateAnswer => {
      if (file === null || 'unread' in file) return file
      const [first] = certificatesIn(file)
      return first === undefined ? { problem: 'unusable' } : certificateOf(first)
    }),
}

/** Asks for the certificate in the file. */
export const certificate = probeOf(certificateFamily)

/** Returns the certificates of a text, in order; those that cannot be read are left out. */
export function certificatesIn({ text }: Pick<FileText, 'text'>): readonly X509Certificate[] {
  const blocks = text.match(
    /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g,
  )
  return (blocks ?? []).flatMap(block => {
    try {
      return [new X509Certificate(block)]
    } catch {
      return []
    }
  })
}

/** Returns what the certificate says. */
export function certificateOf(found: X509Certificate): Certificate {
  return {
    subject: inOneLine(found.subject),
    issuer: inOneLine(found.issuer),
    names: namesIn(found.subjectAltName ?? ''),
    from: seconds(found.validFrom),
    until: seconds(found.validTo),
    serial: found.serialNumber.toLowerCase(),
    fingerprint: found.fingerprint256.replaceAll(':', '').toLowerCase(),
    publicKey: found.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    isAuthority: found.ca,
    purposes: found.keyUsage ?? [],
    raw: found.raw.toString('base64'),
  }
}

/** Where it says nothing Node has undefined, whatever its types say: those of some authorities of ACME have names alone. */
function inOneLine(name: string | undefined): string {
  return name?.replaceAll('\n', ', ') ?? ''
}

/** Returns whether the authority signed the certificate; one that signed itself need not be allowed to sign others. */
export function isSignedBy(
  found: Certificate,
  { subject, publicKey }: Pick<Certificate, 'subject' | 'publicKey'>,
): boolean {
  if (found.issuer !== subject) return false
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), type: 'spki', format: 'der' })
    return new X509Certificate(Buffer.from(found.raw, 'base64')).verify(key)
  } catch {
    return false
  }
}

/** Returns a name of a certificate in the one spelling that is compared: `DNS:`, `IP:` and the like before it. */
export function nameOf(written: string): string {
  const [, kind = 'DNS', value = ''] =
    /^(?:(DNS|IP|IP Address|email|URI|RID):)?(.*)$/i.exec(written.trim()) ?? []
  if (/^ip/i.test(kind)) return `IP:${addressOf(value)}`
  if (/^dns$/i.test(kind)) return `DNS:${value.toLowerCase()}`
  return `${/^email$/i.test(kind) ? 'email' : kind.toUpperCase()}:${value}`
}

/** `DNS:a, IP Address:10.0.0.1`; a name with odd characters stands in quotation marks, as in JSON. */
function namesIn(text: string): readonly string[] {
  const found = text.matchAll(/([\w ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g)
  return Array.from(found, ([, kind = '', value = '']) =>
    nameOf(`${kind}:${value.startsWith('"') ? unquoted(value) : value}`),
  )
}

function unquoted(value: string): string {
  try {
    return String(JSON.parse(value))
  } catch {
    return value
  }
}

/** Addresses of the sixth version have many spellings. */
function addressOf(value: string): string {
  if (!value.includes(':')) return value
  try {
    return new URL(`http://[${value}]/`).hostname.slice(1, -1)
  } catch {
    return value
  }
}

function seconds(date: string): number {
  const found = Date.parse(date)
  if (Number.isNaN(found))
    throw new TaskError('PROBE_UNREADABLE', `expected the date of a certificate, found \`${date}\``)
  return Math.floor(found / 1000)
}
