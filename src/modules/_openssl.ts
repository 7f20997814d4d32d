import { TaskError } from '../base/error.ts'
import { plainText, Secret } from '../base/secret.ts'
import type { NoKey, PrivateKey } from '../probes/private-key.ts'

/** Stands for what is known only once something is made. */
export const TO_BE_MADE = 'to be made'

/** @throws TaskError with code `OPENSSL_MISSING`. */
export function requireOpenssl(answer: PrivateKey | NoKey | null): void {
  if (answer === null || !('problem' in answer) || answer.problem !== 'missing') return
  throw new TaskError(
    'OPENSSL_MISSING',
    '`openssl` is missing on the host',
    'install the package `openssl` first',
  )
}

/**
 * Returns what is known of the key.
 *
 * @throws TaskError with code `KEY_UNREADABLE` or `OPENSSL_MISSING`.
 */
export function readableKey(path: string, answer: PrivateKey | NoKey | null): PrivateKey {
  requireOpenssl(answer)
  if (answer === null) throw new TaskError('FILE_MISSING', `\`${path}\` is not there`)
  if (!('problem' in answer)) return answer
  const why =
    answer.problem === 'denied'
      ? 'may not be read'
      : answer.problem === 'locked'
        ? 'is locked with another passphrase'
        : 'holds no private key that openssl can read'
  throw new TaskError('KEY_UNREADABLE', `\`${path}\` ${why}`)
}

/** Returns the passphrases as lines for a script's standard input; an unlocked key has an empty one. */
export function passLines(...passphrases: readonly (string | Secret | undefined)[]): Secret | undefined {
  if (passphrases.every(one => one === undefined)) return undefined
  return new Secret(passphrases.map(one => `${plainText(one ?? '')}\n`).join(''))
}
