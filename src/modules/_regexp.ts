import { createContext, runInContext, type Context } from 'node:vm'
import { TaskError } from '../base/error.ts'

/** How long matching one file may take. */
const LIMIT_MS = 500

/**
 * Returns the JavaScript expression that means what Python's `re` understands by the pattern, matched against one line.
 *
 * @throws SyntaxError where it cannot be said in JavaScript.
 */
export function pythonPattern(pattern: string): RegExp {
  const { flags, rest } = leadingFlags(pattern)
  let source = ''
  for (const token of rest.matchAll(TOKEN)) source += translate(token)
  return new RegExp(source, flags)
}

/**
 * Returns the expression for a pattern that is matched against a whole text: `^` and `$` are the ends of each line, as with
 * Python's `re.MULTILINE`; with `dotall`, `.` stands for line ends as well.
 *
 * @throws SyntaxError where it cannot be said in JavaScript.
 */
export function pythonTextPattern(pattern: string, dotall = false): RegExp {
  const { flags, rest } = leadingFlags(pattern)
  const isDotAll = dotall || flags.includes('s')
  let source = ''
  for (const token of rest.matchAll(TOKEN))
    source += inText(token.groups?.['single'], isDotAll) ?? translate(token)
  return new RegExp(source, `g${flags.replaceAll(/[ms]/g, '')}`)
}

/** JavaScript takes more characters for line ends than Python does. */
function inText(single: string | undefined, isDotAll: boolean): string | undefined {
  if (single === '^') return '(?<![^\\n])'
  if (single === '$') return '(?![^\\n])'
  return single === '.' && isDotAll ? '[\\s\\S]' : undefined
}

/** `\X`, a class with its closing bracket, `{,n}`, an opening group, or a single character. */
const TOKEN =
  /\\(?<escape>[\s\S])|\[(?<negated>\^?)(?<first>\]?)(?<members>(?:\\[\s\S]|[^\]\\])*)\]|\{,(?<most>\d+)\}|\(\?P(?<named>[<=])(?<name>\w+)(?:\)|>)|\(\?#(?<remark>[^)]*)\)|(?<single>[\s\S])/g

function translate(token: RegExpExecArray): string {
  const { escape, members, first, negated, most, named, name, remark, single } = token.groups ?? {}
  if (escape !== undefined) return translateEscape(escape)
  if (members !== undefined)
    return `[${negated}${first === ']' ? '\\]' : ''}${members.replaceAll('[', '\\[')}]`
  if (most !== undefined) return `{0,${most}}`
  if (named !== undefined) return named === '<' ? `(?<${name}>` : `\\k<${name}>`
  if (remark !== undefined) return ''
  return single === '.' ? '[^\\n]' : (single ?? '')
}

const SAME = new Set('dDwWsSbBnrtfvxu')

function translateEscape(character: string): string {
  if (character === 'A') return '(?<![\\s\\S])'
  if (character === 'Z') return '(?![\\s\\S])'
  if (character === 'a') return '\\x07'
  if (/[A-Za-z]/.test(character) && !SAME.has(character))
    throw new SyntaxError(`\\${character} is not understood`)
  return `\\${character}`
}

function leadingFlags(pattern: string): { flags: string; rest: string } {
  const found = /^\(\?(?<letters>[aiLmsux]+)\)/.exec(pattern)
  const letters = found?.groups?.['letters'] ?? ''
  if (/[xL]/.test(letters)) throw new SyntaxError(`the flag in (?${letters}) is not understood`)
  return { flags: letters.replaceAll(/[^ims]/g, ''), rest: pattern.slice(found?.[0].length ?? 0) }
}

let room: Context | undefined

/**
 * Returns what the pattern matches in each line.
 *
 * @throws TaskError with code `REGEXP_TOO_SLOW`: some patterns take ages on some texts.
 */
export function matchLines(pattern: RegExp, lines: readonly string[]): readonly (RegExpExecArray | null)[] {
  return inRoom(
    'Array.from(things, line => pattern.exec(line))',
    pattern,
    lines,
  ) as (RegExpExecArray | null)[]
}

/**
 * Returns all that the pattern matches in the text, one after the other.
 *
 * @throws TaskError with code `REGEXP_TOO_SLOW`.
 */
export function matchText(pattern: RegExp, text: string): readonly RegExpExecArray[] {
  return inRoom('Array.from(things.matchAll(pattern))', pattern, text) as RegExpExecArray[]
}

function inRoom(code: string, pattern: RegExp, things: unknown): unknown {
  room ??= createContext({})
  Object.assign(room, { pattern, things })
  try {
    return runInContext(code, room, { timeout: LIMIT_MS })
  } catch (error) {
    if (!isTimeout(error)) throw error
    throw new TaskError(
      'REGEXP_TOO_SLOW',
      `\`${pattern.source}\` takes too long to match`,
      'nest no repetitions, as in `(a+)+`',
    )
  }
}

/** The error comes from another realm, so it is no `Error` of this one. */
function isTimeout(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  )
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  f: '\f',
  v: '\v',
  a: '\x07',
  '\\': '\\',
}

/** Returns the line with `\1`, `\g<1>` and `\g<name>` replaced by what matched, as Python's `expand` does. */
export function expandMatch(line: string, match: RegExpExecArray): string {
  return line.replaceAll(
    /\\(?:(?<digits>\d{1,2})|g<(?<group>\w+)>|(?<letter>[\s\S]))/g,
    (...found: unknown[]) => {
      const { digits, group, letter } = found.at(-1) as Record<string, string | undefined>
      const wanted = digits ?? group
      if (wanted === undefined) return ESCAPES[letter ?? ''] ?? `\\${letter ?? ''}`
      const named = /^\d+$/.test(wanted) ? match[Number(wanted)] : match.groups?.[wanted]
      const exists = /^\d+$/.test(wanted) ? Number(wanted) < match.length : wanted in (match.groups ?? {})
      if (exists) return named ?? ''
      throw new TaskError('BAD_BACKREF', `\`\\${wanted}\` names no group of the pattern`)
    },
  )
}
