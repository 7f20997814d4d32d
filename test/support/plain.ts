import { Secret } from '../../src/base/secret.ts'
import { Unknown } from '../../src/base/unknown.ts'
import { Sh } from '../../src/shell/sh.ts'

/** Returns changes, actions and results as a case writes them: scripts as text, secrets masked, what is undefined left out. */
export function toPlain(data: unknown): unknown {
  if (data instanceof Secret || data instanceof Unknown) return data.toString()
  if (data instanceof Sh) return data.text
  if (data instanceof Uint8Array) return `‹${data.length} bytes›`
  if (Array.isArray(data)) return data.map(toPlain)
  if (data === null || typeof data !== 'object') return data
  if (isLocalFile(data)) return `‹${data.path}›`
  if (isProbe(data)) return data.key
  return Object.fromEntries(
    Object.entries(data)
      .filter(([, value]) => value !== undefined && typeof value !== 'function')
      .map(([key, value]) => [key, toPlain(value)]),
  )
}

function isLocalFile(data: object): data is { path: string } {
  return 'sha256' in data && 'content' in data && typeof data.content === 'function'
}

function isProbe(data: object): data is { key: string } {
  return 'family' in data && 'key' in data
}
