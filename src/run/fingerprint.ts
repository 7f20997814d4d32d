import { createHmac } from 'node:crypto'
import type { Registered } from '../base/result.ts'
import { Secret } from '../base/secret.ts'

/** What moves without anything being different: reading a file, or writing another one beside it. */
const VOLATILE = new Set(['mtime', 'atime', 'ctime', 'nlink', 'inode', 'dev'])

/** Returns a keyed hash of what was observed; secrets take part with their value, so that a change of one shows. */
export function fingerprint(state: Registered, salt: string): string {
  return createHmac('sha256', salt)
    .update(JSON.stringify(canonical(state)))
    .digest('hex')
}

function canonical(value: unknown): unknown {
  if (value instanceof Secret) return { secret: value.reveal() }
  if (value instanceof Map) return [...value].map(([key, inner]) => [key, canonical(inner)])
  if (value instanceof Set) return [...value].map(canonical)
  if (Array.isArray(value)) return value.map(canonical)
  if (value === null || typeof value !== 'object') return value
  const isDirectory = 'kind' in value && value.kind === 'directory'
  return Object.entries(value)
    .filter(([key]) => !VOLATILE.has(key) && !(isDirectory && key === 'size'))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, canonical(inner)])
}
