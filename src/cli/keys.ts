import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { SourceError, UsageError } from '../base/error.ts'
import { Secret } from '../base/secret.ts'
import type { Span } from '../base/span.ts'
import type { VaultPassword } from '../secrets/ansible-vault.ts'
import { identitiesIn, printedBy, vaultPasswordIn } from '../secrets/key-files.ts'
import { Keyring } from '../secrets/keyring.ts'
import { SealError } from '../secrets/seal-error.ts'
import type { Unsealing } from '../syntax/sealed.ts'
import { askNow } from './ask-now.ts'
import type { KeyFlags } from './options.ts'

/**
 * Returns what opens encrypted files and values: keys from options, the environment, and the usual places.
 *
 * @throws UsageError BAD_IDENTITY where a file that is named is not there.
 */
export function openKeyring(flags: KeyFlags, env: NodeJS.ProcessEnv): Keyring {
  for (const file of [...(flags.identity ?? []), ...(flags.vaultPasswordFile ?? [])]) {
    if (existsSync(file)) continue
    throw new UsageError('BAD_IDENTITY', `there is no file \`${file}\``, 'correct the path')
  }
  const variables = takeSecrets(env)
  const keyring: Keyring = new Keyring({
    identities: () => [
      ...identityFiles(flags, env).flatMap(file => identitiesIn(file, sealed => keyring.open(sealed))),
      ...identitiesGiven(variables),
    ],
    passphrases: () => given(variables, 'MSINGI_AGE_PASSPHRASE'),
    vaultPasswords: () => vaultPasswords(flags, env),
    ask: what => askNow(`${what}: `),
  })
  return keyring
}

/** Variables that hold a key themselves, or a way to one. */
const SECRET_VARIABLES = ['MSINGI_AGE_IDENTITY', 'MSINGI_AGE_PASSPHRASE', 'SOPS_AGE_KEY'] as const
type Variables = ReadonlyMap<string, string>

const taken = new Map<string, string>()

/** Takes the keys out of the environment, so that no program that is started later inherits them. */
function takeSecrets(env: NodeJS.ProcessEnv): Variables {
  const found = new Map(env === process.env ? taken : [])
  for (const name of SECRET_VARIABLES) {
    const value = env[name]
    if (value) found.set(name, value)
    if (env !== process.env) continue
    if (value) taken.set(name, value)
    delete env[name]
  }
  const command = env['MSINGI_AGE_IDENTITY_COMMAND']
  if (command) found.set('MSINGI_AGE_IDENTITY_COMMAND', command)
  return found
}

function identityFiles({ identity = [] }: KeyFlags, env: NodeJS.ProcessEnv): readonly string[] {
  const named = [...identity, ...(env['MSINGI_IDENTITY_FILE']?.split(':') ?? [])].filter(Boolean)
  return [...named, ...usualIdentityFiles(env).filter(file => existsSync(file))]
}

/** Returns where identities lie where nothing else is said: our own, and the one of sops. */
export function usualIdentityFiles(env: NodeJS.ProcessEnv): readonly [string, ...string[]] {
  const config = env['XDG_CONFIG_HOME'] ?? join(env['HOME'] ?? homedir(), '.config')
  const ofSops = env['SOPS_AGE_KEY_FILE'] ?? join(config, 'sops', 'age', 'keys.txt')
  return [join(config, 'msingi', 'identity.txt'), ofSops]
}

function identitiesGiven(variables: Variables): readonly Secret[] {
  const command = variables.get('MSINGI_AGE_IDENTITY_COMMAND')
  const printed = command === undefined ? [] : [new Secret(printedBy('sh', ['-c', command]))]
  const texts = [...given(variables, 'MSINGI_AGE_IDENTITY'), ...given(variables, 'SOPS_AGE_KEY'), ...printed]
  return texts.flatMap(text => {
    const lines = text
      .reveal()
      .split('\n')
      .filter(line => line.startsWith('AGE-SECRET-KEY-'))
    if (lines.length > 0) return lines.map(line => new Secret(line.trim()))
    throw new UsageError(
      'BAD_IDENTITY',
      'the environment gives something that is no identity of age',
      'look at MSINGI_AGE_IDENTITY, MSINGI_AGE_IDENTITY_COMMAND and SOPS_AGE_KEY: `AGE-SECRET-KEY-1…`',
    )
  })
}

function given(variables: Variables, name: string): readonly Secret[] {
  const value = variables.get(name)
  return value === undefined ? [] : [new Secret(value)]
}

function vaultPasswords({ vaultPasswordFile = [], vaultId = [] }: KeyFlags, env: NodeJS.ProcessEnv) {
  const named = vaultId.map((word): VaultPassword => {
    const [, id = 'default', file = ''] = /^(?:([^@]*)@)?(.+)$/.exec(word) ?? []
    const password = file === 'prompt' ? askNow(`vault password (${id}): `) : vaultPasswordIn(file)
    if (password !== undefined) return { id, password }
    throw new UsageError('BAD_IDENTITY', `there is no terminal to ask for the vault password \`${id}\` at`)
  })
  const files = [
    ...vaultPasswordFile,
    env['MSINGI_VAULT_PASSWORD_FILE'] ?? env['ANSIBLE_VAULT_PASSWORD_FILE'],
  ]
  const plain = files.flatMap(file =>
    file ? [{ id: 'default', password: vaultPasswordIn(file) } satisfies VaultPassword] : [],
  )
  return [...named, ...plain]
}

/**
 * Returns how the files of a project are opened.
 *
 * @param mayStayLocked - values that no key opens stay shut, for commands that only look at the texts
 */
export function unsealing(keyring: Keyring, mayStayLocked: boolean): Unsealing {
  return {
    whole: (text, at) => (keyring.isSealed(text) ? opened(at, () => keyring.open(text)) : undefined),
    value: (text, at) => {
      try {
        return keyring.open(text)
      } catch (error) {
        if (mayStayLocked && error instanceof SealError && error.code === 'LOCKED') return ''
        throw problem(error, at)
      }
    },
    values: (leaves, metadata, at) => opened(at, () => keyring.openSops(leaves, metadata)),
    keep: value => keyring.keep(value),
  }
}

function opened<T>(at: Span, open: () => T): T {
  try {
    return open()
  } catch (error) {
    throw problem(error, at)
  }
}

function problem(error: unknown, at: Span): unknown {
  if (!(error instanceof SealError)) return error
  return error.code === 'LOCKED'
    ? new SourceError('SECRET_LOCKED', at, `this is encrypted, and ${error.message}`, {
        hint: 'Give the key: `--identity FILE`, or `--vault-password-file FILE` for ansible-vault.',
      })
    : new SourceError('SECRET_DAMAGED', at, `this is encrypted and cannot be opened: ${error.message}`, {
        hint: 'Take the last good version out of version control.',
      })
}
