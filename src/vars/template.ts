import Handlebars from 'handlebars'
import { SourceError } from '../base/error.ts'
import type { ScalarNode } from '../syntax/node.ts'
import { jinjaStatement, templateHint } from './jinja.ts'
import { TemplateReader } from './template-reader.ts'
import type { Place, Template } from './template-tree.ts'

const ofNodes = new WeakMap<ScalarNode, Template>()
const ofFiles = new Map<string, Template>()

/** Kept so that a process that renders thousands of files does not hold all of them. */
const MOST_FILES = 1000

/** Returns the scalar's text as a template, parsed the first time it is asked for. */
export function templateOf(node: ScalarNode): Template {
  const known = ofNodes.get(node)
  if (known) return known
  const template =
    node.secret === undefined
      ? parse(String(node.value), node.placeOf)
      : discreet(parse(node.secret.reveal(), node.placeOf))
  ofNodes.set(node, template)
  return template
}

/** What is wrong with an encrypted text is told without a word of it. */
function discreet(template: Template): Template {
  const problems = template.problems.map(
    ({ code, at }) =>
      new SourceError(code, at, 'the template in this encrypted text is wrong', {
        hint: 'a secret that holds `{{` itself is taken as it is where it stands alone, behind `!age |`',
      }),
  )
  return { ...template, problems }
}

/** Returns the text of a template file, parsed the first time it is asked for. */
export function templateOfFile(text: string, file: string): Template {
  const key = `${file}\0${text}`
  const known = ofFiles.get(key)
  if (known) return known
  if (ofFiles.size >= MOST_FILES) ofFiles.clear()
  const template = parse(text, placesIn(text, file))
  ofFiles.set(key, template)
  return template
}

/** Returns the offset at which every line begins, counted as Handlebars counts lines. */
function lineStarts(text: string): readonly number[] {
  return [0, ...Array.from(text.matchAll(/\r\n?|\n/g), match => match.index + match[0].length)]
}

function parse(text: string, placeOf: Template['placeOf']): Template {
  const statement = jinjaStatement(text)
  if (statement) {
    const at = placeOf(statement.offset, statement.length)
    const problem = new SourceError('BAD_TEMPLATE', at, statement.message, { hint: statement.hint })
    return { pieces: [], problems: [problem], placeOf }
  }
  if (!text.includes('{{')) return { pieces: [{ kind: 'text', text }], problems: [], placeOf }
  try {
    const reader = new TemplateReader(text, lineStarts(text), placeOf)
    const pieces = reader.program(Handlebars.parse(text))
    return { pieces, problems: reader.problems, placeOf }
  } catch (cause) {
    return { pieces: [], problems: [syntaxProblem(text, placeOf, cause)], placeOf }
  }
}

function syntaxProblem(text: string, placeOf: Template['placeOf'], cause: unknown): SourceError {
  const { offset, length, message } = whereItFailed(text, cause)
  return new SourceError('BAD_TEMPLATE', placeOf(offset, length), message, {
    hint: templateHint(text, offset),
    cause,
  })
}

interface Failure extends Place {
  readonly message: string
}

/** Handlebars throws text for a bad token and a positioned exception for blocks that do not close. */
function whereItFailed(text: string, cause: unknown): Failure {
  if (cause instanceof Handlebars.Exception && typeof cause.lineNumber === 'number') {
    const offset = (lineStarts(text)[cause.lineNumber - 1] ?? 0) + Number(cause.column)
    return { offset, length: 1, message: cause.message.replace(/ - \d+:\d+$/, '') }
  }
  const lexer = lexerOf(Handlebars)
  const offset = Math.max(0, lexer.matched.length - lexer.match.length)
  if (offset >= text.length) return { ...lastOpening(text), message: 'this is not closed' }
  const open = text.lastIndexOf('{{', offset)
  if (open >= 0 && !text.includes('}}', open))
    return { offset: open, length: 2, message: 'this is not closed' }
  const found = lexer.match === '' ? text.slice(offset, offset + 1) : lexer.match
  return { offset, length: found.length, message: `\`${found}\` cannot stand here` }
}

/** The parser keeps how far it came; its types do not say so. */
function lexerOf(library: unknown): { readonly matched: string; readonly match: string } {
  return (library as { Parser: { lexer: { matched: string; match: string } } }).Parser.lexer
}

function lastOpening(text: string): Place {
  const blocks = [...text.matchAll(/\{\{\{?\{?[~]?[#^][^}]*\}\}/g)]
  const block = blocks.at(-1)
  if (block) return { offset: block.index, length: block[0].length }
  return { offset: Math.max(0, text.lastIndexOf('{{')), length: 2 }
}

function placesIn(text: string, file: string): Template['placeOf'] {
  let starts: readonly number[] | undefined
  return (offset, length = 1) => {
    starts ??= lineStarts(text)
    const line = Math.max(
      0,
      starts.findLastIndex(start => start <= offset),
    )
    const rest = text.slice(offset).split(/[\r\n]/, 1)[0]?.length ?? 0
    const shown = Math.max(1, Math.min(length, rest))
    return { file, line: line + 1, col: offset - (starts[line] ?? 0) + 1, length: shown }
  }
}
