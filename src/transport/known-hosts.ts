import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { matchList, matchPattern } from './host-pattern.ts'

/** One usable line of a known_hosts file. */
export interface KnownHost {
  readonly file: string
  readonly line: number
  readonly marker: 'none' | 'cert-authority' | 'revoked'
  readonly names: Names
  readonly type: string
  /** The key as it travels, type included. */
  readonly key: Buffer
}

type Names =
  | { readonly kind: 'patterns'; readonly list: readonly string[] }
  | { readonly kind: 'hash'; readonly salt: Buffer; readonly digest: Buffer }

/** Under which name a host is looked up. */
export interface KnownName {
  readonly host: string
  readonly port: number
  /** Replaces host and port, as `HostKeyAlias` does. */
  readonly alias?: string | undefined
}

/** What the known_hosts files say of a key that a host presented. */
export type Verdict =
  | { readonly is: 'match'; readonly by: KnownHost }
  /** Other keys are known for this host, this one is not. */
  | { readonly is: 'changed'; readonly known: readonly KnownHost[] }
  | { readonly is: 'revoked'; readonly by: KnownHost }
  /** No key is known, but a certificate of one of these authorities would do. */
  | { readonly is: 'ca'; readonly authorities: readonly KnownHost[] }
  | { readonly is: 'unknown' }

const DEFAULT_PORT = 22

/**
 * Returns the usable lines of a known_hosts file. Lines that cannot be read are left out, as OpenSSH does;
 * leaving one out can only make a host unknown, never trusted.
 */
export function parseKnownHosts(text: string, file: string): readonly KnownHost[] {
  const known: KnownHost[] = []
  text.split('\n').forEach((line, index) => {
    const entry = parseLine(line.trim(), file, index + 1)
    if (entry) known.push(entry)
  })
  return known
}

function parseLine(text: string, file: string, line: number): KnownHost | undefined {
  if (text === '' || text.startsWith('#')) return undefined
  const words = text.split(/[ \t]+/)
  const marker = words[0]?.startsWith('@') === true ? words.shift() : undefined
  if (marker !== undefined && marker !== '@cert-authority' && marker !== '@revoked') return undefined
  const [nameWord, type, base64] = words
  if (nameWord === undefined || type === undefined || base64 === undefined) return undefined
  const names = parseNames(nameWord)
  const key = Buffer.from(base64, 'base64')
  if (names === undefined || keyType(key) !== type) return undefined
  return { file, line, marker: markerOf(marker), names, type, key }
}

function markerOf(word: string | undefined): KnownHost['marker'] {
  if (word === '@cert-authority') return 'cert-authority'
  return word === '@revoked' ? 'revoked' : 'none'
}

function parseNames(word: string): Names | undefined {
  if (!word.startsWith('|')) return { kind: 'patterns', list: word.toLowerCase().split(',') }
  const [, magic, salt, digest] = word.split('|')
  if (magic !== '1' || salt === undefined || digest === undefined) return undefined
  return { kind: 'hash', salt: Buffer.from(salt, 'base64'), digest: Buffer.from(digest, 'base64') }
}

/**
 * Returns what is known of this key for this host. A revoked key stays revoked whatever else is said of it.
 * A host on an unusual port also matches by its plain name, but only where the key is the very same.
 */
export function judge(known: readonly KnownHost[], name: KnownName, key: Buffer): Verdict {
  const about = known.filter(entry => speaksOf(entry, lookupName(name)))
  const plain = known.filter(entry => name.alias === undefined && speaksOf(entry, name.host))
  const sameKey = (entry: KnownHost): boolean => entry.key.equals(key)

  const revoked = [...about, ...plain].find(entry => entry.marker === 'revoked' && sameKey(entry))
  if (revoked) return { is: 'revoked', by: revoked }
  const match = [...about, ...plain].find(entry => entry.marker === 'none' && sameKey(entry))
  if (match) return { is: 'match', by: match }
  const others = about.filter(entry => entry.marker === 'none')
  if (others.length > 0) return { is: 'changed', known: others }
  const authorities = about.filter(entry => entry.marker === 'cert-authority')
  return authorities.length > 0 ? { is: 'ca', authorities } : { is: 'unknown' }
}

/** Returns the entries with that marker which speak of the host, under its port-qualified name. */
export function entriesFor(
  known: readonly KnownHost[],
  name: KnownName,
  marker: KnownHost['marker'],
): readonly KnownHost[] {
  return known.filter(entry => entry.marker === marker && speaksOf(entry, lookupName(name)))
}

/** Returns the name under which known_hosts files list a host: `[host]:port` unless the port is 22. */
export function lookupName({ host, port, alias }: KnownName): string {
  if (alias !== undefined) return alias.toLowerCase()
  const lower = host.toLowerCase()
  return port === DEFAULT_PORT ? lower : `[${lower}]:${port}`
}

function speaksOf({ names }: KnownHost, name: string): boolean {
  const lower = name.toLowerCase()
  if (names.kind === 'patterns') return matchList(names.list, pattern => matchPattern(pattern, lower))
  const digest = createHmac('sha1', names.salt).update(lower).digest()
  return digest.length === names.digest.length && timingSafeEqual(digest, names.digest)
}

/** Returns the type that a key names itself, such as `ssh-ed25519`; undefined where the bytes are no key. */
export function keyType(key: Buffer): string | undefined {
  if (key.length < 8) return undefined
  const length = key.readUInt32BE(0)
  if (length === 0 || length > 64 || key.length < 4 + length) return undefined
  return key.toString('latin1', 4, 4 + length)
}

/** Returns `SHA256:…` as `ssh-keygen -l` prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** Returns whether a pin of the inventory, `SHA256:…` or `ssh-ed25519 AAAA…`, names this key. */
export function pinMatches(pin: string, key: Buffer): boolean {
  const words = pin.trim().split(/\s+/)
  const first = words[0] ?? ''
  if (first.startsWith('SHA256:')) return first.replace(/=+$/, '') === fingerprint(key)
  return first === keyType(key) && Buffer.from(words[1] ?? '', 'base64').equals(key)
}

/**
 * Returns the line that makes a key known, without a line end. With a salt of 20 random bytes the host's name is
 * hashed, so that the file does not tell which hosts exist.
 */
export function trustLine(name: KnownName, key: Buffer, salt?: Buffer): string {
  const plain = lookupName(name)
  return `${salt === undefined ? plain : hashName(plain, salt)} ${keyType(key) ?? ''} ${key.toString('base64')}`
}

/**
 * Returns the text of a known_hosts file in which these keys are known for the host. With `replace`, lines that name
 * other keys for it go away; a line that names further hosts keeps them. Revoked keys and authorities always stay.
 */
export function pinKeys(
  text: string,
  name: KnownName,
  keys: readonly Buffer[],
  { replace, salt }: { readonly replace: boolean; readonly salt?: () => Buffer },
): string {
  const wanted = lookupName(name)
  const kept = replace ? text.split('\n').flatMap(line => withoutHost(line, wanted)) : text.split('\n')
  const known = parseKnownHosts(kept.join('\n'), '')
  const fresh = keys.filter(key => judge(known, name, key).is !== 'match')
  while (kept.at(-1)?.trim() === '') kept.pop()
  return [...kept, ...fresh.map(key => trustLine(name, key, salt?.())), ''].join('\n')
}

function withoutHost(line: string, wanted: string): readonly string[] {
  const entry = parseLine(line.trim(), '', 0)
  if (entry === undefined || entry.marker !== 'none' || !speaksOf(entry, wanted)) return [line]
  if (entry.names.kind === 'hash') return []
  const others = entry.names.list.filter(pattern => pattern !== wanted)
  if (others.length === entry.names.list.length) return [line]
  return others.length === 0 ? [] : [line.trim().replace(/^\S+/, others.join(','))]
}

function hashName(name: string, salt: Buffer): string {
  const digest = createHmac('sha1', salt).update(name).digest('base64')
  return `|1|${salt.toString('base64')}|${digest}`
}
