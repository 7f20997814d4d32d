import { Secret } from '../base/secret.ts'

export type BodyFormat = 'raw' | 'json' | 'form-urlencoded'

export const CONTENT_TYPES: Readonly<Record<BodyFormat, string | undefined>> = {
  raw: undefined,
  json: 'application/json',
  'form-urlencoded': 'application/x-www-form-urlencoded',
}

/** Returns the body as it is sent, or why it cannot be; a secret anywhere in it makes all of it one. */
export function bodyOf(body: unknown, format: BodyFormat): string | Secret | Error | undefined {
  if (body === undefined) return undefined
  const text = textOf(opened(body), format)
  if (text instanceof Error || !holdsSecret(body)) return text
  return new Secret(text)
}

function textOf(body: unknown, format: BodyFormat): string | Error {
  if (format === 'json') return typeof body === 'string' && isJson(body) ? body : JSON.stringify(body)
  if (typeof body === 'string') return body
  if (format === 'raw') return JSON.stringify(body)
  if (body === null || typeof body !== 'object') return new Error('names with values expected')
  const pairs = Object.entries(body).flatMap(([name, value]) =>
    [value].flat().map(one => [name, String(one)]),
  )
  return new URLSearchParams(pairs as [string, string][]).toString()
}

/** A text that is JSON already is sent as it stands, as Ansible does. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function opened(value: unknown): unknown {
  if (value instanceof Secret) return value.reveal()
  if (Array.isArray(value)) return value.map(opened)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, opened(one)]))
}

function holdsSecret(value: unknown): boolean {
  if (value instanceof Secret) return true
  return value !== null && typeof value === 'object' && Object.values(value).some(holdsSecret)
}
