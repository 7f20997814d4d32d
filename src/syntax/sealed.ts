import { type OnProblem, SourceError } from '../base/error.ts'
import { MASK, type Secret } from '../base/secret.ts'
import type { Span } from '../base/span.ts'
import { get, type Entry, type MapNode, type Node, plain, type ScalarNode } from './node.ts'
import { parseYaml } from './parse.ts'

/** Opens what is encrypted. Each function throws SourceError where it is that and does not open. */
export interface Unsealing {
  /** Returns the text of a file that is encrypted as a whole; undefined where it is not. */
  readonly whole: (text: string, at: Span) => string | undefined
  /** Returns what a scalar with the tag `!age` or `!vault` holds. */
  readonly value: (text: string, at: Span) => string
  /** Returns what the values of a file hold that sops encrypted one by one; undefined for those that are in the open. */
  readonly values: (
    leaves: readonly SealedLeaf[],
    metadata: unknown,
    at: Span,
  ) => readonly (string | number | boolean | undefined)[]
  /** Returns a value as a secret that is masked from now on. */
  readonly keep: (value: string) => Secret
}

/** A value of a file that sops encrypted, and the keys that lead to it, positions in lists left out. */
export interface SealedLeaf {
  readonly path: readonly string[]
  readonly value: ScalarNode['value']
}

/** Tags of scalars that hold one encrypted value. */
const SEALED_TAGS: ReadonlySet<string | undefined> = new Set(['!age', '!vault'])

/** Returns a file's tree, everything encrypted in it opened and hidden in its node; places are those of the opened text. */
export function openFile(
  text: string,
  file: string,
  unsealing: Unsealing,
  onProblem: OnProblem,
): { readonly node: Node | undefined; readonly isWhole: boolean } {
  const at: Span = { file, line: 1, col: 1, length: 1 }
  let isWhole = false
  try {
    const opened = unsealing.whole(text, at)
    isWhole = opened !== undefined
    const node = parseYaml(opened ?? text, file, isWhole ? discreet(onProblem) : onProblem)
    if (node === undefined) return { node, isWhole }
    const parts = /!(?:age|vault)\b/.test(opened ?? text) ? openValues(node, unsealing, onProblem) : node
    if (isWhole) return { node: hidden(parts, unsealing), isWhole }
    return { node: openLeaves(parts, unsealing), isWhole }
  } catch (error) {
    if (!(error instanceof SourceError)) throw error
    onProblem(error)
    return { node: undefined, isWhole }
  }
}

/** What is wrong inside an encrypted file is told without a word of its text. */
function discreet(onProblem: OnProblem): OnProblem {
  return ({ code, at }) => {
    onProblem(
      new SourceError(code, at, 'the decrypted text cannot be read here', {
        hint: `Run \`msingi secrets edit ${at.file}\`; lines count in the decrypted text.`,
      }),
    )
  }
}

function openValues(node: Node, unsealing: Unsealing, onProblem: OnProblem): Node {
  return mapScalars(node, scalar => {
    if (!SEALED_TAGS.has(scalar.tag)) return scalar
    try {
      return withSecret(scalar, unsealing.keep(unsealing.value(String(scalar.value), scalar.at)))
    } catch (error) {
      if (!(error instanceof SourceError)) throw error
      onProblem(error)
      return { ...scalar, value: MASK, text: MASK }
    }
  })
}

function hidden(node: Node, unsealing: Unsealing): Node {
  return mapScalars(node, scalar => {
    if (scalar.secret !== undefined || scalar.value === null || typeof scalar.value === 'boolean')
      return scalar
    return withSecret(scalar, unsealing.keep(typeof scalar.value === 'number' ? scalar.text : scalar.value))
  })
}

function withSecret(scalar: ScalarNode, secret: Secret): ScalarNode {
  return { ...scalar, value: MASK, text: MASK, quoted: true, secret }
}

/** A file of sops keeps its keys in the open, and says below `sops` how its values were encrypted. */
function openLeaves(node: Node, unsealing: Unsealing): Node {
  const metadata = node.kind === 'map' ? get(node, 'sops') : undefined
  if (node.kind !== 'map' || metadata?.kind !== 'map' || get(metadata, 'mac') === undefined) return node
  const own: MapNode = { ...node, entries: node.entries.filter(({ value }) => value !== metadata) }
  const leaves = [...leavesOf(own, [])]
  const values = unsealing.values(leaves, plain(metadata), metadata.at)
  let index = 0
  return mapScalars(own, scalar => {
    const value = values[index++]
    if (value === undefined) return scalar
    if (typeof value === 'boolean') return { ...scalar, value, text: String(value), quoted: false }
    return withSecret(scalar, unsealing.keep(String(value)))
  })
}

function* leavesOf(node: Node, path: readonly string[]): Generator<SealedLeaf, void> {
  if (node.kind === 'scalar') yield { path, value: node.value }
  else if (node.kind === 'list') for (const item of node.items) yield* leavesOf(item, path)
  else for (const { key, value } of node.entries) yield* leavesOf(value, [...path, String(key.value)])
}

/** Returns a tree of the same shape; values are changed in the order in which they stand, keys stay. */
function mapScalars(node: Node, change: (scalar: ScalarNode) => ScalarNode): Node {
  switch (node.kind) {
    case 'scalar':
      return change(node)
    case 'list':
      return { ...node, items: node.items.map(item => mapScalars(item, change)) }
    case 'map':
      return {
        ...node,
        entries: node.entries.map(({ key, value }): Entry => ({ key, value: mapScalars(value, change) })),
      }
  }
}
