import { Secret } from '../base/secret.ts'
import type { AgeJob } from './age-worker.ts'
import { type Call, startWorker } from './await-worker.ts'
import { SealError } from './seal-error.ts'

const ARMOUR = '-----BEGIN AGE ENCRYPTED FILE-----'
/** What age itself takes. */
const WORK_FACTOR = 18
const BINARY = 'age-encryption.org/v1\n'

/** What may open something: identities and passphrases of age. */
export interface AgeKeys {
  readonly identities: readonly Secret[]
  readonly passphrases: readonly Secret[]
}

/** For whom something is encrypted. */
export type AgeRecipients =
  | { readonly recipients: readonly string[] }
  /** The work factor is the logarithm of what each guess costs: 18, about a second, where not said. */
  | { readonly passphrase: Secret; readonly workFactor?: number }

/** Tells whether a text is encrypted with age. */
export function isAge(text: string): boolean {
  return text.trimStart().startsWith(ARMOUR) || text.startsWith(BINARY)
}

/** Tells whether a passphrase opens it, rather than an identity. */
export function wantsPassphrase(sealed: string): boolean {
  return /^-> scrypt /m.test(headerOf(sealed))
}

/** Returns the text that is sealed; fails as `openAgeBytes` does. */
export function openAge(sealed: string, keys: AgeKeys): string {
  return openAgeBytes(sealed, keys).toString('utf8')
}

/**
 * Returns the bytes that are sealed.
 *
 * @throws SealError LOCKED where none of the keys opens it, DAMAGED where it is not whole.
 */
export function openAgeBytes(sealed: string, keys: AgeKeys): Buffer {
  const isArmoured = sealed.trimStart().startsWith(ARMOUR)
  try {
    const opened = ask({
      do: 'decrypt',
      sealed: isArmoured ? tidy(sealed) : Buffer.from(sealed, 'latin1'),
      identities: keys.identities.map(identity => identity.reveal()),
      passphrases: keys.passphrases.map(passphrase => passphrase.reveal()),
    })
    return Buffer.from(opened as Uint8Array)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const isLocked = why.startsWith('no identity matched')
    throw new SealError(isLocked ? 'LOCKED' : 'DAMAGED', isLocked ? 'no key at hand opens it' : why)
  }
}

/** Returns the text encrypted, with armour, so that it can stand in any file. */
export function sealAge(text: string, to: AgeRecipients): string {
  const sealed =
    'passphrase' in to
      ? ask({
          do: 'encrypt-with-passphrase',
          text,
          passphrase: to.passphrase.reveal(),
          workFactor: to.workFactor ?? WORK_FACTOR,
        })
      : ask({ do: 'encrypt', text, recipients: to.recipients })
  return `${String(sealed).trimEnd()}\n`
}

/** Returns a fresh identity. */
export function newIdentity(): Secret {
  return new Secret(String(ask({ do: 'generate' })))
}

/**
 * Returns the recipient that belongs to an identity.
 *
 * @throws SealError DAMAGED where it is no identity.
 */
export function recipientOf(identity: Secret): string {
  try {
    return String(ask({ do: 'recipient', identity: identity.reveal() }))
  } catch {
    throw new SealError('DAMAGED', 'this is no identity of age')
  }
}

let worker: Call | undefined

function ask(job: AgeJob): unknown {
  worker ??= startWorker(new URL('./age-worker.ts', import.meta.url))
  return worker(job)
}

/** YAML may indent a block, and editors leave blanks at the ends of lines. */
function tidy(armoured: string): string {
  return `${armoured
    .trim()
    .split('\n')
    .map(line => line.trim())
    .join('\n')}\n`
}

/** The header's lines are text, whatever the body is. */
function headerOf(sealed: string): string {
  if (!sealed.trimStart().startsWith(ARMOUR)) return sealed.slice(0, 4096)
  return Buffer.from(sealed.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
    .toString('latin1')
    .slice(0, 4096)
}
