import type { Span } from '../base/span.ts'
import { asBoolean } from '../syntax/boolean.ts'
import type { MapNode, Node } from '../syntax/node.ts'

/** A value that is not what its keyword takes. */
export interface Mismatch {
  readonly at: Span
  /** What was found, then what was expected. */
  readonly message: string
  readonly hint?: string
}

/** Says what is wrong with a keyword's value, or nothing. */
export type Shape = (value: Node) => Mismatch | undefined

/** Returns a node in the words of a message. */
export function shown(node: Node): string {
  if (node.kind !== 'scalar') return node.kind === 'map' ? 'a map' : 'a list'
  if (node.value === null) return 'nothing'
  const line = node.text.split('\n', 1)[0] ?? ''
  return line.length > 40 ? `\`${line.slice(0, 40)}…\`` : `\`${line}\``
}

export function isNull(node: Node): boolean {
  return node.kind === 'scalar' && node.value === null
}

/** Tells whether the value is text that holds a template, so that it is known only at run time. */
export function isTemplate(node: Node): boolean {
  return node.kind === 'scalar' && typeof node.value === 'string' && node.value.includes('{{')
}

/** Tells whether there is a template anywhere inside. */
export function holdsTemplate(node: Node): boolean {
  if (node.kind === 'scalar') return isTemplate(node)
  if (node.kind === 'list') return node.items.some(holdsTemplate)
  return node.entries.some(({ key, value }) => isTemplate(key) || holdsTemplate(value))
}

function mismatch(node: Node, expected: string, hint?: string): Mismatch {
  const message = `${shown(node)}, expected ${expected}`
  return hint === undefined ? { at: node.at, message } : { at: node.at, message, hint }
}

export const text: Shape = node =>
  node.kind === 'scalar' && (typeof node.value === 'string' || typeof node.value === 'number')
    ? undefined
    : mismatch(node, 'text')

export const flag: Shape = node =>
  isTemplate(node) || asBoolean(node) !== undefined
    ? undefined
    : mismatch(node, '`true` or `false`', 'Write `true` or `false`.')

export const number: Shape = node => {
  if (isTemplate(node)) return undefined
  const isNumber =
    node.kind === 'scalar' &&
    (typeof node.value === 'number'
      ? node.value >= 0
      : typeof node.value === 'string' && /^\d+(?:\.\d+)?$/.test(node.value))
  return isNumber ? undefined : mismatch(node, 'a number that is not negative')
}

export const percentage: Shape = node =>
  node.kind === 'scalar' && typeof node.value === 'string' && /^\d+(?:\.\d+)?%$/.test(node.value)
    ? undefined
    : number(node)

/** One condition, or a list of them of which all must hold. */
export const condition: Shape = node => {
  if (node.kind === 'list') return firstMismatch(node.items, oneCondition)
  return oneCondition(node)
}

function oneCondition(node: Node): Mismatch | undefined {
  const fits =
    node.kind === 'scalar' &&
    (typeof node.value === 'boolean' || (typeof node.value === 'string' && node.value.trim() !== ''))
  return fits
    ? undefined
    : mismatch(node, 'a condition', "Write an expression, such as `facts.family == 'debian'`.")
}

/** A word or a list of words; a number is taken for a word. */
export const words: Shape = node => (node.kind === 'list' ? firstMismatch(node.items, text) : text(node))

export const map: Shape = node =>
  node.kind === 'map' || isNull(node) || isTemplate(node) ? undefined : mismatch(node, 'a map')

/** A pattern of hosts, or a list of them. */
export const shapeOfHosts: Shape = node => {
  const items = node.kind === 'list' ? node.items : [node]
  const wrong = items.find(
    item => item.kind !== 'scalar' || typeof item.value !== 'string' || item.value.trim() === '',
  )
  if (wrong) return mismatch(wrong, 'a group, a host or a pattern')
  return items.length > 0 ? undefined : mismatch(node, 'at least one group or host')
}

/** A map of variables, the names of which can be written in templates. */
export const variables: Shape = node => {
  if (isNull(node)) return undefined
  if (node.kind !== 'map') return mismatch(node, 'a map of variables')
  for (const { key } of node.entries) {
    if (typeof key.value === 'string' && isName(key.value)) continue
    return mismatch(
      key,
      'a variable name',
      'Use letters, digits and `_` only, and begin with a letter or `_`.',
    )
  }
  return undefined
}

export const environment: Shape = node => (node.kind === 'list' ? firstMismatch(node.items, map) : map(node))

export const name: Shape = node =>
  node.kind === 'scalar' && typeof node.value === 'string' && isName(node.value)
    ? undefined
    : mismatch(node, 'a variable name', 'Use letters, digits and `_` only, and begin with a letter or `_`.')

export const listOrTemplate: Shape = node =>
  node.kind === 'list' || isTemplate(node)
    ? undefined
    : mismatch(node, 'a list', 'Write a list, or one template that gives a list.')

/** Batch sizes: a number, a percentage, or a list of them. */
export const serial: Shape = node =>
  node.kind === 'list' ? firstMismatch(node.items, percentage) : percentage(node)

/** One of a few words. */
export function oneOf(...choices: readonly string[]): Shape {
  return node => {
    if (isTemplate(node)) return undefined
    if (node.kind === 'scalar' && typeof node.value === 'string' && choices.includes(node.value))
      return undefined
    return mismatch(node, choices.map(choice => `\`${choice}\``).join(' or '))
  }
}

/** Either of two shapes; the complaint is the first one's. */
export function either(first: Shape, second: Shape): Shape {
  return node => (second(node) === undefined ? undefined : first(node))
}

export function isName(word: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(word)
}

function firstMismatch(items: readonly Node[], shape: Shape): Mismatch | undefined {
  for (const item of items) {
    const found = shape(item)
    if (found) return found
  }
  return undefined
}

/** Returns the map, an empty keyword counting as no map. */
export function asMap(node: Node | undefined): MapNode | undefined {
  return node?.kind === 'map' ? node : undefined
}
