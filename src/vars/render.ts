import { SourceError } from '../base/error.ts'
import type { Secret } from '../base/secret.ts'
import type { Unknown } from '../base/unknown.ts'
import type { Node, ScalarNode } from '../syntax/node.ts'
import { Evaluation } from './evaluation.ts'
import type { Names } from './names.ts'
import { templateOf, templateOfFile } from './template.ts'
import type { Template } from './template-tree.ts'
import { sealDeep, TouchedUnknown } from './value.ts'

/**
 * Returns the node as plain data with every template in it rendered. A text that is exactly one `{{ … }}` gives the
 * value itself, with its type; every other text gives a string, a `Secret` where a secret was put into it, and
 * `Unknown` where it touched something that cannot be known yet.
 * @throws SourceError where a template is wrong or names something undefined; Pending where an answer is outstanding.
 */
export function render(node: Node, scope: Names): unknown {
  switch (node.kind) {
    case 'scalar':
      return renderScalar(node, scope)
    case 'list':
      return node.items.map(item => render(item, scope))
    case 'map':
      return Object.fromEntries(
        node.entries.map(({ key, value }) => [keyText(key, scope), render(value, scope)]),
      )
  }
}

/**
 * Returns the text of a template file, rendered. Errors carry their place in that file.
 * @returns A `Secret` where a secret was put into the text.
 */
export function renderText(text: string, file: string, scope: Names): string | Secret | Unknown {
  const template = templateOfFile(text, file)
  return stopAtUnknown(() => new Evaluation(sound(template), scope).text())
}

/**
 * Returns whether the node is a text with a template; one marked `!unsafe` never is, nor is a value that was encrypted by
 * itself: whoever encrypts a password means every character of it.
 */
export function isTemplate(node: Node): boolean {
  if (node.kind !== 'scalar' || node.tag !== undefined) return false
  const text = node.secret === undefined ? node.value : node.secret.reveal()
  return typeof text === 'string' && text.includes('{{')
}

/** Returns whether a template stands anywhere in the node. */
export function containsTemplate(node: Node): boolean {
  switch (node.kind) {
    case 'scalar':
      return isTemplate(node)
    case 'list':
      return node.items.some(containsTemplate)
    case 'map':
      return node.entries.some(({ key, value }) => isTemplate(key) || containsTemplate(value))
  }
}

function renderScalar(node: ScalarNode, scope: Names): unknown {
  if (node.tag !== undefined && scope.open) {
    const opened = scope.open(node)
    if (opened !== undefined) return opened
  }
  if (!isTemplate(node)) return node.secret ?? node.value
  const value = renderTemplate(node, scope)
  return node.secret === undefined ? value : sealDeep(value)
}

function renderTemplate(node: ScalarNode, scope: Names): unknown {
  return stopAtUnknown(() => {
    const evaluation = new Evaluation(sound(templateOf(node)), scope)
    return evaluation.sole() ?? { value: evaluation.text() }
  }, native)
}

function keyText(key: ScalarNode, scope: Names): string {
  if (!isTemplate(key)) return String(key.value)
  const rendered = renderScalar(key, scope)
  if (typeof rendered === 'string' || typeof rendered === 'number') return String(rendered)
  throw new SourceError('BAD_TEMPLATE', key.at, 'a key must be a text that is known before the run')
}

interface Native {
  readonly value: unknown
}

function native({ value }: Native): unknown {
  return value
}

function sound(template: Template): Template {
  const [problem] = template.problems
  if (problem) throw problem
  return template
}

function stopAtUnknown<T>(evaluate: () => T): T | Unknown
function stopAtUnknown<T, U>(evaluate: () => T, then: (value: T) => U): U | Unknown
function stopAtUnknown<T>(evaluate: () => T, then: (value: T) => unknown = value => value): unknown {
  try {
    return then(evaluate())
  } catch (error) {
    if (error instanceof TouchedUnknown) return error.unknown
    throw error
  }
}
