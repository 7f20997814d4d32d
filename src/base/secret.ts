import { createHmac, randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { spellings } from './spellings.ts'

/** What stands in the place of a secret wherever something is shown. */
export const MASK = '‹secret›'

/** Shorter values would mask ordinary words all over the output. */
const SHORTEST_MASKED = 4

/** A short line of a text that is secret as a whole, such as `fail` or `[Service]`, is an ordinary word. */
const SHORTEST_LINE = 8

/**
 * A value that must not be seen. It prints as `‹secret›` wherever it is turned into text by accident;
 * only `reveal()` gives the value, and the only callers of that are the writers of a host's stdin.
 */
export class Secret {
  readonly #value: string
  readonly #parts: readonly Secret[]

  /** @param parts - the secrets inside a text that is otherwise in the open, such as a file made from a template */
  constructor(value: string, parts: readonly Secret[] = []) {
    this.#value = value
    this.#parts = parts
  }

  reveal(): string {
    return this.#value
  }

  get parts(): readonly Secret[] {
    return this.#parts
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
 * Masks known secret values in text, in every spelling they are likely to take on the way out. It stands at the one
 * boundary where anything leaves the process.
 */
export class Redactor {
  readonly #known = new Set<string>()
  readonly #spellings = new Set<string>()
  readonly #key = randomBytes(32)
  #pattern: RegExp | undefined

  /**
   * Remembers a secret. Of one that has lines, each is masked on its own as well; of a text that is secret because of
   * what was put into it, the whole and these parts.
   */
  add(secret: Secret): void {
    const value = secret.reveal()
    for (const part of secret.parts) this.add(part)
    const lines = secret.parts.length > 0 ? [] : value.split('\n').map(line => line.replace(/\r$/, ''))
    for (const part of [value, value.trim(), ...lines.filter(line => line.trim().length >= SHORTEST_LINE)]) {
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

  /**
   * Returns a copy as plain data: every string, keys included, masked, every other object as its `toJSON` says. A secret
   * before or after a change is shown as a digest that means something within this run only: equal ones look equal.
   */
  maskDeep<T>(data: T): T {
    return this.#walk(data) as T
  }

  #walk(data: unknown): unknown {
    if (typeof data === 'string') return this.mask(data)
    if (data === null || typeof data !== 'object') return data
    if (Array.isArray(data)) return data.map(item => this.#walk(item))
    if ('toJSON' in data && typeof data.toJSON === 'function')
      return this.#walk((data as { toJSON: () => unknown }).toJSON())
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [this.mask(key), this.#entry(key, value)]),
    )
  }

  #entry(key: string, value: unknown): unknown {
    if (!(value instanceof Secret) || (key !== 'before' && key !== 'after')) return this.#walk(value)
    return `‹secret ${createHmac('sha256', this.#key).update(value.reveal()).digest('hex').slice(0, 8)}›`
  }

  #remember(value: string): void {
    if (this.#known.has(value)) return
    this.#known.add(value)
    for (const spelling of spellings(value)) this.#spellings.add(spelling)
    this.#pattern = undefined
  }
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
}
