import { type Document, isScalar, visit, type YAMLError } from 'yaml'
import { SourceError } from '../base/error.ts'
import { lineOf, type Places } from './place.ts'

/**
 * Returns what is wrong with the text, one problem a line: what a parser says after its first complaint about a line is
 * mostly an echo of it.
 */
export function complaints(document: Document, places: Places): SourceError[] {
  const problems: SourceError[] = []
  const lines = new Set<number>()
  for (const error of document.errors.toSorted((a, b) => a.pos[0] - b.pos[0])) {
    if (problems.length > 0 && isEcho(error)) continue
    const problem = unclosedQuote(error, document, places) ?? complaint(error, places)
    if (lines.has(problem.at.line)) continue
    lines.add(problem.at.line)
    problems.push(problem)
  }
  return problems
}

function isEcho(error: YAMLError): boolean {
  return error.code === 'UNEXPECTED_TOKEN' && / in YAML stream/.test(error.message)
}

/** The parser misses the closing quote where the text ends; the mistake is better seen where the quotes open. */
function unclosedQuote(error: YAMLError, document: Document, places: Places): SourceError | undefined {
  if (error.code !== 'MISSING_CHAR' || !error.message.endsWith('quote')) return undefined
  let opening: number | undefined
  visit(document, (_, node) => {
    if (isScalar(node) && node.type?.startsWith('QUOTE') && node.range && node.range[0] < error.pos[0]) {
      opening = node.range[0]
    }
  })
  if (opening === undefined) return undefined
  return new SourceError('YAML_SYNTAX', places.span(opening, opening + 1), 'these quotes are not closed', {
    hint: 'Close the quotes.',
    cause: error,
  })
}

function complaint(error: YAMLError, places: Places): SourceError {
  const at = places.span(error.pos[0], Math.max(error.pos[1], error.pos[0] + 1))
  const start = error.pos[0] - (at.col - 1)
  const line = lineOf(places.text, at.line)
  const tab = /^ *(?=\t)/.exec(line)?.[0].length
  if (error.code === 'TAB_AS_INDENT' || tab !== undefined) {
    const from = tab === undefined ? error.pos[0] : start + tab
    return new SourceError('YAML_TAB', places.span(from, from + 1), 'a tab cannot indent YAML', {
      hint: 'Indent with spaces.',
      cause: error,
    })
  }
  const template = /(?:^|[:,[-])\s*(\{\{)/.exec(line)
  if (template) {
    const from = start + template.index + template[0].length - 2
    return unquotedTemplate(places, from, error)
  }
  return new SourceError('YAML_SYNTAX', at, MESSAGES[error.code] ?? lowerFirst(error.message), {
    hint: hintFor(error, line),
    cause: error,
  })
}

/** Returns the problem of a value that begins with `{{` and is not quoted, which YAML takes for a map. */
export function unquotedTemplate(places: Places, from: number, cause?: unknown): SourceError {
  return new SourceError(
    'YAML_SYNTAX',
    places.span(from, from + 2),
    'a value that begins with `{{` is read as a YAML map',
    { hint: 'Put the whole value in quotes.', cause },
  )
}

const MESSAGES: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  MULTIPLE_DOCS: 'a second document begins here, expected one document a file',
  BAD_INDENT: 'this is indented unlike its neighbours',
  BLOCK_AS_IMPLICIT_KEY: 'a second `key: value` on one line',
  RESOURCE_EXHAUSTION: 'nested too deeply to be read',
}

function hintFor(error: YAMLError, line: string): string | undefined {
  switch (error.code) {
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'Put text that holds `: ` in quotes.'
    case 'MULTIPLE_DOCS':
      return 'Put it in a file of its own.'
    case 'BAD_SCALAR_START':
    case 'BAD_ALIAS':
      return 'Put the value in quotes.'
    case 'BAD_INDENT':
      return 'Begin every key of a map, and every item of a list, in the same column.'
    case 'BAD_DQ_ESCAPE':
      return 'Use single quotes, or write the backslash twice.'
    case 'UNEXPECTED_TOKEN':
      return /:\s*["']/.test(line)
        ? 'Put the whole value in quotes.'
        : 'Give every key its `:` and a line of its own.'
    case 'MISSING_CHAR':
      return 'Write it as `key: value`.'
    default:
      return undefined
  }
}

function lowerFirst(message: string): string {
  return message.slice(0, 1).toLowerCase() + message.slice(1)
}
