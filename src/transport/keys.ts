import { readFile, stat } from 'node:fs/promises'
import type { BaseAgent, ParsedKey, PublicKeyEntry, SignCallback, SigningRequestOptions } from 'ssh2'
import ssh2 from 'ssh2'
import type { Secret } from '../base/secret.ts'
import { fingerprint, keyType } from './known-hosts.ts'

/** Asks a person for something that must not be seen; undefined means that nobody can be asked. */
export type Ask = ((prompt: string) => Promise<Secret>) | undefined

/** Which keys may be offered to a host. Paths are absolute. */
export interface KeyWish {
  /** Named by a person; offered first, in this order. */
  readonly named: readonly string[]
  /** Looked for where no key is named; missing ones are no problem. */
  readonly usual: readonly string[]
  /** Socket of the agent, or undefined for none. */
  readonly agent: string | undefined
  /** Offers of the agent only what is also in `named` (or `usual`). */
  readonly identitiesOnly: boolean
}

/** One key that can be offered. */
export interface Identity {
  /** The file's path, or the comment of the agent's key. */
  readonly origin: string
  readonly from: 'file' | 'agent'
  readonly fingerprint: string
  /** Signs with this key and no other. */
  readonly agent: BaseAgent
}

export interface Offer {
  readonly identities: readonly Identity[]
  /** Why keys were left out, for the message of a failed login. */
  readonly notes: readonly string[]
}

/** The keys of this process: every file is read once, every passphrase asked once. */
export interface Keyring {
  readonly offer: (wish: KeyWish) => Promise<Offer>
  /** How many passphrases were asked for so far. */
  readonly asked: () => number
  /** Resolves when no passphrase is being asked for. */
  readonly settled: () => Promise<void>
}

interface KeyFile {
  readonly path: string
  /** Undefined where nothing can be said of the file without its passphrase. */
  readonly publicKey: ParsedKey | undefined
  /** Undefined for a file that holds only a public key. */
  readonly unlock: (() => Promise<ParsedKey>) | undefined
}

type Loaded = KeyFile | { readonly path: string; readonly problem: string }

const TRIES_FOR_PASSPHRASE = 3

export function makeKeyring(ask: Ask): Keyring {
  const files = new Map<string, Promise<Loaded>>()
  let prompts: Promise<unknown> = Promise.resolve()
  let asked = 0

  function askInTurn(prompt: string): Promise<Secret> {
    if (ask === undefined) {
      return Promise.reject(new Error('its passphrase is needed and nobody can be asked'))
    }
    asked++
    const answer = prompts.then(() => ask(prompt))
    prompts = answer.catch(() => undefined)
    return answer
  }

  function load(path: string): Promise<Loaded> {
    const loaded = files.get(path) ?? loadKey(path, askInTurn)
    files.set(path, loaded)
    return loaded
  }

  return {
    offer: async wish => makeOffer(wish, await Promise.all(pathsOf(wish).map(load))),
    asked: () => asked,
    settled: async () => {
      await prompts
    },
  }
}

function pathsOf({ named, usual }: KeyWish): readonly string[] {
  return [...new Set(named.length > 0 ? named : usual)]
}

/** Named keys come first, because a hardened sshd hangs up after two wrong ones; an agent may hold many. */
async function makeOffer(wish: KeyWish, loaded: readonly Loaded[]): Promise<Offer> {
  const notes: string[] = []
  const files: KeyFile[] = []
  for (const file of loaded) {
    if (!('problem' in file)) files.push(file)
    else if (file.problem !== 'missing' || wish.named.length > 0) {
      notes.push(`${file.path}: ${file.problem === 'missing' ? 'no such file' : file.problem}`)
    }
  }
  const held = wish.agent === undefined ? [] : await agentKeys(wish.agent, notes)
  const fromFiles = (await Promise.all(files.map(file => offerFile(file, held, notes)))).filter(
    identity => identity !== undefined,
  )
  const ofFiles = new Set(fromFiles.map(identity => identity.fingerprint))
  const others = wish.identitiesOnly ? [] : held.filter(identity => !ofFiles.has(identity.fingerprint))
  const identities = wish.named.length > 0 ? [...fromFiles, ...others] : [...others, ...fromFiles]
  return { identities, notes }
}

/** The agent signs for a file's key where it holds it, so that no passphrase is asked for. */
async function offerFile(
  file: KeyFile,
  held: readonly Identity[],
  notes: string[],
): Promise<Identity | undefined> {
  try {
    const publicKey = file.publicKey ?? (await file.unlock?.())
    if (publicKey === undefined) return undefined
    const print = fingerprint(publicKey.getPublicSSH())
    const inAgent = held.find(identity => identity.fingerprint === print)
    if (inAgent) return { ...inAgent, origin: file.path, from: 'file' }
    if (file.unlock === undefined) {
      notes.push(`${file.path}: a public key whose private key is not in the agent`)
      return undefined
    }
    return { origin: file.path, from: 'file', fingerprint: print, agent: new OneKey(publicKey, file.unlock) }
  } catch (error) {
    notes.push(`${file.path}: ${messageOf(error)}`)
    return undefined
  }
}

function agentKeys(socket: string, notes: string[]): Promise<readonly Identity[]> {
  const agent = new ssh2.OpenSSHAgent(socket)
  return new Promise(resolve => {
    agent.getIdentities((error, keys) => {
      if (error) notes.push(`the agent at ${socket}: ${error.message}`)
      resolve(
        (keys ?? []).flatMap(asParsed).map(key => ({
          origin: key.comment === '' ? 'key of the agent' : key.comment,
          from: 'agent',
          fingerprint: fingerprint(key.getPublicSSH()),
          agent: new OneAgentKey(agent, key),
        })),
      )
    })
  })
}

function asParsed(key: ParsedKey | PublicKeyEntry): readonly ParsedKey[] {
  return 'getPublicSSH' in key ? [key] : []
}

async function loadKey(path: string, ask: (prompt: string) => Promise<Secret>): Promise<Loaded> {
  try {
    const bytes = await readFile(path)
    const parsed = parse(bytes)
    if (!(parsed instanceof Error) && !parsed.isPrivateKey()) {
      return { path, publicKey: parsed, unlock: undefined }
    }
    const { mode, uid } = await stat(path)
    if ((mode & 0o077) !== 0 && uid === process.getuid?.()) {
      return { path, problem: `other users may read it, run \`chmod 600 ${path}\`` }
    }
    if (!(parsed instanceof Error)) return { path, publicKey: parsed, unlock: () => Promise.resolve(parsed) }
    if (!/encrypted/i.test(parsed.message)) return { path, problem: parsed.message }
    let unlocked: Promise<ParsedKey> | undefined
    const unlock = (): Promise<ParsedKey> => (unlocked ??= decrypt(path, bytes, ask))
    return { path, publicKey: publicPart(bytes) ?? (await publicFile(path)), unlock }
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    return { path, problem: missing ? 'missing' : messageOf(error) }
  }
}

async function decrypt(
  path: string,
  bytes: Buffer,
  ask: (prompt: string) => Promise<Secret>,
): Promise<ParsedKey> {
  for (let tries = 0; tries < TRIES_FOR_PASSPHRASE; tries++) {
    const passphrase = await ask(`passphrase of ${path}`)
    const parsed = parse(bytes, passphrase.reveal())
    if (!(parsed instanceof Error)) return parsed
  }
  throw new Error(`the passphrase was wrong ${TRIES_FOR_PASSPHRASE} times`)
}

function parse(bytes: Buffer | string, passphrase?: string): ParsedKey | Error {
  const parsed = ssh2.utils.parseKey(bytes, passphrase)
  return Array.isArray(parsed) ? (parsed[0] ?? new Error('no key in the file')) : parsed
}

/** An encrypted key in OpenSSH's own format still tells its public half. */
function publicPart(bytes: Buffer): ParsedKey | undefined {
  const armoured = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/.exec(
    bytes.toString('latin1'),
  )
  if (armoured?.[1] === undefined) return undefined
  const body = Buffer.from(armoured[1], 'base64')
  let at = 'openssh-key-v1\0'.length
  for (let skipped = 0; skipped < 3; skipped++) at += 4 + body.readUInt32BE(at)
  at += 4
  return fromBlob(body.subarray(at + 4, at + 4 + body.readUInt32BE(at)))
}

async function publicFile(path: string): Promise<ParsedKey | undefined> {
  const text = await readFile(`${path}.pub`, 'utf8').catch(() => '')
  const parsed = parse(text)
  return parsed instanceof Error ? undefined : parsed
}

function fromBlob(blob: Buffer): ParsedKey | undefined {
  const parsed = parse(`${keyType(blob) ?? ''} ${blob.toString('base64')}`)
  return parsed instanceof Error ? undefined : parsed
}

/** Lets ssh2 offer a key of which only the public half is at hand; the private one is opened when the host accepts it. */
class OneKey extends ssh2.BaseAgent<ParsedKey> {
  readonly #publicKey: ParsedKey
  readonly #unlock: () => Promise<ParsedKey>

  constructor(publicKey: ParsedKey, unlock: () => Promise<ParsedKey>) {
    super()
    this.#publicKey = publicKey
    this.#unlock = unlock
  }

  override getIdentities(done: (error: undefined, keys: ParsedKey[]) => void): void {
    done(undefined, [this.#publicKey])
  }

  override sign(
    _key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    done?: SignCallback,
  ): void {
    const answer = typeof options === 'function' ? options : done
    const hash = typeof options === 'function' ? undefined : options.hash
    this.#unlock().then(
      key => answer?.(undefined, key.sign(data, hash)),
      (error: unknown) => answer?.(error instanceof Error ? error : new Error(messageOf(error))),
    )
  }
}

class OneAgentKey extends ssh2.BaseAgent<ParsedKey> {
  readonly #agent: BaseAgent<ParsedKey>
  readonly #key: ParsedKey

  constructor(agent: BaseAgent<ParsedKey>, key: ParsedKey) {
    super()
    this.#agent = agent
    this.#key = key
  }

  override getIdentities(done: (error: undefined, keys: ParsedKey[]) => void): void {
    done(undefined, [this.#key])
  }

  override sign(
    key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    done?: SignCallback,
  ): void {
    if (typeof options === 'function') this.#agent.sign(key, data, options)
    else this.#agent.sign(key, data, options, done)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
