import { asBoolean } from '../syntax/boolean.ts'
import { get, type Node } from '../syntax/node.ts'
import type { Generate } from './model.ts'
import { type JsonSchema, shape, shown } from './shape.ts'

/** Sets of characters that have a name; any other text stands for its own characters. */
export const ALPHABETS: Readonly<Record<string, string>> = {
  alphanumeric: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
  hex: '0123456789abcdef',
  digits: '0123456789',
  url: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
}

const DEFAULT_LENGTH = 32
const LENGTHS = [8, 1024] as const
const WORDS = [4, 64] as const
/** Fewer different characters make a secret that can be guessed. */
const FEWEST_CHARACTERS = 10

const SCHEMA: JsonSchema = {
  anyOf: [
    { const: true },
    {
      type: 'object',
      properties: {
        length: { type: 'integer', minimum: LENGTHS[0], maximum: LENGTHS[1] },
        alphabet: {
          anyOf: [{ enum: Object.keys(ALPHABETS) }, { type: 'string', minLength: FEWEST_CHARACTERS }],
        },
        words: { type: 'integer', minimum: WORDS[0], maximum: WORDS[1] },
        per: { enum: ['host', 'project'] },
      },
      additionalProperties: false,
    },
  ],
}

/** `generate: true`, or a map that says how long, of which characters or how many words, and one for each host or for all. */
export const generate = shape(SCHEMA, node => {
  if (node.kind === 'scalar' && node.value === true) return undefined
  if (node.kind !== 'map') return { at: node.at, message: `${shown(node)}, expected \`true\` or a map` }
  for (const { key, value } of node.entries) {
    const expected = EXPECTED[String(key.value)]
    if (expected === undefined)
      return { at: key.at, message: `\`${key.text}\`, expected ${Object.keys(EXPECTED).join(', ')}` }
    if (!expected.fits(value)) return { at: value.at, message: `${shown(value)}, expected ${expected.what}` }
  }
  return undefined
})

const EXPECTED: Readonly<
  Record<string, { readonly what: string; readonly fits: (node: Node) => boolean } | undefined>
> = {
  length: { what: `a number from ${LENGTHS.join(' to ')}`, fits: node => isWithin(node, LENGTHS) },
  words: { what: `a number from ${WORDS.join(' to ')}`, fits: node => isWithin(node, WORDS) },
  alphabet: {
    what: `${Object.keys(ALPHABETS).join(', ')} or at least ${FEWEST_CHARACTERS} characters`,
    fits: node =>
      node.kind === 'scalar' &&
      typeof node.value === 'string' &&
      (Object.hasOwn(ALPHABETS, node.value) || node.value.length >= FEWEST_CHARACTERS),
  },
  per: {
    what: '`host` or `project`',
    fits: node => node.kind === 'scalar' && (node.value === 'host' || node.value === 'project'),
  },
}

function isWithin(node: Node, [least, most]: readonly [number, number]): boolean {
  const value = node.kind === 'scalar' ? node.value : undefined
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most
}

/** Returns how a parameter's secret is made, or undefined where it is not. */
export function readGenerate(node: Node | undefined): Generate | undefined {
  if (node === undefined || generate(node) !== undefined) return undefined
  if (node.kind !== 'map')
    return asBoolean(node) === true ? of(undefined, undefined, undefined, 'host') : undefined
  const value = (key: string): unknown => {
    const found = get(node, key)
    return found?.kind === 'scalar' ? found.value : undefined
  }
  return of(value('length'), value('alphabet'), value('words'), value('per'))
}

function of(length: unknown, alphabet: unknown, words: unknown, per: unknown): Generate {
  const letters = typeof alphabet === 'string' ? (ALPHABETS[alphabet] ?? alphabet) : ALPHABETS['alphanumeric']
  return {
    length: typeof length === 'number' ? length : DEFAULT_LENGTH,
    alphabet: letters ?? '',
    words: typeof words === 'number' ? words : undefined,
    per: per === 'project' ? 'project' : 'host',
  }
}
