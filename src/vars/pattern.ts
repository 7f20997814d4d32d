import { BadArgument } from './builtin.ts'

/** A pattern is tried on what hosts answer; a hostile answer must not keep the controller busy for hours. */
const LONGEST_PATTERN = 512
const LONGEST_TEXT = 32_768

/**
 * Returns the pattern ready for use on the text.
 * @throws BadArgument where it is no pattern, where pattern or text is too long, or where a repeated group could be
 * matched in so many ways that time explodes.
 */
export function boundedPattern(pattern: string, text: string, flags = ''): RegExp {
  if (pattern.length > LONGEST_PATTERN)
    throw new BadArgument(`a pattern has at most ${LONGEST_PATTERN} characters`)
  if (text.length > LONGEST_TEXT)
    throw new BadArgument(`a pattern is tried on at most ${LONGEST_TEXT} characters, found ${text.length}`)
  const problem = explosion(pattern)
  if (problem !== undefined) throw new BadArgument(problem)
  try {
    return new RegExp(pattern, flags.includes('u') || flags.includes('v') ? flags : `${flags}u`)
  } catch (strict) {
    return lenient(pattern, flags, strict)
  }
}

/** Returns whether the pattern is found in the text. */
export function matches(text: string, pattern: string): boolean {
  return boundedPattern(pattern, text).test(text)
}

/** Patterns as people write them escape more than Unicode mode allows: `\-`, `\_`. */
function lenient(pattern: string, flags: string, strict: unknown): RegExp {
  try {
    return new RegExp(pattern, flags)
  } catch {
    const reason = strict instanceof Error ? strict.message.replace(/^.*: /, '') : ''
    throw new BadArgument(`\`${pattern}\` is no pattern: ${reason.toLowerCase()}`)
  }
}

interface Group {
  /** Something inside repeats an open number of times. */
  repeats: boolean
  /** First characters of the alternatives; undefined is "anything". */
  readonly firsts: (string | undefined)[]
  atStart: boolean
}

/** Returns why the pattern may take exponential time, or undefined. */
function explosion(pattern: string): string | undefined {
  const open: Group[] = [newGroup()]
  let closed: Group | undefined
  const tokens = pattern.matchAll(
    /\\.|\[(?:\\.|[^\]\\])*\]|\((?:\?(?:[:=!]|<[=!]|<\w+>))?|\)|[*+?]\??|\{\d*,?\d*\}\??|\||[^]/g,
  )
  for (const [token] of tokens) {
    const group = open.at(-1)
    if (!group) return undefined
    if (token.startsWith('(')) {
      note(group, undefined)
      open.push(newGroup())
    } else if (token === ')') {
      closed = open.pop()
      if (open.length === 0) return undefined
      const outer = open.at(-1)
      if (outer && closed?.repeats) outer.repeats = true
      continue
    } else if (token === '|') {
      group.atStart = true
    } else if (isOpenRepeat(token)) {
      if (closed?.repeats) return 'a repeated group must not hold a repetition itself: `(a+)+`'
      if (closed && overlap(closed))
        return 'alternatives of a repeated group must begin differently: `(a|ab)*`'
      group.repeats = true
    } else {
      note(group, token)
    }
    closed = undefined
  }
  return undefined
}

function newGroup(): Group {
  return { repeats: false, firsts: [], atStart: true }
}

function note(group: Group, token: string | undefined): void {
  if (!group.atStart) return
  group.firsts.push(token !== undefined && /^[\w\s/:;,=@%&#!"'<>~-]$/.test(token) ? token : undefined)
  group.atStart = false
}

/** `*`, `+`, `{2,}`, and counts high enough to be as bad. */
function isOpenRepeat(token: string): boolean {
  if (/^[*+]/.test(token)) return true
  const count = /^\{(\d*)(,?)(\d*)\}/.exec(token)
  if (!count) return false
  return count[2] === ',' && count[3] === '' ? true : Number(count[3] || count[1]) > 20
}

function overlap({ firsts }: Group): boolean {
  if (firsts.length < 2) return false
  return firsts.includes(undefined) || new Set(firsts).size < firsts.length
}
