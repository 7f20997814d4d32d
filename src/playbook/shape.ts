import type { Span } from '../base/span.ts'
import { asBoolean, BOOLEAN_PATTERN } from '../syntax/boolean.ts'
import type { MapNode, Node } from '../syntax/node.ts'

/** A value that is not what its keyword takes. */
export interface Mismatch {
  readonly at: Span
  /** What was found, then what was expected. */
  readonly message: string
  readonly hint?: string
}

/** A JSON Schema (draft 7). */
export type JsonSchema = Readonly<Record<string, unknown>>

/** Says what is wrong with a keyword's value, or nothing. */
export interface Shape {
  (value: Node): Mismatch | undefined
  /** Accepts the same values, for editors. */
  readonly schema: JsonSchema
}

/** Returns a shape of the check and the schema that says the same. */
export function shape(schema: JsonSchema, check: (value: Node) => Mismatch | undefined): Shape {
  return Object.assign((value: Node) => check(value), { schema })
}

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

/** Tells whether the value is text that holds a template, or is encrypted, so that it is known only at run time. */
export function isTemplate(node: Node): boolean {
  if (node.kind !== 'scalar') return false
  return node.secret !== undefined || (typeof node.value === 'string' && node.value.includes('{{'))
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

/** Text with a template, which is known only at run time. */
const TEMPLATE: JsonSchema = { type: 'string', pattern: String.raw`\{\{` }
const NULL: JsonSchema = { type: 'null' }
const NAME_PATTERN = '^[A-Za-z_][A-Za-z0-9_]*$'

export const text = shape({ type: ['string', 'number'] }, node =>
  node.kind === 'scalar' && (typeof node.value === 'string' || typeof node.value === 'number')
    ? undefined
    : mismatch(node, 'text'),
)

/** A word that says which of several similar things is meant, and stays the same when its surroundings change. */
export const identity = shape({ type: 'string', pattern: String.raw`^[\w.-]+$` }, node =>
  node.kind === 'scalar' && typeof node.value === 'string' && /^[\w.-]+$/.test(node.value)
    ? undefined
    : mismatch(node, 'a word', 'Use letters, digits, `_`, `-` and `.` only.'),
)

export const flag = shape(
  { anyOf: [{ type: 'boolean' }, { type: 'string', pattern: BOOLEAN_PATTERN }, TEMPLATE] },
  node =>
    isTemplate(node) || asBoolean(node) !== undefined
      ? undefined
      : mismatch(node, '`true` or `false`', 'Write `true` or `false`.'),
)

export const number = shape(
  {
    anyOf: [
      { type: 'number', minimum: 0 },
      { type: 'string', pattern: String.raw`^\d+(?:\.\d+)?$` },
      TEMPLATE,
    ],
  },
  node => {
    if (isTemplate(node)) return undefined
    const isNumber =
      node.kind === 'scalar' &&
      (typeof node.value === 'number'
        ? node.value >= 0
        : typeof node.value === 'string' && /^\d+(?:\.\d+)?$/.test(node.value))
    return isNumber ? undefined : mismatch(node, 'a number that is not negative')
  },
)

export const percentage = shape(
  { anyOf: [{ type: 'string', pattern: String.raw`^\d+(?:\.\d+)?%$` }, number.schema] },
  node =>
    node.kind === 'scalar' && typeof node.value === 'string' && /^\d+(?:\.\d+)?%$/.test(node.value)
      ? undefined
      : number(node),
)

const ONE_CONDITION: JsonSchema = { type: ['boolean', 'string'], pattern: String.raw`\S` }

/** One condition, or a list of them of which all must hold. */
export const condition = shape({ anyOf: [ONE_CONDITION, { type: 'array', items: ONE_CONDITION }] }, node =>
  node.kind === 'list' ? firstMismatch(node.items, oneCondition) : oneCondition(node),
)

function oneCondition(node: Node): Mismatch | undefined {
  const fits =
    node.kind === 'scalar' &&
    (typeof node.value === 'boolean' || (typeof node.value === 'string' && node.value.trim() !== ''))
  return fits
    ? undefined
    : mismatch(node, 'a condition', "Write an expression, such as `facts.os.family == 'debian'`.")
}

/** A word or a list of words; a number is taken for a word. */
export const words = shape({ anyOf: [text.schema, { type: 'array', items: text.schema }] }, node =>
  node.kind === 'list' ? firstMismatch(node.items, text) : text(node),
)

export const map = shape({ anyOf: [{ type: 'object' }, NULL, TEMPLATE] }, node =>
  node.kind === 'map' || isNull(node) || isTemplate(node) ? undefined : mismatch(node, 'a map'),
)

const FILLED: JsonSchema = { type: 'string', pattern: String.raw`\S` }

/** A pattern of hosts, or a list of them. */
export const shapeOfHosts = shape(
  { anyOf: [FILLED, { type: 'array', items: FILLED, minItems: 1 }] },
  node => {
    const items = node.kind === 'list' ? node.items : [node]
    const wrong = items.find(
      item => item.kind !== 'scalar' || typeof item.value !== 'string' || item.value.trim() === '',
    )
    if (wrong) return mismatch(wrong, 'a group, a host or a pattern')
    return items.length > 0 ? undefined : mismatch(node, 'at least one group or host')
  },
)

const NAME_HINT = 'Use letters, digits and `_` only, and begin with a letter or `_`.'

/** A map of variables, the names of which can be written in templates. */
export const variables = shape(
  { anyOf: [{ type: 'object', propertyNames: { pattern: NAME_PATTERN } }, NULL] },
  node => {
    if (isNull(node)) return undefined
    if (node.kind !== 'map') return mismatch(node, 'a map of variables')
    const wrong = node.entries.find(({ key }) => typeof key.value !== 'string' || !isName(key.value))
    return wrong && mismatch(wrong.key, 'a variable name', NAME_HINT)
  },
)

export const environment = shape({ anyOf: [map.schema, { type: 'array', items: map.schema }] }, node =>
  node.kind === 'list' ? firstMismatch(node.items, map) : map(node),
)

export const name = shape({ type: 'string', pattern: NAME_PATTERN }, node =>
  node.kind === 'scalar' && typeof node.value === 'string' && isName(node.value)
    ? undefined
    : mismatch(node, 'a variable name', NAME_HINT),
)

export const listOrTemplate = shape({ anyOf: [{ type: 'array' }, TEMPLATE] }, node =>
  node.kind === 'list' || isTemplate(node)
    ? undefined
    : mismatch(node, 'a list', 'Write a list, or one template that gives a list.'),
)

/** Batch sizes: a number, a percentage, or a list of them. */
export const serial = shape(
  { anyOf: [percentage.schema, { type: 'array', items: percentage.schema }] },
  node => (node.kind === 'list' ? firstMismatch(node.items, percentage) : percentage(node)),
)

/** One of a few words. */
export function oneOf(...choices: readonly string[]): Shape {
  return shape({ anyOf: [{ enum: choices }, TEMPLATE] }, node => {
    if (isTemplate(node)) return undefined
    if (node.kind === 'scalar' && typeof node.value === 'string' && choices.includes(node.value))
      return undefined
    return mismatch(node, choices.map(choice => `\`${choice}\``).join(' or '))
  })
}

/** `90`, `90s` or `2m`. */
export const DURATION_PATTERN = String.raw`^\d+ ?[sm]?$`

const duration = shape(
  { anyOf: [{ type: 'integer', minimum: 1 }, { type: 'string', pattern: DURATION_PATTERN }, TEMPLATE] },
  node =>
    isTemplate(node) || (node.kind === 'scalar' && new RegExp(DURATION_PATTERN).test(node.text))
      ? undefined
      : mismatch(node, 'a time', 'Write it as `90s` or `2m`.'),
)

const portNumber = shape({ anyOf: [{ type: 'integer', minimum: 1, maximum: 65_535 }, TEMPLATE] }, node =>
  isTemplate(node) ||
  (node.kind === 'scalar' &&
    Number.isInteger(node.value) &&
    Number(node.value) > 0 &&
    Number(node.value) < 65_536)
    ? undefined
    : mismatch(node, 'a port, 1 to 65535'),
)

const GUARD_KEYS: Readonly<Record<string, Shape>> = { reconnect: duration, port: portNumber }
const guardWord = oneOf('reconnect', 'none')

/** How a change is proved: a word, or the time that is given to it and the port at which the host answers afterwards. */
export const guard = shape(
  {
    anyOf: [
      ...(guardWord.schema['anyOf'] as readonly JsonSchema[]),
      {
        type: 'object',
        properties: Object.fromEntries(Object.entries(GUARD_KEYS).map(([key, { schema }]) => [key, schema])),
        required: ['reconnect'],
        additionalProperties: false,
      },
    ],
  },
  node => {
    if (node.kind !== 'map') return guardWord(node)
    for (const { key, value } of node.entries) {
      const check = Object.hasOwn(GUARD_KEYS, key.text) ? GUARD_KEYS[key.text] : undefined
      if (check === undefined) return mismatch(key, '`reconnect` or `port`')
      const found = check(value)
      if (found) return found
    }
    const isTimed = node.entries.some(({ key }) => key.text === 'reconnect')
    return isTimed ? undefined : mismatch(node, 'a time under `reconnect`', 'Write it as `reconnect: 90s`.')
  },
)

/** Either of two shapes; the complaint is the first one's. */
export function either(first: Shape, second: Shape): Shape {
  return shape({ anyOf: [first.schema, second.schema] }, node =>
    second(node) === undefined ? undefined : first(node),
  )
}

export function isName(word: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(word)
}

function firstMismatch(
  items: readonly Node[],
  look: (node: Node) => Mismatch | undefined,
): Mismatch | undefined {
  for (const item of items) {
    const found = look(item)
    if (found) return found
  }
  return undefined
}

/** Returns the map, an empty keyword counting as no map. */
export function asMap(node: Node | undefined): MapNode | undefined {
  return node?.kind === 'map' ? node : undefined
}
