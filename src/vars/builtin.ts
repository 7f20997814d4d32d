import { Secret } from '../base/secret.ts'

/**
 * A function that texts and conditions may call. It is pure: no clock, no files, no network, no randomness. The values
 * it is given are plain data; secrets are already opened, and what it returns is sealed again by the caller.
 */
export interface Builtin {
  /** Names of the parameters in order; `?` marks one that may be left out, `…` one that may be repeated. */
  readonly params: readonly string[]
  readonly about: string
  /** The first argument may name a variable that does not exist; it is then `undefined`. */
  readonly guarded?: boolean
  /** Gives parts of its arguments on without reading what lies inside them: unknowns and secrets there may stay. */
  readonly handsOn?: boolean
  /** Takes its arguments as `key=value`, whatever the keys are; they come as one map. */
  readonly open?: boolean
  /** Conditions have this function already, under the same name, from CEL itself. */
  readonly celHasIt?: boolean
  readonly call: (...args: readonly unknown[]) => unknown
  /** A template and the value it gives. Documentation shows them, a test runs them. */
  readonly examples: readonly Example[]
}

export interface Example {
  readonly template: string
  /** The same in a condition. */
  readonly cel?: string
  readonly gives: unknown
}

/** A value that a function cannot work with. The caller knows the place and turns it into a `SourceError`. */
export class BadArgument extends Error {
  override readonly name = 'BadArgument'
}

/** Returns how a function is written: `default(value, fallback, empty?)`. */
export function signature(name: string, { params }: Builtin): string {
  return `${name}(${params.join(', ')})`
}

/** Returns the least and greatest number of arguments. */
export function arity({ params }: Builtin): readonly [number, number] {
  const least = params.filter(param => !param.endsWith('?') && !param.endsWith('…')).length
  return [least, params.some(param => param.endsWith('…')) ? 16 : params.length]
}

/** Returns the text, or the text of a number or boolean. */
export function textOf(value: unknown, what = 'value'): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (value === null || value === undefined) return ''
  throw new BadArgument(`${what} must be a text, found ${Array.isArray(value) ? 'a list' : 'a map'}`)
}

/** Returns the number; a text that spells one counts. */
export function numberOf(value: unknown, what = 'value'): number {
  const found = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof found === 'number' && Number.isFinite(found)) return found
  throw new BadArgument(`${what} must be a number, found \`${describe(value)}\``)
}

/** Returns the whole number; a text that spells one counts. */
export function integerOf(value: unknown, what = 'value'): number {
  const found = numberOf(value, what)
  if (Number.isSafeInteger(found)) return found
  throw new BadArgument(`${what} must be a whole number, found \`${describe(value)}\``)
}

/** Returns the list. */
export function listOf(value: unknown, what = 'value'): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[]
  throw new BadArgument(`${what} must be a list, found \`${describe(value)}\``)
}

/** Returns the map. */
export function mapOf(value: unknown, what = 'value'): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>
  throw new BadArgument(`${what} must be a map, found \`${describe(value)}\``)
}

/** What templates and `default` take for true: everything but false, null, 0, the empty text, the empty list. */
export function isTruthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (value instanceof Secret) return value.reveal() !== ''
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== ''
}

function describe(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
  return text.length > 40 ? `${text.slice(0, 39)}…` : text
}
