import { Secret } from '../base/secret.ts'
import { Unknown } from '../base/unknown.ts'
import { BadArgument } from './builtin.ts'
import { Pending, PENDING } from './pending.ts'
import { inspectDeep, isMap, sealDeep, TouchedUnknown } from './value.ts'

/** What an evaluation met on its way; CEL itself knows neither unknowns nor secrets. */
export class Watch {
  /** The first unknown that was touched. */
  unknown: Unknown | undefined
  secret = false
}

/**
 * Returns the value as CEL takes it: whole numbers as `bigint`, maps as lazy views, lists as arrays. Touching an
 * unknown or outstanding value inside throws; touching a secret gives its text and is remembered.
 */
export function toCel(value: unknown, name: string, watch: Watch): unknown {
  if (value === PENDING) throw new Pending(name)
  if (value instanceof Unknown) {
    watch.unknown ??= value
    throw new TouchedUnknown(value)
  }
  if (value instanceof Secret) {
    watch.secret = true
    return value.reveal()
  }
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return listView(value, name, watch)
  return isMap(value) ? new MapView(value, name, watch) : value
}

/**
 * Returns what CEL gave as plain data; what a secret went into is sealed, unless it is a boolean.
 * @throws Pending where something inside is outstanding.
 */
export function fromCel(value: unknown, watch: Watch): unknown {
  const data = toPlain(value)
  inspectDeep(data, value instanceof MapView ? value.path : 'a value')
  return watch.secret ? sealDeep(data) : data
}

/** Returns what CEL gave as plain data. */
export function toPlain(value: unknown): unknown {
  if (typeof value === 'bigint') return numberOf(value)
  if (value instanceof MapView) return value.source
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map(toPlain)
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, item]) => [String(key), toPlain(item)]))
  if (isMap(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toPlain(item)]))
  return value
}

function numberOf(value: bigint): number {
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  throw new BadArgument('a whole number of that size cannot be kept exactly')
}

/**
 * A plain map as CEL reads it, converted only where it is read. CEL chooses by `constructor`, so the view calls
 * itself a `Map`.
 */
export class MapView extends Map<string, unknown> {
  readonly source: Readonly<Record<string, unknown>>
  readonly path: string
  readonly #watch: Watch

  static {
    Object.defineProperty(this.prototype, 'constructor', { value: Map })
  }

  constructor(source: Readonly<Record<string, unknown>>, name: string, watch: Watch) {
    super()
    this.source = source
    this.path = name
    this.#watch = watch
  }

  override get(key: string): unknown {
    if (!this.has(key)) return undefined
    return toCel(this.source[key], `${this.path}.${key}`, this.#watch)
  }

  override has(key: string): boolean {
    return typeof key === 'string' && Object.hasOwn(this.source, key)
  }

  override get size(): number {
    return Object.keys(this.source).length
  }

  override keys(): MapIterator<string> {
    return Object.keys(this.source).values()
  }

  /** CEL reads the first entry to learn the types; what cannot be read tells it nothing and must not stop it. */
  override *entries(): MapIterator<[string, unknown]> {
    for (const [key, value] of Object.entries(this.source)) {
      if (value !== PENDING && !(value instanceof Unknown)) yield [key, this.get(key)]
    }
  }

  override *[Symbol.iterator](): MapIterator<[string, unknown]> {
    for (const key of Object.keys(this.source)) yield [key, this.get(key)]
  }
}

function listView(items: readonly unknown[], name: string, watch: Watch): readonly unknown[] {
  const view: unknown[] = []
  for (const [index, item] of items.entries()) {
    const path = `${name}.${index}`
    if (item === PENDING || item instanceof Unknown || item instanceof Secret)
      Object.defineProperty(view, index, { get: () => toCel(item, path, watch), enumerable: true })
    else view.push(toCel(item, path, watch))
  }
  return view
}
