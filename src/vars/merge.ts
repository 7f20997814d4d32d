import type { Entry, MapNode, Node } from '../syntax/node.ts'

const merges = new WeakMap<Node, { readonly from: readonly Node[]; readonly node: Node }>()

/**
 * Returns the texts put together, strongest first: maps key by key at every depth, anything else as the strongest says.
 * The same texts give the same tree, so that what was rendered of it is found again.
 */
export function mergeAll(strongestFirst: readonly Node[]): Node {
  const [first, ...rest] = strongestFirst
  if (first === undefined) throw new RangeError('nothing to merge')
  const known = merges.get(first)
  if (known && known.from.length === rest.length && known.from.every((node, index) => node === rest[index]))
    return known.node
  const node = rest.reduce(merge, first)
  merges.set(first, { from: rest, node })
  return node
}

function merge(strong: Node, weak: Node): Node {
  if (strong.kind !== 'map' || weak.kind !== 'map') return strong
  const names = new Map(weak.entries.map(entry => [entry.key.text, entry]))
  const entries = strong.entries.map((entry): Entry => {
    const other = names.get(entry.key.text)
    names.delete(entry.key.text)
    return other ? { key: entry.key, value: merge(entry.value, other.value) } : entry
  })
  return { kind: 'map', entries: [...entries, ...names.values()], at: strong.at } satisfies MapNode
}
