import type { z } from 'zod'
import { TaskError } from '../base/error.ts'
import { Secret } from '../base/secret.ts'
import type { Luks, LuksAnswer } from '../probes/luks.ts'
import { sh, type Sh } from '../shell/sh.ts'
import { complain, maybeSecret } from './_params.ts'

/** What opens a device: base64 of the key, or the path of a file on the host that holds it. */
export type LuksKeyWish = Secret | string

/** A passphrase; one that is written in the open is kept out of sight all the same. */
export function passphrase() {
  return maybeSecret()
    .transform(value => (value instanceof Secret ? value : new Secret(value)))
    .refine(value => value.reveal() !== '', 'an empty passphrase found')
    .optional()
}

/** Returns the key that is given in one of two ways, and complains where it is given in both. */
export function keyOf(
  given: { readonly passphrase?: Secret | undefined; readonly keyfile?: string | undefined },
  encoding: 'text' | 'base64',
  context: z.RefinementCtx,
  prefix = '',
): LuksKeyWish | undefined {
  const { passphrase: phrase, keyfile } = given
  if (phrase && keyfile !== undefined)
    complain(
      context,
      `${prefix}passphrase`,
      `either \`${prefix}passphrase\` or \`${prefix}keyfile\` expected`,
    )
  if (!phrase) return keyfile
  if (encoding === 'text') return new Secret(Buffer.from(phrase.reveal()).toString('base64'))
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(phrase.reveal()))
    complain(context, `${prefix}passphrase`, 'base64 expected')
  return phrase
}

/** Returns the standard input that hands keys to a script that begins with `KEYS`. */
export function keyInput(
  keys: Readonly<Record<string, LuksKeyWish | undefined>>,
): { stdin: Secret } | object {
  const rows = Object.entries(keys).flatMap(([name, key]) =>
    key instanceof Secret ? [`${name} ${key.reveal()}\n`] : [],
  )
  return rows.length === 0 ? {} : { stdin: new Secret(rows.join('')) }
}

/** Puts the keys of standard input into a private folder of the memory, which goes with the script. */
export const KEYS: Sh = sh`umask 077; k=$(mktemp -d /run/msingi-key.XXXXXX) || exit
trap 'rm -rf -- "$k"' EXIT; trap 'exit 143' HUP INT TERM
while IFS=' ' read -r n b; do printf %s "$b" | base64 -d >"$k/$n" || exit; done`

/** Returns the word that names the file of a key. */
export function keyFile(name: string, key: LuksKeyWish): Sh {
  return typeof key === 'string' ? sh`${key}` : sh`"$k/"${name}`
}

/** @throws TaskError with code `KEY_MISSING`. */
export function requireKey(key: LuksKeyWish | undefined, purpose: string): LuksKeyWish {
  if (key !== undefined) return key
  throw new TaskError('KEY_MISSING', `a key is needed ${purpose}`, 'give `passphrase` or `keyfile`')
}

/** Ways that hang on one machine or on a network: where they fail, only a key that a person holds opens the device. */
const MACHINES = ['systemd-tpm2', 'systemd-fido2', 'systemd-pkcs11', 'clevis']

/**
 * Makes sure that a key that a person can hold stays.
 *
 * @throws TaskError with code `LAST_KEY`.
 */
export function requireKeyLeft(device: string, { keyslots, tokens }: Luks, gone: readonly string[]): void {
  const bound = tokens.filter(({ type }) => MACHINES.includes(type)).flatMap(token => token.keyslots)
  if (keyslots.some(slot => !gone.includes(slot) && !bound.includes(slot))) return
  throw new TaskError(
    'LAST_KEY',
    `without keyslot ${gone.join(', ')}, no passphrase, key file or recovery key would open \`${device}\``,
    'add another key first',
  )
}

/**
 * Makes sure that it is a LUKS2 device.
 *
 * @throws TaskError with code `NOT_LUKS` or `TOOL_MISSING`.
 */
export function requireLuks(device: string, answer: LuksAnswer): Luks {
  if (typeof answer === 'object' && answer.version === 2) return answer
  if (answer === 'missing')
    throw new TaskError('TOOL_MISSING', '`cryptsetup` is not on the host', 'install `cryptsetup-bin`')
  throw new TaskError('NOT_LUKS', `\`${device}\` is no LUKS2 device`, 'make it one with `luks_device`')
}
