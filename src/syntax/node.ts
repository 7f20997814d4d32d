import type { Secret } from '../base/secret.ts'
import type { Span } from '../base/span.ts'

/** YAML as a tree that knows where everything stands. Values are those of YAML 1.2's core schema. */
export type Node = ScalarNode | MapNode | ListNode

export interface ScalarNode {
  readonly kind: 'scalar'
  readonly value: string | number | boolean | null
  /** The scalar as it is spelt in the file, quotes removed: `0644` stays `0644`. */
  readonly text: string
  /** Quoted, or a block scalar: certainly meant as text. */
  readonly quoted: boolean
  /** The YAML tag where one is written, such as `!age`. */
  readonly tag?: string
  /** What was encrypted in the file. `value` and `text` show a mask, so that nothing that looks at them can tell it. */
  readonly secret?: Secret
  readonly at: Span
  /** Returns the place of the character at that offset of `value`. */
  readonly placeOf: (offset: number, length?: number) => Span
}

export interface Entry {
  readonly key: ScalarNode
  readonly value: Node
}

export interface MapNode {
  readonly kind: 'map'
  readonly entries: readonly Entry[]
  readonly at: Span
}

export interface ListNode {
  readonly kind: 'list'
  readonly items: readonly Node[]
  readonly at: Span
}

/** Returns a text that stands for what is at the place, as if it were quoted there. */
export function textNode(text: string, at: Span): ScalarNode {
  return { kind: 'scalar', value: text, text, quoted: true, at, placeOf: () => at }
}

/** Returns the value of the key, or undefined. */
export function get(map: MapNode, key: string): Node | undefined {
  return map.entries.find(entry => entry.key.value === key)?.value
}

/** Returns the tree as plain data, nothing rendered. Keys become strings. */
export function plain(node: Node): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value
    case 'list':
      return node.items.map(plain)
    case 'map':
      return Object.fromEntries(node.entries.map(({ key, value }) => [String(key.value), plain(value)]))
  }
}

/** Follows a path of keys and indexes as far as it leads; the place of what is found last is where a bad value stands. */
export function nodeAt(node: Node, path: readonly PropertyKey[]): Node {
  let found = node
  for (const step of path) {
    const next =
      found.kind === 'map'
        ? get(found, String(step))
        : found.kind === 'list'
          ? found.items[Number(step)]
          : undefined
    if (next === undefined) return found
    found = next
  }
  return found
}
