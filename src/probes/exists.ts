import type { Completed } from '../base/result.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { pathRead, treeRead } from './resources.ts'
import { brokenOff, unreadable } from './unreadable.ts'

/** Asks whether something is at a path, or at one that fits a pattern with `*`, `?` and `[…]`. No process at all. */
export const existsFamily: Family<string, boolean> = {
  name: 'exists',
  key: pattern => pattern,
  reads: pattern => (hasWildcards(pattern) ? treeRead(fixedFolder(pattern)) : pathRead(pattern)),
  absent: isThere => !isThere,
  script: patterns =>
    lines(
      sh`there() { for f do if [ -e "$f" ] || [ -L "$f" ]; then printf 1; return; fi; done; printf 0; }`,
      ...patterns.map(pattern => sh`there ${globOf(pattern)}`),
    ),
  parse: parseFlags,
}

/** Asks whether something is at the path, or at one that fits the pattern. */
export const exists = probeOf(existsFamily)

const WILDCARDS = ['*', '?', '[', ']'] as const

function hasWildcards(pattern: string): boolean {
  return WILDCARDS.some(sign => pattern.includes(sign))
}

/** The deepest folder that has no wildcard in its path. */
function fixedFolder(pattern: string): string {
  const fixed = pattern.slice(0, pattern.search(/[*?[\]]/))
  return fixed.slice(0, fixed.lastIndexOf('/')) || '/'
}

/** Quotes all but the wildcards. */
function globOf(pattern: string): Sh {
  return pattern
    .split(/([*?[\]])/)
    .filter(piece => piece !== '')
    .map(pieceOf)
    .reduce((whole, piece) => sh`${whole}${piece}`)
}

function pieceOf(piece: string): Sh {
  if (piece === '*') return sh`*`
  if (piece === '?') return sh`?`
  if (piece === '[') return sh`[`
  if (piece === ']') return sh`]`
  return sh`${piece}`
}

function parseFlags(answer: Completed, patterns: readonly string[]): readonly boolean[] {
  if (answer.code !== 0) throw brokenOff('sh', answer)
  if (!/^[01]*$/.test(answer.out) || answer.out.length !== patterns.length) {
    throw unreadable(
      `expected a sign for each of ${patterns.length} paths, found \`${answer.out.slice(0, 80)}\``,
    )
  }
  return answer.out.split('').map(flag => flag === '1')
}
