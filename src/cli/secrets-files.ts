import { existsSync, readFileSync, rmSync } from 'node:fs'
import { text as allOf } from 'node:stream/consumers'
import { type SourceError, UsageError } from '../base/error.ts'
import { Secret } from '../base/secret.ts'
import { sealAge } from '../secrets/age.ts'
import { sealedEntry } from '../secrets/inline.ts'
import { replaceFile } from '../secrets/replace-file.ts'
import { openSources } from '../syntax/files.ts'
import type { Node } from '../syntax/node.ts'
import { printYaml } from '../syntax/print.ts'
import { ProjectError } from './complain.ts'
import { openKeyring, unsealing } from './keys.ts'
import type { KeyFlags } from './options.ts'
import { askSecret } from './password.ts'
import { openOf, requireRecipients } from './secrets-keys.ts'

/**
 * Returns what a file holds: its text where it is encrypted as a whole, else its values.
 *
 * @throws UsageError BAD_ARGUMENT where nothing in it is encrypted; what opening it throws.
 */
export function viewFile(file: string, flags: KeyFlags): string {
  const { text, isSealed } = openedFile(file, flags)
  if (isSealed) return text
  throw new UsageError('BAD_ARGUMENT', `nothing in \`${file}\` is encrypted`)
}

/**
 * Encrypts a file in place of itself; `x.yml` becomes `x.age.yml`.
 *
 * @throws UsageError BAD_ARGUMENT where that is there already.
 */
export function encryptFile(file: string | undefined, flags: KeyFlags): string {
  if (file === undefined) throw new UsageError('BAD_ARGUMENT', 'no file is named, nor a value with --name')
  const recipients = requireRecipients()
  const { text } = openedFile(file, flags)
  const target = /\.age\.ya?ml$/.test(file) ? file : file.replace(/(\.ya?ml)?$/, '.age$1')
  if (target !== file && existsSync(target))
    throw new UsageError('BAD_ARGUMENT', `\`${target}\` is there already`)
  replaceFile(target, sealAge(text, { recipients }))
  if (target !== file) rmSync(file)
  const hint = 'what version control remembers of the plain file stays readable: change what was in it'
  return `${target}\n${existsSync('.git') ? `${hint}\n` : ''}`
}

/** Returns an entry of YAML with a value that is typed, or comes from stdin; a line break at its end is left out. */
export async function encryptValue(name: string): Promise<string> {
  const recipients = requireRecipients()
  const value = process.stdin.isTTY ? (await askSecret(`${name}: `)).reveal() : await allOf(process.stdin)
  return sealedEntry(name, sealAge(value.replace(/\r?\n$/, ''), { recipients }))
}

/** @throws UsageError BAD_ARGUMENT where the file to write is there. */
export function decryptFile(file: string, out: string, flags: KeyFlags): string {
  if (existsSync(out)) throw new UsageError('BAD_ARGUMENT', `\`${out}\` is there already`)
  replaceFile(out, viewFile(file, flags), 0o600)
  return `${out}\n`
}

function openedFile(file: string, flags: KeyFlags): { readonly text: string; readonly isSealed: boolean } {
  if (!existsSync(file)) throw new UsageError('BAD_ARGUMENT', `there is no file \`${file}\``)
  const text = readFileSync(file, 'utf8')
  const keyring = openKeyring(flags, process.env)
  if (keyring.isSealed(text)) return { text: openOf(file, text, keyring), isSealed: true }
  const problems: SourceError[] = []
  const sources = openSources(unsealing(keyring, false))
  const node = /\.ya?ml$/.test(file) ? sources.parse(file, problem => problems.push(problem)) : undefined
  if (problems.length > 0) throw new ProjectError(problems, sources.textOf)
  return node !== undefined && holdsSecret(node)
    ? { text: printYaml(revealed(node)), isSealed: true }
    : { text, isSealed: false }
}

function holdsSecret(node: Node): boolean {
  if (node.kind === 'scalar') return node.secret !== undefined
  return node.kind === 'list'
    ? node.items.some(holdsSecret)
    : node.entries.some(({ value }) => holdsSecret(value))
}

function revealed(node: Node): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.secret instanceof Secret ? node.secret.reveal() : node.value
    case 'list':
      return node.items.map(revealed)
    case 'map':
      return Object.fromEntries(node.entries.map(({ key, value }) => [String(key.value), revealed(value)]))
  }
}
