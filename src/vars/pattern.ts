import { createContext, Script } from 'node:vm'
import { BadArgument } from './builtin.ts'

/** A pattern is tried on what hosts answer; a hostile answer must not keep the controller busy. */
const LONGEST_PATTERN = 1000
const LONGEST_TEXT = 262_144
const DEADLINE_MS = 1000

/** On so short a text no pattern takes long, and the watch would cost more than the work. */
const HARMLESS_TEXT = 20

/**
 * Returns whether the pattern is found in the text.
 * @throws BadArgument where it is no pattern, where pattern or text is too long, or where the search takes too long.
 */
export function matches(text: string, pattern: string): boolean {
  return firstMatch(text, pattern) !== null
}

/** Returns the first match; `^` and `$` stand for the ends of lines. Throws as `matches` does. */
export function firstMatch(text: string, pattern: string): RegExpExecArray | null {
  const found = compiled(pattern, text, 'm')
  return watched(pattern, text, () => found.exec(text))
}

/** Returns the text with every match replaced; `$1` stands for the first group. Throws as `matches` does. */
export function replaceMatches(text: string, pattern: string, by: string): string {
  const found = compiled(pattern, text, 'gm')
  return watched(pattern, text, () => text.replaceAll(found, by))
}

function compiled(pattern: string, text: string, flags: string): RegExp {
  if (pattern.length > LONGEST_PATTERN)
    throw new BadArgument(`a pattern has at most ${LONGEST_PATTERN} characters`)
  if (text.length > LONGEST_TEXT)
    throw new BadArgument(`a pattern is tried on at most ${LONGEST_TEXT} characters, found ${text.length}`)
  try {
    return new RegExp(pattern, `${flags}u`)
  } catch (strict) {
    return lenient(pattern, flags, strict)
  }
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

const watch: { run: () => void } = { run: () => undefined }
let script: { readonly start: () => void } | undefined

/** Only the engine itself can stop a search once it has begun, and only a script's deadline makes it do so. */
function watched<T>(pattern: string, text: string, search: () => T): T {
  if (text.length <= HARMLESS_TEXT || !/[*+{?]/.test(pattern)) return search()
  const results: T[] = []
  watch.run = () => results.push(search())
  script ??= prepared()
  try {
    script.start()
  } catch (error) {
    if (Reflect.get(Object(error), 'code') !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
    throw new BadArgument(`\`${pattern}\` takes too long on this text, more than ${DEADLINE_MS} ms`)
  }
  const [result] = results
  if (result === undefined) throw new Error('the search ended without a result')
  return result
}

function prepared(): { readonly start: () => void } {
  const context = createContext(watch)
  const run = new Script('run()')
  return { start: () => void run.runInContext(context, { timeout: DEADLINE_MS }) }
}
