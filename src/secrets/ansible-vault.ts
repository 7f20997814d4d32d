import { createDecipheriv, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import type { Secret } from '../base/secret.ts'
import { SealError } from './seal-error.ts'

const ITERATIONS = 10_000
const KEY_BYTES = 32
const IV_BYTES = 16

/** A password of ansible-vault and the id it goes by. */
export interface VaultPassword {
  readonly id: string
  readonly password: Secret
}

/** Tells whether a text is encrypted with ansible-vault. */
export function isVault(text: string): boolean {
  return text.trimStart().startsWith('$ANSIBLE_VAULT;')
}

/**
 * Returns the text that ansible-vault sealed, in format 1.1 or 1.2: AES-256-CTR, with keys from PBKDF2-HMAC-SHA256.
 * The password whose id the text names is tried first, then all others.
 *
 * @throws SealError LOCKED where no password opens it, DAMAGED where it is of another format.
 */
export function openVault(sealed: string, passwords: readonly VaultPassword[]): string {
  const [header = '', ...body] = sealed.trim().split('\n')
  const [, version, cipher, id] = header.trim().split(';')
  if ((version !== '1.1' && version !== '1.2') || cipher !== 'AES256')
    throw new SealError('DAMAGED', `\`${header.trim()}\` is not of version 1.1 or 1.2 with AES256`)
  const parts = partsOf(body.map(line => line.trim()).join(''))
  const named = passwords.filter(password => password.id === id)
  for (const { password } of [...named, ...passwords.filter(other => !named.includes(other))]) {
    const text = decrypted(parts, password)
    if (text !== undefined) return text
  }
  const whose = id === undefined ? '' : ` (its vault id is \`${id}\`)`
  throw new SealError('LOCKED', `no vault password at hand opens it${whose}`)
}

interface Parts {
  readonly salt: Buffer
  readonly sum: Buffer
  readonly data: Buffer
}

/** The body is hexadecimal; inside, three lines of hexadecimal once more. */
function partsOf(hex: string): Parts {
  const [salt = '', sum = '', data = ''] = Buffer.from(hex, 'hex').toString('latin1').split('\n')
  const isWhole = [hex, salt, sum, data].every(part => /^(?:[0-9a-f]{2})+$/i.test(part))
  if (!isWhole || sum.length !== 2 * KEY_BYTES) throw new SealError('DAMAGED', 'it is cut off or altered')
  return {
    salt: Buffer.from(salt, 'hex'),
    sum: Buffer.from(sum, 'hex'),
    data: Buffer.from(data, 'hex'),
  }
}

function decrypted({ salt, sum, data }: Parts, password: Secret): string | undefined {
  const derived = pbkdf2Sync(password.reveal(), salt, ITERATIONS, 2 * KEY_BYTES + IV_BYTES, 'sha256')
  const macKey = derived.subarray(KEY_BYTES, 2 * KEY_BYTES)
  if (!timingSafeEqual(createHmac('sha256', macKey).update(data).digest(), sum)) return undefined
  const decipher = createDecipheriv(
    'aes-256-ctr',
    derived.subarray(0, KEY_BYTES),
    derived.subarray(2 * KEY_BYTES),
  )
  const padded = Buffer.concat([decipher.update(data), decipher.final()])
  return padded.subarray(0, padded.length - (padded.at(-1) ?? 0)).toString('utf8')
}
