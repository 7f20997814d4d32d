import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { UsageError } from '../base/error.ts'
import { Secret } from '../base/secret.ts'
import { isAge } from './age.ts'

/** The project's file of recipients, one a line; `age -R` reads it as well. */
export const RECIPIENTS_FILE = 'secrets/recipients.txt'

/**
 * Returns the identities in a file of age's form: one a line, `#` begins a remark.
 *
 * @param open - opens a file that is itself encrypted with a passphrase
 * @throws UsageError BAD_IDENTITY where the file cannot be read, others can read it, or it holds no identity.
 */
export function identitiesIn(file: string, open: (sealed: string) => string): readonly Secret[] {
  const text = readKeyFile(file, 'identity')
  const lines = linesOf(isAge(text) ? open(text) : text)
  const wrong = lines.find(line => !line.startsWith('AGE-SECRET-KEY-'))
  if (wrong !== undefined || lines.length === 0) {
    const hint = lines.some(line => line.startsWith('age1'))
      ? 'it holds recipients; name the file with the identity, `AGE-SECRET-KEY-1…`'
      : 'make one with `msingi secrets init`, or with `age-keygen`'
    throw new UsageError('BAD_IDENTITY', `\`${file}\` holds something that is no identity of age`, hint)
  }
  return lines.map(line => new Secret(line))
}

/**
 * Returns the password in a file of ansible-vault, or what the file prints where it is a program; blanks at the ends go.
 *
 * @throws UsageError BAD_IDENTITY where it cannot be had.
 */
export function vaultPasswordIn(file: string): Secret {
  const isProgram = existsSync(file) && (statSync(file).mode & 0o111) !== 0
  const text = isProgram ? printedBy(resolve(file), []) : readKeyFile(file, 'vault password')
  if (text.trim() !== '') return new Secret(text.trim())
  throw new UsageError('BAD_IDENTITY', `the vault password file \`${file}\` gives nothing`)
}

/**
 * Returns what a program prints.
 *
 * @throws UsageError BAD_IDENTITY where it fails; what it printed until then is not told.
 */
export function printedBy(program: string, args: readonly string[]): string {
  const { status, stdout, error } = spawnSync(program, args, {
    encoding: 'utf8',
    stdio: ['inherit', 'pipe', 'inherit'],
  })
  if (status === 0) return stdout
  const why = error ? String(Reflect.get(error, 'code')) : `exit status ${String(status)}`
  throw new UsageError('BAD_IDENTITY', `\`${program}\` did not give a key: ${why}`)
}

/** Returns the recipients of a project, without remarks; none where it has no such file. */
export function recipientsIn(file: string): readonly string[] {
  return existsSync(file) ? linesOf(readFileSync(file, 'utf8')) : []
}

/** @throws UsageError BAD_IDENTITY */
function readKeyFile(file: string, what: string): string {
  try {
    if (what === 'identity' && statSync(file).isFile() && (statSync(file).mode & 0o077) !== 0) {
      throw new UsageError(
        'BAD_IDENTITY',
        `others may read the ${what} file \`${file}\``,
        `run \`chmod 600 ${file}\`; whoever else may have read it, let make a new one`,
      )
    }
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof UsageError) throw error
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    throw new UsageError('BAD_IDENTITY', `the ${what} file \`${file}\` cannot be read: ${why}`)
  }
}

function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'))
}
