import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A code with which a task can fail, as the source says it: where it is raised, what it says, what it helps with. */
export interface TaskCode {
  readonly code: string
  /** Files below `src/`. */
  readonly raisedBy: readonly string[]
  /** Messages; \`…\` stands for what differs. */
  readonly says: readonly string[]
  readonly helps: readonly string[]
}

/** Returns every code that a \`TaskError\` or another failure of a task has in the source, in order. */
export function taskCodes(root: string): readonly TaskCode[] {
  const found = new Map<string, { raisedBy: Set<string>; says: Set<string>; helps: Set<string> }>()
  for (const file of globSync('src/{modules,probes,run,shell,transport}/**/*.ts', { cwd: root }).sort()) {
    for (const { codes, message, hint } of raisedIn(readFileSync(join(root, file), 'utf8'))) {
      for (const code of codes) {
        const known = found.get(code) ?? { raisedBy: new Set(), says: new Set(), helps: new Set() }
        found.set(code, known)
        known.raisedBy.add(file)
        for (const text of textsIn(message)) known.says.add(text)
        for (const text of textsIn(hint)) known.helps.add(text)
      }
    }
  }
  return [...found]
    .map(([code, { raisedBy, says, helps }]) => ({
      code,
      raisedBy: [...raisedBy],
      says: [...says],
      helps: [...helps],
    }))
    .sort((a, b) => (a.code < b.code ? -1 : 1))
}

interface Raised {
  readonly codes: readonly string[]
  readonly message: string
  readonly hint: string
}

function raisedIn(text: string): readonly Raised[] {
  const thrown = [...text.matchAll(/new TaskError\(/g)].map(({ 0: head, index }) => {
    const [code = '', message = '', hint = ''] = partsFrom(text, index + head.length)
    return { codes: wordsIn(code), message, hint }
  })
  const plain = [...text.matchAll(/\{\s*(?=code: '[A-Z_]+',\s*message:)/g)].map(({ 0: head, index }) => {
    const fields = new Map(partsFrom(text, index + head.length).map(part => splitField(part)))
    return {
      codes: wordsIn(fields.get('code') ?? ''),
      message: fields.get('message') ?? '',
      hint: fields.get('hint') ?? '',
    }
  })
  return [...thrown, ...plain]
}

function splitField(part: string): readonly [string, string] {
  const colon = part.indexOf(':')
  return [part.slice(0, colon).trim(), part.slice(colon + 1)]
}

function wordsIn(expression: string): readonly string[] {
  return [...expression.matchAll(/'([A-Z][A-Z_]+)'/g)].map(([, word = '']) => word)
}

/** Returns the texts that stand between commas from the offset to the closing bracket. */
function partsFrom(text: string, from: number): readonly string[] {
  const parts: string[] = []
  let start = from
  for (let depth = 0, at = from; at < text.length; at++) {
    const letter = text[at] ?? ''
    if (letter === "'" || letter === '`') at = literalEnd(text, at)
    else if ('([{'.includes(letter)) depth++
    else if (')]}'.includes(letter) && depth-- === 0) {
      parts.push(text.slice(start, at))
      break
    } else if (letter === ',' && depth === 0) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  return parts
}

/** Returns where the literal that begins there ends; holes of a template may hold literals in their turn. */
function literalEnd(text: string, from: number): number {
  const quote = text[from]
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === quote) return at
    else if (quote === '`' && text.startsWith('${', at)) at = holeEnd(text, at + 2)
  }
  return text.length
}

function holeEnd(text: string, from: number): number {
  for (let depth = 0, at = from; at < text.length; at++) {
    const letter = text[at] ?? ''
    if (letter === "'" || letter === '`') at = literalEnd(text, at)
    else if (letter === '{') depth++
    else if (letter === '}' && depth-- === 0) return at
  }
  return text.length
}

/** Returns the literals of an expression, the holes of templates as \`…\`. */
function textsIn(expression: string): readonly string[] {
  const texts: string[] = []
  for (let at = 0; at < expression.length; at++) {
    const letter = expression[at]
    if (letter !== "'" && letter !== '`') continue
    const end = literalEnd(expression, at)
    texts.push(withoutHoles(expression.slice(at + 1, end)))
    at = end
  }
  return texts.filter(text => /[a-z]{2}.* /.test(text))
}

function withoutHoles(literal: string): string {
  let text = ''
  for (let at = 0; at < literal.length; at++) {
    if (literal.startsWith('${', at)) {
      text += '…'
      at = holeEnd(literal, at + 2)
    } else if (literal[at] !== '\\') text += literal[at]
  }
  return text
}
