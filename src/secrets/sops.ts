import { createDecipheriv, createHash, timingSafeEqual } from 'node:crypto'
import { type AgeKeys, openAgeBytes } from './age.ts'
import { SealError } from './seal-error.ts'

/** A value of a file, in the order in which it stands there. Lists count as one with the key they stand behind. */
export interface Leaf {
  /** The keys that lead to it, positions in lists left out. */
  readonly path: readonly string[]
  readonly value: string | number | boolean | null
}

/** What a sealed value holds; what was not sealed stays undefined. */
export type Opened = string | number | boolean | undefined

/** The bytes that a digest of sealed values alone begins with, so that it never equals one of all values. */
const ONLY_ENCRYPTED = createHash('sha256').update('sops').digest()

/**
 * Returns the values of a file that sops encrypted for age, one for each leaf.
 *
 * @param metadata - what stands below the key `sops`
 * @throws SealError LOCKED where no identity opens the data key; DAMAGED where a value or their digest is not right.
 */
export function openSops(leaves: readonly Leaf[], metadata: unknown, keys: AgeKeys): readonly Opened[] {
  const about = mapOf(metadata)
  if (about['key_groups'] !== undefined) throw new SealError('DAMAGED', 'key groups are not understood')
  const dataKey = dataKeyOf(about, keys)
  const opened = leaves.map(leaf => openValue(leaf, dataKey))
  checkDigest(leaves, opened, about, dataKey)
  return opened
}

function dataKeyOf(about: Readonly<Record<string, unknown>>, keys: AgeKeys): Buffer {
  const entries = Array.isArray(about['age']) ? about['age'].map(mapOf) : []
  for (const { enc } of entries) {
    const key = typeof enc === 'string' ? openedKey(enc, keys) : undefined
    if (key !== undefined) return key
  }
  const why = entries.length === 0 ? 'it is not encrypted for age' : 'no identity at hand opens its data key'
  throw new SealError('LOCKED', why)
}

function openedKey(sealed: string, keys: AgeKeys): Buffer | undefined {
  try {
    return openAgeBytes(sealed, keys)
  } catch (error) {
    if (error instanceof SealError && error.code === 'LOCKED') return undefined
    throw error
  }
}

function checkDigest(
  leaves: readonly Leaf[],
  opened: readonly Opened[],
  about: Readonly<Record<string, unknown>>,
  dataKey: Buffer,
): void {
  const digest = createHash('sha512')
  const isPartial = about['mac_only_encrypted'] === true
  if (isPartial) digest.update(ONLY_ENCRYPTED)
  for (const [index, { value }] of leaves.entries()) {
    const found = opened[index] ?? (isPartial ? null : value)
    if (found !== null && !(isPartial && opened[index] === undefined)) digest.update(bytesOf(found))
  }
  const { mac, lastmodified } = about
  const wanted = typeof mac === 'string' ? openText(mac, String(lastmodified), dataKey)?.text : undefined
  const actual = digest.digest()
  if (wanted === undefined || !isEqual(actual, Buffer.from(wanted, 'hex')))
    throw new SealError('DAMAGED', 'its digest (MAC) does not fit: a value was added, removed or altered')
}

function isEqual(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

/** How sops spells a value before it takes the digest. */
function bytesOf(value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return String(value)
}

function openValue({ path, value }: Leaf, dataKey: Buffer): Opened {
  if (typeof value !== 'string') return undefined
  const found = openText(value, `${path.join(':')}:`, dataKey)
  if (found === undefined) return undefined
  switch (found.type) {
    case 'int':
    case 'float':
      return Number(found.text)
    case 'bool':
      return found.text.toLowerCase() === 'true'
    default:
      return found.text
  }
}

const SEALED = /^ENC\[AES256_GCM,data:(.*),iv:(.+),tag:(.+),type:(\w+)\]$/s

/** Returns what is sealed in a value of sops; undefined where it is not sealed. */
function openText(
  value: string,
  context: string,
  dataKey: Buffer,
): { readonly text: string; readonly type: string } | undefined {
  const [, data, iv, tag, type] = SEALED.exec(value.trim()) ?? []
  if (data === undefined || iv === undefined || tag === undefined || type === undefined) return undefined
  try {
    const decipher = createDecipheriv('aes-256-gcm', dataKey, Buffer.from(iv, 'base64'), {
      authTagLength: 16,
    })
    decipher.setAAD(Buffer.from(context))
    decipher.setAuthTag(Buffer.from(tag, 'base64'))
    const opened = Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()])
    return { text: opened.toString('utf8'), type }
  } catch {
    const where = context.replace(/:$/, '').replaceAll(':', '.')
    throw new SealError('DAMAGED', `the value of \`${where}\` is altered, or was moved to another key`)
  }
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {}
}
