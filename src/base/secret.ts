import { inspect } from 'node:util'

const MASK = '‹secret›'

/** Shorter values would mask ordinary words all over the output. */
const SHORTEST_MASKED = 4

/**
 * A value that must not be seen. It prints as `‹secret›` wherever it is turned into text by accident;
 * only `reveal()` gives the value, and the only callers of that are the writers of a host's stdin.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return MASK
  }

  toJSON(): string {
    return MASK
  }

  [inspect.custom](): string {
    return MASK
  }
}

/** Returns a text that may be a secret as it is: for a pipe, never for a command line. */
export function plainText(value: string | Secret): string {
  return value instanceof Secret ? value.reveal() : value
}

/**
 * Masks known secret values in text, in every spelling they are likely to take on the way out:
 * as they are, base64, URL-encoded, JSON-escaped and shell-quoted. It stands at the one boundary where
 * anything leaves the process.
 */
export class Redactor {
  readonly #spellings = new Set<string>()
  #pattern: RegExp | undefined

  /** Remembers a secret; every line of a multi-line secret is masked on its own as well. */
  add(secret: Secret): void {
    const value = secret.reveal()
    for (const part of new Set([value, ...value.split('\n')])) {
      if (part.trim().length >= SHORTEST_MASKED) this.#remember(part)
    }
  }

  /** Returns the text with every known secret replaced by `‹secret›`. */
  mask(text: string): string {
    if (this.#spellings.size === 0) return text
    this.#pattern ??= new RegExp(
      [...this.#spellings]
        .sort((a, b) => b.length - a.length)
        .map(escapeRegExp)
        .join('|'),
      'g',
    )
    return text.replace(this.#pattern, MASK)
  }

  /** Returns a copy as plain data: every string, keys included, masked, every other object as its `toJSON` says. */
  maskDeep<T>(data: T): T {
    return this.#walk(data) as T
  }

  #walk(data: unknown): unknown {
    if (typeof data === 'string') return this.mask(data)
    if (data === null || typeof data !== 'object') return data
    if (Array.isArray(data)) return data.map(item => this.#walk(item))
    if ('toJSON' in data && typeof data.toJSON === 'function')
      return this.#walk((data as { toJSON: () => unknown }).toJSON())
    return Object.fromEntries(Object.entries(data).map(([key, value]) => [this.mask(key), this.#walk(value)]))
  }

  #remember(value: string): void {
    const bytes = Buffer.from(value, 'utf8')
    const spellings = [
      value,
      bytes.toString('base64'),
      bytes.toString('base64').replace(/=+$/, ''),
      bytes.toString('base64url'),
      bytes.toString('hex'),
      encodeURIComponent(value),
      JSON.stringify(value).slice(1, -1),
      value.replaceAll("'", String.raw`'\''`),
    ]
    for (const spelling of spellings) this.#spellings.add(spelling)
    this.#pattern = undefined
  }
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
}
