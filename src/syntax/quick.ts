import type { Entry, ListNode, MapNode, Node, ScalarNode } from './node.ts'
import type { Places } from './place.ts'
import { nothingAt, scalarAt } from './scalar.ts'

/**
 * Returns the tree of a text in the plain YAML that nearly every file is written in: block maps and lists, flow
 * collections and scalars that end on their line, literal blocks, comments. Undefined where anything else occurs,
 * mistakes included; the full parser reads the text then, and says what is wrong. What both read they read alike, which
 * a property test holds. A project of two thousand tasks is read in a fifth of the time.
 */
export function parseQuick(places: Places): Node | undefined {
  const { text } = places
  if (/[\t\r\uFEFF]|^%|\n%|\n\.\.\.|\n---/.test(text.startsWith('---\n') ? text.slice(3) : text))
    return undefined
  const cursor: Cursor = { places, text, at: text.startsWith('---\n') ? 4 : 0, column: 0 }
  try {
    toContent(cursor)
    if (cursor.at >= text.length) return undefined
    const node = block(cursor)
    return cursor.at >= text.length ? node : undefined
  } catch (found) {
    if (found instanceof NotPlain) return undefined
    throw found
  }
}

/** Something that only the full parser understands. */
class NotPlain extends Error {}

function leave(): never {
  throw new NotPlain()
}

interface Cursor {
  readonly places: Places
  readonly text: string
  /** The next character that is neither blank nor in a comment. */
  at: number
  /** How many characters stand before it on its line. */
  column: number
}

/** Goes from the beginning of a line to the first content, over empty lines and comments. */
function toContent(cursor: Cursor): void {
  const { text } = cursor
  let lineStart = cursor.at
  for (;;) {
    let at = lineStart
    while (text[at] === ' ') at++
    if (at < text.length && text[at] !== '\n' && text[at] !== '#') {
      cursor.at = at
      cursor.column = at - lineStart
      return
    }
    const end = text.indexOf('\n', at)
    if (end < 0) {
      cursor.at = text.length
      cursor.column = -1
      return
    }
    lineStart = end + 1
  }
}

const REST = / *(?: #[^\n]*)?(?:\n|$)/y

/** Goes to the next content where nothing but a comment is left on the line. */
function endLine(cursor: Cursor): void {
  REST.lastIndex = cursor.at
  if (!REST.test(cursor.text)) leave()
  cursor.at = REST.lastIndex
  toContent(cursor)
}

function isItem({ text, at }: Cursor): boolean {
  return text[at] === '-' && (text[at + 1] === ' ' || text[at + 1] === '\n' || at + 1 === text.length)
}

function block(cursor: Cursor): Node {
  if (isItem(cursor)) return list(cursor)
  if (hasKey(cursor)) return map(cursor)
  return leave()
}

function list(cursor: Cursor): ListNode {
  const { at: start, column } = cursor
  const items: Node[] = []
  while (cursor.column === column && isItem(cursor)) {
    cursor.at++
    const from = cursor.at
    while (cursor.text[cursor.at] === ' ') cursor.at++
    cursor.column = column + 1 + cursor.at - from
    items.push(itemValue(cursor, column))
  }
  if (cursor.column > column) leave()
  return { kind: 'list', items, at: cursor.places.span(start, Infinity) }
}

function itemValue(cursor: Cursor, outer: number): Node {
  const nothing = cursor.at
  if (cursor.text[nothing] === '\n' || cursor.text[nothing] === '#' || nothing >= cursor.text.length) {
    endComment(cursor)
    return cursor.column > outer ? block(cursor) : nothingAt(cursor.places, nothing)
  }
  return isItem(cursor) || hasKey(cursor) ? block(cursor) : inline(cursor, outer)
}

/** Goes to the next content from blanks that have been passed already. */
function endComment(cursor: Cursor): void {
  cursor.at--
  if (cursor.text[cursor.at] !== ' ' && cursor.text[cursor.at + 1] === '#') leave()
  cursor.at++
  const end = cursor.text.indexOf('\n', cursor.at)
  cursor.at = end < 0 ? cursor.text.length : end + 1
  toContent(cursor)
}

function map(cursor: Cursor): MapNode {
  const { at: start, column } = cursor
  const entries: Entry[] = []
  const names = new Set<string>()
  while (cursor.column === column && cursor.at < cursor.text.length) {
    const key = readKey(cursor)
    const name = String(key.value)
    if (names.has(name)) leave()
    names.add(name)
    entries.push({ key, value: entryValue(cursor, column) })
  }
  if (cursor.column > column) leave()
  return { kind: 'map', entries, at: cursor.places.span(start, Infinity) }
}

const PLAIN_KEY = /[\w./][\w./ -]*?(?= *:(?:[ \n]|$))/y
const QUOTED_KEY = /(?:"[^"\\\n]*"|'[^'\n]*')(?= *:(?:[ \n]|$))/y

function hasKey({ text, at }: Cursor): boolean {
  PLAIN_KEY.lastIndex = at
  QUOTED_KEY.lastIndex = at
  return PLAIN_KEY.test(text) || QUOTED_KEY.test(text)
}

/** Reads a key and its colon; the blanks behind are passed. */
function readKey(cursor: Cursor): ScalarNode {
  const { text, places, at: start } = cursor
  PLAIN_KEY.lastIndex = start
  QUOTED_KEY.lastIndex = start
  const plain = PLAIN_KEY.exec(text)?.[0]
  const found = plain ?? QUOTED_KEY.exec(text)?.[0] ?? leave()
  const end = start + found.length
  cursor.at = end
  while (text[cursor.at] === ' ') cursor.at++
  cursor.at++
  while (text[cursor.at] === ' ') cursor.at++
  if (plain !== undefined)
    return scalarAt(places, { style: 'plain', start, end, text: plain, value: coreValue(plain) })
  const inner = found.slice(1, -1)
  return scalarAt(places, {
    style: found[0] === '"' ? 'double' : 'single',
    start,
    end,
    text: inner,
    value: inner,
  })
}

function entryValue(cursor: Cursor, outer: number): Node {
  const { text, at } = cursor
  if (text[at] !== '\n' && text[at] !== '#' && at < text.length) return inline(cursor, outer)
  endComment(cursor)
  if (cursor.column > outer || (cursor.column === outer && isItem(cursor))) return block(cursor)
  return nothingAt(cursor.places, at)
}

/** Reads a value that begins on the line of its key or dash; nothing may go on below it. */
function inline(cursor: Cursor, outer: number): Node {
  const first = cursor.text[cursor.at]
  if (first === '|') return literal(cursor, outer)
  const node = first === '{' || first === '[' ? flow(cursor) : (quoted(cursor) ?? plainLine(cursor))
  endLine(cursor)
  if (cursor.column > outer) leave()
  return node
}

const LITERAL = /\|(-?) *(?: #[^\n]*)?\n/y

function literal(cursor: Cursor, outer: number): ScalarNode {
  const { text, places, at: start } = cursor
  LITERAL.lastIndex = start
  const header = LITERAL.exec(text) ?? leave()
  const from = start + header[0].length
  const lines: string[] = []
  let indent = -1
  let at = from
  let end = from
  while (at < text.length) {
    const lineEnd = text.indexOf('\n', at)
    if (lineEnd < 0) leave()
    let content = at
    while (text[content] === ' ') content++
    const spaces = content - at
    if (text[content] === '\n') {
      if (indent < 0 ? spaces > 0 : spaces > indent) leave()
      lines.push('')
    } else {
      if (indent < 0 && spaces > outer) indent = spaces
      if (indent < 0 || spaces < indent) break
      lines.push(text.slice(at + indent, lineEnd))
      end = lineEnd + 1
    }
    at = lineEnd + 1
  }
  if (indent < 0) leave()
  cursor.at = at
  toContent(cursor)
  if (cursor.column > outer) leave()
  while (lines.at(-1) === '') lines.pop()
  const value = lines.join('\n') + (header[1] === '-' ? '' : '\n')
  return scalarAt(places, { style: 'literal', start, end, text: value, value })
}

const SINGLE = /'((?:[^'\n]|'')*)'/y
const DOUBLE = /"((?:[^"\\\n]|\\["\\/nrt])*)"/y
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

function quoted(cursor: Cursor): ScalarNode | undefined {
  const { text, places, at: start } = cursor
  const quote = text[start]
  if (quote !== '"' && quote !== "'") return undefined
  const pattern = quote === '"' ? DOUBLE : SINGLE
  pattern.lastIndex = start
  const inner = pattern.exec(text)?.[1] ?? leave()
  const end = pattern.lastIndex
  const value =
    quote === "'"
      ? inner.replaceAll("''", "'")
      : inner.replace(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter)
  cursor.at = end
  return scalarAt(places, { style: quote === '"' ? 'double' : 'single', start, end, text: value, value })
}

/** Text up to the end of the line; `: `, a colon at its end and a comment without a blank are left to the full parser. */
const PLAIN_LINE = /(?:[^\s\-?:,[\]{}#&*!|>'"%@`]|-(?=[^\s]))(?:[^\n:# ]|:(?=[^ \n])|#|(?: +(?=[^ #\n])))*/y

function plainLine(cursor: Cursor): ScalarNode {
  const { text, places, at: start } = cursor
  PLAIN_LINE.lastIndex = start
  const found = PLAIN_LINE.exec(text)?.[0] ?? leave()
  const end = start + found.length
  cursor.at = end
  return scalarAt(places, { style: 'plain', start, end, text: found, value: coreValue(found) })
}

function flow(cursor: Cursor): Node {
  const first = cursor.text[cursor.at]
  if (first === '{') return flowMap(cursor)
  if (first === '[') return flowList(cursor)
  return quoted(cursor) ?? flowPlain(cursor)
}

function flowList(cursor: Cursor): ListNode {
  const start = cursor.at
  const items: Node[] = []
  step(cursor)
  while (cursor.text[cursor.at] !== ']') {
    items.push(flow(cursor))
    nextInFlow(cursor, ']')
  }
  cursor.at++
  return { kind: 'list', items, at: cursor.places.span(start, cursor.at) }
}

function flowMap(cursor: Cursor): MapNode {
  const start = cursor.at
  const entries: Entry[] = []
  const names = new Set<string>()
  step(cursor)
  while (cursor.text[cursor.at] !== '}') {
    const key = readKey(cursor)
    const name = String(key.value)
    if (names.has(name) || /[,}\]\n]/.test(cursor.text[cursor.at] ?? '\n')) leave()
    names.add(name)
    entries.push({ key, value: flow(cursor) })
    nextInFlow(cursor, '}')
  }
  cursor.at++
  return { kind: 'map', entries, at: cursor.places.span(start, cursor.at) }
}

function step(cursor: Cursor): void {
  cursor.at++
  while (cursor.text[cursor.at] === ' ') cursor.at++
}

/** Passes a comma, or stays before the closing bracket. */
function nextInFlow(cursor: Cursor, closing: string): void {
  while (cursor.text[cursor.at] === ' ') cursor.at++
  const next = cursor.text[cursor.at]
  if (next === ',') step(cursor)
  else if (next !== closing) leave()
}

const FLOW_PLAIN = /[\w./~$+^(=][^\n:#,[\]{} ]*(?: +[^\n:#,[\]{} ]+)*(?= *[,\]}])/y

function flowPlain(cursor: Cursor): ScalarNode {
  const { text, places, at: start } = cursor
  FLOW_PLAIN.lastIndex = start
  const found = FLOW_PLAIN.exec(text)?.[0] ?? leave()
  const end = start + found.length
  cursor.at = end
  return scalarAt(places, { style: 'plain', start, end, text: found, value: coreValue(found) })
}

/** What a plain scalar stands for in YAML 1.2's core schema. */
function coreValue(text: string): ScalarNode['value'] {
  if (/^(?:~|[Nn]ull|NULL)$/.test(text)) return null
  if (/^(?:[Tt]rue|TRUE)$/.test(text)) return true
  if (/^(?:[Ff]alse|FALSE)$/.test(text)) return false
  if (!/^[-+.\d]/.test(text)) return text
  if (/^(?:[-+]?\d+|0x[\da-fA-F]+|[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?)$/.test(text))
    return Number(text)
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  return /^\.(?:nan|NaN|NAN)$/.test(text) ? NaN : text
}
