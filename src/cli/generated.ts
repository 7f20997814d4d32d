import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SourceError, TaskError } from '../base/error.ts'
import type { Secret } from '../base/secret.ts'
import type { WantedSecret } from '../plan/wanted-secret.ts'
import { sealAge } from '../secrets/age.ts'
import { RECIPIENTS_FILE, recipientsIn } from '../secrets/key-files.ts'
import type { Keyring } from '../secrets/keyring.ts'
import { randomText, randomWords } from '../secrets/random-text.ts'
import { replaceFile } from '../secrets/replace-file.ts'
import { SealError } from '../secrets/seal-error.ts'
import { plain } from '../syntax/node.ts'
import { parseYaml } from '../syntax/parse.ts'
import { printYaml } from '../syntax/print.ts'
import { takeLock } from './inventory-lock.ts'

const FOLDER = 'secrets'
const PATIENCE_MS = 60_000

/** The secrets of one file: those of roles, by the name of the parameter. */
type Kept = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/**
 * Returns the secrets that roles declare with `generate`: made once, and then for ever the same. They lie encrypted in
 * `secrets/HOST.age.yml`, or `secrets/all.age.yml` where all hosts share one.
 *
 * @param mayMake - false where nothing is written: what is not there yet stays undefined
 * @param say - told of each secret that is made, or would be
 * @returns A function that throws TaskError where the file does not open or nobody is there to encrypt for.
 */
export function generatedSecrets(
  keyring: Keyring,
  mayMake: boolean,
  say: (message: string) => void,
): (wanted: WantedSecret) => Secret | undefined {
  const known = new Map<string, Secret>()
  const told = new Set<string>()
  return wanted => {
    const file = fileOf(wanted)
    const id = `${file} ${wanted.role}.${wanted.param}`
    const found =
      known.get(id) ?? find(file, wanted, keyring) ?? (mayMake ? make(file, wanted, keyring, say) : undefined)
    if (found !== undefined) known.set(id, found)
    else if (!told.has(id)) say(`the secret \`${wanted.role}.${wanted.param}\` would be made, in ${file}`)
    told.add(id)
    return found
  }
}

function fileOf({ host, generate }: WantedSecret): string {
  const name = generate.per === 'project' ? 'all' : host
  if (/^[\w.-]+$/.test(name) && !name.startsWith('.')) return join(FOLDER, `${name}.age.yml`)
  throw new TaskError('SECRET_UNUSABLE', `\`${name}\` cannot be the name of a file in \`${FOLDER}/\``)
}

function find(file: string, { role, param }: WantedSecret, keyring: Keyring): Secret | undefined {
  const value = read(file, keyring)[role]?.[param]
  return typeof value === 'string' || typeof value === 'number' ? keyring.keep(String(value)) : undefined
}

function read(file: string, keyring: Keyring): Kept {
  if (!existsSync(file)) return {}
  try {
    const node = parseYaml(keyring.open(readFileSync(file, 'utf8')), file, problem => {
      throw problem
    })
    return node === undefined ? {} : (plain(node) as Kept)
  } catch (error) {
    if (!(error instanceof SealError) && !(error instanceof SourceError)) throw error
    const why = error instanceof SealError ? error.message : 'what is in it is no YAML'
    throw new TaskError(
      'SECRET_UNUSABLE',
      `\`${file}\` does not open: ${why}`,
      'give its key with --identity',
    )
  }
}

/** Whoever has the lock looks once more: another process may have made it in the meantime. */
function make(file: string, wanted: WantedSecret, keyring: Keyring, say: (message: string) => void): Secret {
  const recipients = recipientsIn(RECIPIENTS_FILE)
  if (recipients.length === 0) {
    throw new TaskError(
      'SECRET_UNUSABLE',
      `\`${wanted.role}.${wanted.param}\` is to be made, and \`${RECIPIENTS_FILE}\` names nobody to encrypt it for`,
      'run `msingi secrets init` here, and add the file to version control',
    )
  }
  return locked(join('.msingi', 'locks', 'secrets'), () => {
    const other = find(file, wanted, keyring)
    if (other !== undefined) return other
    const { words, length, alphabet } = wanted.generate
    const fresh = words === undefined ? randomText(length, alphabet) : randomWords(words)
    const kept = read(file, keyring)
    const all: Kept = {
      ...kept,
      [wanted.role]: { ...kept[wanted.role], [wanted.param]: fresh.reveal() },
    }
    replaceFile(file, sealAge(printYaml(all), { recipients }))
    say(`made the secret \`${wanted.role}.${wanted.param}\`, in ${file}; keep that file in version control`)
    return keyring.keep(fresh.reveal())
  })
}

function locked<T>(lock: string, work: () => T): T {
  const end = performance.now() + PATIENCE_MS
  mkdirSync(join(lock, '..'), { recursive: true })
  for (let owner = takeLock(lock); owner !== undefined; owner = takeLock(lock)) {
    if (performance.now() > end)
      throw new TaskError(
        'SECRET_UNUSABLE',
        `process ${owner.pid} holds \`${lock}\` and does not give it back`,
      )
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
  }
  try {
    return work()
  } finally {
    rmSync(lock, { force: true })
  }
}
