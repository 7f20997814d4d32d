import { SourceError } from '../base/error.ts'
import { nearest } from '../base/nearest.ts'
import type { Span } from '../base/span.ts'
import { showSpan } from '../base/span.ts'
import type { Names } from './names.ts'
import type { Missing } from './value.ts'

/** Returns the error for a path that leads nowhere, with the nearest name and where that one is set. */
export function undefinedName(
  at: Span,
  root: string,
  parts: readonly string[],
  missing: Missing,
  scope: Names,
): SourceError {
  if (missing.part < 0) return undefinedRoot(at, root, scope)
  const holder = [root, ...parts.slice(0, missing.part)].join('.')
  const part = parts[missing.part] ?? ''
  const origin = scope.origin(root)
  const near = nearest(part, missing.candidates)
  const hint = near === undefined ? known(holder, missing.candidates) : `did you mean \`${holder}.${near}\`?`
  const related = origin?.at ? [origin.at] : []
  return new SourceError(
    'UNDEFINED_VAR',
    at,
    `\`${holder}.${part}\` is undefined, \`${holder}\` is ${missing.holder}${setAt(origin)}`,
    { hint, related },
  )
}

function undefinedRoot(at: Span, root: string, scope: Names): SourceError {
  const near = nearest(root, scope.names())
  const origin = near === undefined ? undefined : scope.origin(near)
  const hint = near === undefined ? undefined : `did you mean \`${near}\`${setAt(origin)}?`
  const related = origin?.at ? [origin.at] : []
  return new SourceError('UNDEFINED_VAR', at, `\`${root}\` is undefined`, { hint, related })
}

function setAt(origin: ReturnType<Names['origin']>): string {
  if (!origin) return ''
  return origin.at ? ` (${origin.origin}, ${showSpan(origin.at)})` : ` (${origin.origin})`
}

function known(holder: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined
  return `\`${holder}\` has ${candidates
    .slice(0, 8)
    .map(name => `\`${name}\``)
    .join(', ')}`
}
