import { createHash } from 'node:crypto'

const ROUNDS = 5000
const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/**
 * Returns the password as crypt(3) gives it with method `$6$` and the standard 5000 rounds.
 * See https://www.akkadia.org/drepper/SHA-crypt.txt; the numbered steps are those of that document.
 */
export function cryptSha512(password: string, salt: string): string {
  const key = Buffer.from(password, 'utf8')
  const grain = Buffer.from(salt, 'utf8').subarray(0, 16)
  const start = firstDigest(key, grain)
  const p = stretched(sha512(...Array.from(key, () => key)), key.length)
  const s = stretched(sha512(...Array.from({ length: 16 + (start[0] ?? 0) }, () => grain)), grain.length)
  let digest = start
  for (let round = 0; round < ROUNDS; round++) {
    const isOdd = round % 2 === 1
    const parts = [isOdd ? p : digest]
    if (round % 3 !== 0) parts.push(s)
    if (round % 7 !== 0) parts.push(p)
    parts.push(isOdd ? digest : p)
    digest = sha512(...parts)
  }
  return `$6$${grain.toString('utf8')}$${encoded(digest)}`
}

/**
 * Returns a salt for any text: the text itself where it is one, else 16 characters that only the text decides. It is
 * never taken from the password: a salt is public, and would let the password be guessed without the 5000 rounds.
 */
export function saltOf(text: string): string {
  if (/^[./0-9A-Za-z]{8,16}$/.test(text)) return text
  return createHash('sha256').update(text, 'utf8').digest('base64').replaceAll('+', '.').slice(0, 16)
}

/** Steps 1 to 12. */
function firstDigest(key: Buffer, grain: Buffer): Buffer {
  const b = sha512(key, grain, key)
  const parts = [key, grain, stretched(b, key.length)]
  for (let bits = key.length; bits > 0; bits >>= 1) parts.push((bits & 1) === 1 ? b : key)
  return sha512(...parts)
}

/** Returns the digest repeated until it has so many bytes. */
function stretched(digest: Buffer, length: number): Buffer {
  return Buffer.alloc(length, digest)
}

function sha512(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha512')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** Step 22: three bytes give four characters; the triples walk the digest in thirds, turning at every step. */
function encoded(digest: Buffer): string {
  let text = ''
  for (let i = 0; i < 21; i++) {
    const triple = [i, i + 21, i + 42]
    const [a = 0, b = 0, c = 0] = [0, 1, 2].map(k => triple[(k + i) % 3] ?? 0)
    text += characters(((digest[a] ?? 0) << 16) | ((digest[b] ?? 0) << 8) | (digest[c] ?? 0), 4)
  }
  return text + characters(digest[63] ?? 0, 2)
}

function characters(bits: number, count: number): string {
  let rest = bits
  return Array.from({ length: count }, () => {
    const char = ALPHABET[rest & 63] ?? ''
    rest >>= 6
    return char
  }).join('')
}
