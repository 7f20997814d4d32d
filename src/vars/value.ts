import { Secret } from '../base/secret.ts'
import { Unknown } from '../base/unknown.ts'
import { Pending, PENDING } from './pending.ts'

/** Where a path led: a value, or the part of the path that is not there. */
export type Resolution = Found | Missing

export interface Found {
  readonly found: true
  readonly value: unknown
}

export interface Missing {
  readonly found: false
  /** Index of the part that is missing; -1 where the variable itself is. */
  readonly part: number
  /** Names that are there instead. */
  readonly candidates: readonly string[]
  /** What the value before the missing part is, in a word. */
  readonly holder: string
}

/**
 * Carries an unknown out of an evaluation that touched it. It never leaves the room: whoever started the evaluation
 * turns it into the unknown itself.
 */
export class TouchedUnknown extends Error {
  readonly unknown: Unknown

  constructor(unknown: Unknown) {
    super(unknown.toString())
    this.unknown = unknown
  }
}

/**
 * Returns what the parts lead to inside a value. Only own keys of plain maps, and positions and `length` of lists, are
 * followed; what is behind an unknown is unknown.
 * @throws Pending where the path meets a value that is outstanding.
 */
export function follow(value: unknown, root: string, parts: readonly string[], from = 0): Resolution {
  let found = value
  for (let i = from; i < parts.length; i++) {
    refusePending(found, root, parts.slice(0, i))
    const part = parts[i] ?? ''
    if (found instanceof Unknown) {
      if (!Object.hasOwn(found.known, part)) return { found: true, value: found }
      found = found.known[part]
      continue
    }
    const next = own(found, part)
    if (next === undefined) return { found: false, part: i, candidates: keysOf(found), holder: kindOf(found) }
    found = next
  }
  refusePending(found, root, parts)
  return { found: true, value: found }
}

/** Returns the value behind an own key of a map or a position of a list, or undefined. */
export function own(value: unknown, key: string): unknown {
  if (Array.isArray(value)) {
    if (key === 'length') return value.length
    return /^(0|[1-9]\d{0,9})$/.test(key) ? (value[Number(key)] as unknown) : undefined
  }
  return isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

/** Tells plain maps from everything else, such as secrets and unknowns. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const proto: unknown = Object.getPrototypeOf(value)
  return proto === null || proto === Object.prototype
}

/** Returns a word for the value's kind, for messages. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Secret) return 'a secret'
  if (value instanceof Unknown) return 'not known'
  if (isMap(value)) return 'a map'
  if (typeof value === 'boolean') return `\`${String(value)}\``
  return typeof value === 'number' ? 'a number' : 'a text'
}

/**
 * Walks plain data once.
 * @throws Pending where anything inside is outstanding.
 * @returns The first unknown inside, or undefined.
 */
export function inspectDeep(value: unknown, name: string): Unknown | undefined {
  refusePending(value, name, [])
  if (value instanceof Unknown) return value
  let first: Unknown | undefined
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const found = inspectDeep(item, `${name}.${index}`)
      first ??= found
    }
  } else if (isMap(value)) {
    for (const [key, item] of Object.entries(value)) {
      const found = inspectDeep(item, `${name}.${key}`)
      first ??= found
    }
  }
  return first
}

/** Returns whether plain data holds a secret. */
export function hasSecret(value: unknown): boolean {
  if (value instanceof Secret) return true
  if (Array.isArray(value)) return value.some(hasSecret)
  return isMap(value) && Object.values(value).some(hasSecret)
}

/** Returns a copy of plain data in which every secret is replaced by its value. */
export function revealDeep(value: unknown): unknown {
  if (!hasSecret(value)) return value
  if (value instanceof Secret) return value.reveal()
  if (Array.isArray(value)) return value.map(revealDeep)
  return mapValues(value, revealDeep)
}

/** Returns what was worked out from a secret as a secret again; only a boolean tells too little to be one. */
export function sealDeep(value: unknown): unknown {
  if (typeof value === 'string') return new Secret(value)
  if (typeof value === 'number') return new Secret(String(value))
  if (Array.isArray(value)) return value.map(sealDeep)
  return isMap(value) ? mapValues(value, sealDeep) : value
}

/** Returns the names a person could have meant inside a value. */
export function keysOf(value: unknown): readonly string[] {
  return isMap(value) ? Object.keys(value) : []
}

function mapValues(value: unknown, change: (item: unknown) => unknown): unknown {
  if (!isMap(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, change(item)]))
}

function refusePending(value: unknown, root: string, parts: readonly string[]): void {
  if (value === PENDING) throw new Pending([root, ...parts].join('.'))
}
