import { existsSync, readFileSync } from 'node:fs'
import { UsageError } from '../base/error.ts'
import { plural } from '../report/quantity.ts'
import { newIdentity, recipientOf, sealAge } from '../secrets/age.ts'
import { holdsSealedValues, resealValues } from '../secrets/inline.ts'
import { identitiesIn, RECIPIENTS_FILE, recipientsIn } from '../secrets/key-files.ts'
import type { Keyring } from '../secrets/keyring.ts'
import { replaceFile } from '../secrets/replace-file.ts'
import { SealError } from '../secrets/seal-error.ts'
import { openKeyring, usualIdentityFiles } from './keys.ts'
import type { KeyFlags } from './options.ts'
import { projectFiles } from './project-files.ts'

/** Makes an identity where there is none, and makes its recipient one of the project. Returns what to say. */
export function initSecrets(file: string | undefined, env: NodeJS.ProcessEnv): string {
  const place = file ?? usualIdentityFiles(env)[0]
  const isNew = !existsSync(place)
  const [identity] = isNew
    ? [newIdentity()]
    : identitiesIn(place, sealed => openKeyring({}, env).open(sealed))
  if (identity === undefined) return ''
  const recipient = recipientOf(identity)
  if (isNew) replaceFile(place, `# recipient: ${recipient}\n${identity.reveal()}\n`, 0o600)
  const known = recipientsIn(RECIPIENTS_FILE)
  if (!known.includes(recipient)) appendRecipient(recipient, env['USER'])
  return [
    `identity:   ${place}${isNew ? ' (new; keep a copy where it survives this machine)' : ''}`,
    `recipient:  ${recipient}`,
    `recipients: ${RECIPIENTS_FILE}${known.includes(recipient) ? '' : ' (added)'}`,
    ...(known.length > 0 && !known.includes(recipient)
      ? [
          `${plural(known.length, 'recipient')} before you: let one of them run \`msingi secrets rekey\` for you to open what is there`,
        ]
      : []),
    '',
  ].join('\n')
}

/**
 * Adds a recipient and encrypts everything anew.
 *
 * @throws UsageError BAD_ARGUMENT where it is none.
 */
export function addRecipient(recipient: string, remark: string | undefined, flags: KeyFlags): string {
  try {
    sealAge('', { recipients: [recipient] })
  } catch {
    throw new UsageError('BAD_ARGUMENT', `\`${recipient}\` is no recipient of age`, 'it begins with `age1`')
  }
  if (recipientsIn(RECIPIENTS_FILE).includes(recipient)) return `it is a recipient already\n`
  const keyring = openKeyring(flags, process.env)
  const files = sealedFiles(['.'])
  const recipients = [...recipientsIn(RECIPIENTS_FILE), recipient]
  const fresh = resealed(files, recipients, keyring)
  appendRecipient(recipient, remark)
  for (const [file, text] of fresh) replaceFile(file, text)
  return `added; ${plural(files.length, 'file')} encrypted anew\n`
}

/** Encrypts everything anew for the recipients there are now; what cannot be opened stops it before anything is written. */
export function rekey(paths: readonly string[], flags: KeyFlags): string {
  const files = sealedFiles(paths)
  const fresh = resealed(files, requireRecipients(), openKeyring(flags, process.env))
  for (const [file, text] of fresh) replaceFile(file, text)
  return `${plural(files.length, 'file')} encrypted anew\n`
}

/**
 * Returns for whom the secrets of this project are encrypted.
 *
 * @throws UsageError BAD_ARGUMENT where nobody is named.
 */
export function requireRecipients(): readonly string[] {
  const recipients = recipientsIn(RECIPIENTS_FILE)
  if (recipients.length > 0) return recipients
  throw new UsageError(
    'BAD_ARGUMENT',
    `there is no recipient in \`${RECIPIENTS_FILE}\``,
    'run `msingi secrets init` here',
  )
}

function appendRecipient(recipient: string, remark: string | undefined): void {
  const before = existsSync(RECIPIENTS_FILE)
    ? readFileSync(RECIPIENTS_FILE, 'utf8').trimEnd()
    : '# Who can open the secrets of this project, one recipient of age a line. After a change: msingi secrets rekey'
  const note = remark === undefined ? '' : `# ${remark.replaceAll('\n', ' ')}\n`
  replaceFile(RECIPIENTS_FILE, `${before}\n${note}${recipient}\n`)
}

/** Files that age encrypted, whole or in part. */
function sealedFiles(paths: readonly string[]): readonly string[] {
  return projectFiles(paths).filter(file => {
    const text = readFileSync(file, 'utf8')
    return isWhole(text) || (/\.ya?ml$/.test(file) && /!age\b/.test(text) && holdsSealedValues(text))
  })
}

function isWhole(text: string): boolean {
  return text.trimStart().startsWith('-----BEGIN AGE ENCRYPTED FILE-----')
}

function resealed(
  files: readonly string[],
  recipients: readonly string[],
  keyring: Keyring,
): readonly (readonly [file: string, text: string])[] {
  return files.map(file => {
    const text = readFileSync(file, 'utf8')
    const reseal = (sealed: string): string => sealAge(openOf(file, sealed, keyring), { recipients })
    return [file, isWhole(text) ? reseal(text) : resealValues(text, reseal)]
  })
}

/** @throws UsageError BAD_IDENTITY where it does not open. */
export function openOf(file: string, sealed: string, keyring: Keyring): string {
  try {
    return keyring.open(sealed)
  } catch (error) {
    if (!(error instanceof SealError)) throw error
    throw new UsageError(
      'BAD_IDENTITY',
      `\`${file}\` does not open: ${error.message}`,
      'give its key with --identity or --vault-password-file',
    )
  }
}
