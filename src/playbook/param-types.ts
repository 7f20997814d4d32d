import { Secret } from '../base/secret.ts'
import { Unknown } from '../base/unknown.ts'
import type { RoleParam } from './model.ts'

/**
 * Returns what is wrong with a value for a role's parameter, as found and expected, or undefined where it fits. What is
 * unknown fits.
 *
 * @param value - plain data, templates rendered
 * @param text - how it is spelt in the file, where that is known
 */
export function checkParam(param: RoleParam, value: unknown, text?: string): string | undefined {
  if (value instanceof Unknown) return undefined
  const plainValue = value instanceof Secret ? revealedAs(param.type, value) : value
  const shown = param.secret || value instanceof Secret ? '‹secret›' : showValue(plainValue)
  const expected = misfit(param, plainValue, text)
  return expected === undefined ? undefined : `${shown}, expected ${expected}`
}

/** A secret is always text; where a number is asked for, the text of one will do. */
function revealedAs(type: RoleParam['type'], secret: Secret): string | number {
  const text = secret.reveal()
  const isNumber = (type === 'integer' || type === 'number') && /^-?\d+(?:\.\d+)?$/.test(text)
  return isNumber ? Number(text) : text
}

function misfit(param: RoleParam, value: unknown, text: string | undefined): string | undefined {
  if (!FITS[param.type](value, text)) return EXPECTED[param.type]
  if (param.choices && !param.choices.some(choice => choice === value)) {
    return `one of ${param.choices.map(choice => `\`${String(choice)}\``).join(', ')}`
  }
  const amount = amountOf(value)
  if (amount === undefined || param.type === 'string' || param.type === 'path') return undefined
  if (param.min !== undefined && amount < param.min) return `at least ${param.min}`
  if (param.max !== undefined && amount > param.max) return `at most ${param.max}`
  return undefined
}

type Fits = (value: unknown, text: string | undefined) => boolean

const FITS: Readonly<Record<RoleParam['type'], Fits>> = {
  string: (value, text) =>
    typeof value === 'string' ||
    (typeof value === 'number' && (text === undefined || String(value) === text)),
  integer: value => Number.isInteger(value),
  number: value => typeof value === 'number',
  boolean: value =>
    typeof value === 'boolean' || (typeof value === 'string' && /^(?:yes|no|on|off)$/i.test(value)),
  list: value => Array.isArray(value),
  map: value => value !== null && typeof value === 'object' && !Array.isArray(value),
  path: value => typeof value === 'string' && value !== '' && !value.includes('\0'),
  duration: value => typeof value === 'number' || (typeof value === 'string' && seconds(value) !== undefined),
  size: value => typeof value === 'number' || (typeof value === 'string' && bytes(value) !== undefined),
  any: () => true,
}

const EXPECTED: Readonly<Record<RoleParam['type'], string>> = {
  string: 'text (put a number in quotes where its spelling matters)',
  integer: 'a whole number',
  number: 'a number',
  boolean: '`true` or `false`',
  list: 'a list',
  map: 'a map',
  path: 'a path',
  duration: 'a length of time such as `90s`, `10m`, `1h30m` or `2d`',
  size: 'a size such as `512M` or `20G`',
  any: 'a value',
}

/** Returns a number, a length of time in seconds or a size in bytes, or undefined. */
export function amountOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' ? (seconds(value) ?? bytes(value)) : undefined
}

/** A pattern of JSON Schema for what `amountOf` understands in a text. */
export const AMOUNT_PATTERN = String.raw`^(?:(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+|\d+(?:\.\d+)?\s*[KMGTPkmgtp]?(?:[Ii]?[Bb])?)$`

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

function seconds(text: string): number | undefined {
  const parts = /^(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$/.test(text)
    ? text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)
    : []
  let total: number | undefined
  for (const [, amount, unit] of parts) total = (total ?? 0) + Number(amount) * (SECONDS[unit ?? ''] ?? 0)
  return total
}

function bytes(text: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?)\s*([KMGTP])?(?:i?B)?$/i.exec(text)
  if (!found?.[1]) return undefined
  const power = ' KMGTP'.indexOf((found[2] ?? ' ').toUpperCase())
  return Number(found[1]) * 1024 ** power
}

function showValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object'
    ? 'a map'
    : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}
