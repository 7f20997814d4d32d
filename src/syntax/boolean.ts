import type { Node } from './node.ts'

const WORDS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['no', false],
  ['off', false],
])

/** A pattern of JSON Schema, which knows no patterns without regard to case, for the words that stand for a boolean. */
export const BOOLEAN_PATTERN = `^\\s*(?:${[...WORDS.keys()].map(eitherCase).join('|')})\\s*$`

function eitherCase(word: string): string {
  return Array.from(word, letter => `[${letter.toUpperCase()}${letter}]`).join('')
}

/**
 * Returns the boolean a person means where a keyword takes one, or undefined. YAML 1.2 reads `yes` and `no` as text; as
 * the value of a boolean keyword they are Ansible's spelling of true and false.
 */
export function asBoolean(node: Node): boolean | undefined {
  if (node.kind !== 'scalar') return undefined
  if (typeof node.value === 'boolean') return node.value
  return typeof node.value === 'string' ? WORDS.get(node.value.trim().toLowerCase()) : undefined
}
