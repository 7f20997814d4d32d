import { isIPv6 } from 'node:net'
import { didYouMean } from '../base/nearest.ts'
import type { Inventory } from './model.ts'

export interface PatternProblem {
  readonly code: 'BAD_PATTERN' | 'NO_HOSTS'
  readonly message: string
  readonly hint: string | undefined
  /** Where in the pattern. */
  readonly offset: number
  readonly length: number
}

export interface Match {
  /** Names in the order the pattern finds them, none twice; empty where there is a problem. */
  readonly hosts: readonly string[]
  readonly problem: PatternProblem | undefined
}

/**
 * Returns the hosts that a pattern chooses: a group, a host, `*` and `?` globs, `a:b` or `a,b` for either, `a:&b` for
 * both, `a:!b` for all but, `~regex`, `g[0]`, `g[-1]`, `g[0:2]` (its end included), `all`. A name that is neither group
 * nor host is a problem, and so is a pattern that chooses nobody, unless a task may add them first.
 */
export function matchHosts(pattern: string, inventory: Inventory): Match {
  const terms = splitTerms(pattern, inventory)
  const chosen = new Set<string>()
  try {
    if (terms.every(term => term.sign !== '')) for (const host of inventory.hosts.keys()) chosen.add(host)
    for (const term of signed(terms, '')) for (const host of hostsOf(term, inventory)) chosen.add(host)
    for (const term of signed(terms, '&')) {
      const kept = new Set(hostsOf(term, inventory))
      for (const host of chosen) if (!kept.has(host)) chosen.delete(host)
    }
    for (const term of signed(terms, '!')) for (const host of hostsOf(term, inventory)) chosen.delete(host)
  } catch (found) {
    if (found instanceof Mistake) return { hosts: [], problem: found.problem }
    throw found
  }
  const mayCome = signed(terms, '').some(({ text }) => inventory.mayCome?.(text.replace(/\[[\d:-]+\]$/, '')))
  if ((chosen.size > 0 || mayCome) && terms.length > 0) return { hosts: [...chosen], problem: undefined }
  const hint = 'Run `msingi hosts graph` to see groups and hosts.'
  const message = `\`${pattern}\` matches no host`
  return { hosts: [], problem: { code: 'NO_HOSTS', message, hint, offset: 0, length: pattern.length } }
}

interface Term {
  readonly sign: '' | '&' | '!'
  readonly text: string
  readonly offset: number
}

class Mistake extends Error {
  readonly problem: PatternProblem

  constructor(code: PatternProblem['code'], term: Term, message: string, hint?: string) {
    super(message)
    this.problem = { code, message, hint, offset: term.offset, length: Math.max(1, term.text.length) }
  }
}

function signed(terms: readonly Term[], sign: Term['sign']): readonly Term[] {
  return terms.filter(term => term.sign === sign)
}

/** Splits at `,` and `:`; a host's own colons (IPv6), brackets, and a regular expression's parentheses are left alone. */
function splitTerms(pattern: string, inventory: Inventory): Term[] {
  const whole = splitAt(pattern, 0, /,/)
  return whole.flatMap(part => {
    const inner = toTerm(part)
    return isHostName(inner.text, inventory) ? [inner] : splitAt(part.text, part.offset, /:/).map(toTerm)
  })
}

interface Part {
  readonly text: string
  readonly offset: number
}

function splitAt(text: string, base: number, separator: RegExp): Part[] {
  const parts: Part[] = []
  let start = 0
  let depth = 0
  for (let i = 0; i <= text.length; i++) {
    const char = text[i]
    if (char === '[' || char === '(' || char === '{') depth++
    else if (char === ']' || char === ')' || char === '}') depth = Math.max(0, depth - 1)
    if (char !== undefined && (depth > 0 || !separator.test(char))) continue
    const part = text.slice(start, i)
    const blanks = part.length - part.trimStart().length
    if (part.trim() !== '') parts.push({ text: part.trim(), offset: base + start + blanks })
    start = i + 1
  }
  return parts
}

function toTerm({ text, offset }: Part): Term {
  const first = text[0]
  if (first === '&' || first === '!')
    return { sign: first, text: text.slice(1).trimStart(), offset: offset + 1 }
  return { sign: '', text, offset }
}

function isHostName(text: string, inventory: Inventory): boolean {
  return inventory.hosts.has(text) || isIPv6(unbracketed(text))
}

function unbracketed(text: string): string {
  return text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
}

function hostsOf(term: Term, inventory: Inventory): readonly string[] {
  const { text } = term
  const literal = unbracketed(text)
  if (inventory.hosts.has(literal)) return [literal]
  if (text.startsWith('~')) return matching(regexOf(text.slice(1), term), inventory)
  const indexed = /^(.+)\[(-?\d+)(?:(:)(-?\d*))?\]$/.exec(text)
  if (indexed?.[1] !== undefined && indexed[2] !== undefined) {
    const members = namedOrGlob({ ...term, text: indexed[1] }, inventory)
    return indexed[3] === undefined
      ? members.slice(Number(indexed[2])).slice(0, 1)
      : slice(members, Number(indexed[2]), indexed[4] ?? '')
  }
  return namedOrGlob(term, inventory)
}

/** Both ends belong to the slice, as in Ansible. */
function slice(members: readonly string[], from: number, to: string): readonly string[] {
  const last = to === '' ? -1 : Number(to)
  return members.slice(from, last === -1 ? undefined : last + 1)
}

function namedOrGlob(term: Term, inventory: Inventory): readonly string[] {
  const { text } = term
  if (text === 'all' || text === '*') return [...inventory.hosts.keys()]
  if (inventory.hosts.has(text)) return [text]
  if (inventory.groups.has(text)) return membersOf(text, inventory)
  if (/[*?[]/.test(text)) return matching(globOf(text, term), inventory)
  if (text === 'localhost' && inventory.localhost && term.sign === '') return ['localhost']
  if (inventory.mayCome?.(text) === true) return []
  const hint = didYouMean(text, [...inventory.groups.keys(), ...inventory.hosts.keys()])
  throw new Mistake('NO_HOSTS', term, `\`${text}\` is neither a group nor a host`, hint)
}

function membersOf(group: string, inventory: Inventory): readonly string[] {
  return [...inventory.hosts.values()].filter(host => host.groups.includes(group)).map(host => host.name)
}

/** Groups that match give their hosts, then come the hosts that match by name. */
function matching(test: RegExp, inventory: Inventory): readonly string[] {
  const found = new Set<string>()
  for (const group of inventory.groups.keys()) {
    if (group === 'all' || !test.test(group)) continue
    for (const host of membersOf(group, inventory)) found.add(host)
  }
  for (const host of inventory.hosts.keys()) if (test.test(host)) found.add(host)
  return [...found]
}

function regexOf(source: string, term: Term): RegExp {
  try {
    return new RegExp(`^(?:${source})`, 'v')
  } catch {
    const hint = 'Write a regular expression after `~`, such as `~web[0-9]+`.'
    throw new Mistake('BAD_PATTERN', term, `\`${source}\` is not a regular expression`, hint)
  }
}

function globOf(glob: string, term: Term): RegExp {
  const source = glob.replace(/\[!?[^\]]+\]|[\s\S]/g, piece => {
    if (piece === '*') return '.*'
    if (piece === '?') return '.'
    if (piece.length === 1) return piece.replace(/[\\^$.+()[\]{}|/&]/, String.raw`\$&`)
    return piece.replace(/^\[!/, '[^')
  })
  try {
    return new RegExp(`^(?:${source})$`)
  } catch {
    throw new Mistake(
      'BAD_PATTERN',
      term,
      `\`${glob}\` is not a pattern of names`,
      'Close every `[` with `]`.',
    )
  }
}
