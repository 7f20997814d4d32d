import { SourceError } from '../base/error.ts'
import type { Span } from '../base/span.ts'
import type { MapNode, Node } from '../syntax/node.ts'
import { plain } from '../syntax/node.ts'
import type { Names, Origin, Sealed } from './names.ts'
import { Pending, PENDING } from './pending.ts'
import { render } from './render.ts'
import { undefinedName } from './undefined-name.ts'
import type { Resolution } from './value.ts'
import { mergeAll } from './merge.ts'
import { follow, inspectDeep, sealDeep } from './value.ts'

export { Pending, PENDING }

/** The six levels of variables, weakest first. */
export const LEVELS = ['role defaults', 'group', 'host', 'play', 'task', 'extra'] as const
export type Level = (typeof LEVELS)[number]

const RANKS = Object.fromEntries(LEVELS.map((level, rank) => [level, rank])) as Readonly<
  Record<Level, number>
>

/** Variables as a person wrote them: values may hold templates, which are rendered when they are asked for. */
export interface Layer {
  readonly level: Level
  /** `group web`, `role nginx`, `-e`. */
  readonly origin: string
  readonly vars: MapNode
}

/** Values that are data, never templates: facts, registered results, loop variables, `set_fact`. */
export type Data = ReadonlyMap<string, unknown>

export interface ScopeParts {
  /** Weakest first within a level; the levels order themselves. */
  readonly layers: readonly Layer[]
  /** Registered results, `set_fact`, facts: stronger than every layer but `extra`. */
  readonly hostData: Data
  /** `item`, `inventory_hostname` and the like: stronger than everything. */
  readonly localData: Data
  /** Variables that are put together from all levels that set them, maps key by key; elsewhere the strongest level wins. */
  readonly merged?: ReadonlySet<string> | undefined
  /** Variables whose texts are secrets. */
  readonly secret?: ReadonlySet<string> | undefined
  /** Opens a scalar with a tag, such as an encrypted value; undefined is "not mine". */
  readonly open?: (sealed: Sealed) => unknown
}

/** One place that sets a variable. Data has no level; `value` is as written where the place did not win. */
export interface Setting extends Origin {
  readonly level: Level | 'run' | 'engine'
  readonly value: unknown
}

export interface Explanation {
  readonly winner: Setting
  /** Strongest first. */
  readonly losers: readonly Setting[]
}

/**
 * The variables of one task on one host: six levels of project text, what the run found out, and what the engine sets.
 * Values are rendered when they are first asked for, and only the part that is asked for.
 */
export class Scope implements Names {
  /** Both strongest first. */
  readonly #extra: readonly Layer[]
  readonly #layers: readonly Layer[]
  readonly #hostData: Data
  readonly #localData: Data
  readonly #merged: ReadonlySet<string>
  readonly #secret: ReadonlySet<string>
  readonly #rendered = new Map<Node, unknown>()
  /** Names whose text is being rendered, outermost first. */
  readonly #rendering = new Set<string>()
  readonly open: ((sealed: Sealed) => unknown) | undefined

  constructor({ layers, hostData, localData, open, merged, secret }: ScopeParts) {
    const ordered = layers.toReversed().sort(byLevel)
    this.#extra = ordered.filter(({ level }) => level === 'extra')
    this.#layers = ordered.filter(({ level }) => level !== 'extra')
    this.#hostData = hostData
    this.#localData = localData
    this.open = open
    this.#merged = merged ?? NO_NAMES
    this.#secret = secret ?? NO_NAMES
  }

  has(name: string): boolean {
    return this.#find(name) !== undefined
  }

  /**
   * Returns the variable's value, rendered; it may be or hold an `Unknown`.
   * @throws SourceError RECURSIVE_VAR, or whatever is wrong with the text that sets it; UNDEFINED_VAR without a
   * place where nobody sets it; Pending where any part of it is outstanding.
   */
  value(name: string): unknown {
    const found = this.resolve(name, [])
    if (!found.found) throw undefinedName(NOWHERE, name, [], found, this)
    inspectDeep(found.value, name)
    return found.value
  }

  resolve(root: string, parts: readonly string[]): Resolution {
    const found = this.#lookUp(root, parts)
    return found.found && this.#secret.has(root) ? { ...found, value: sealDeep(found.value) } : found
  }

  #lookUp(root: string, parts: readonly string[]): Resolution {
    const setting = this.#find(root)
    if (!setting) return { found: false, part: -1, candidates: [], holder: 'nothing' }
    if (!setting.node) return follow(setting.value, root, parts)
    let node = setting.node
    for (const [index, part] of parts.entries()) {
      const next = stepInto(node, part)
      if (next === undefined) return this.#leave(node, root, parts, index)
      node = next
    }
    return { found: true, value: this.#render(node, [root, ...parts].join('.')) }
  }

  names(): Iterable<string> {
    const names = new Set([...this.#localData.keys(), ...this.#hostData.keys()])
    for (const { vars } of this.#layers) for (const name of indexOf(vars).keys()) names.add(name)
    return names
  }

  origin(name: string): Origin | undefined {
    const found = this.#find(name)
    return found && { origin: found.origin, ...(found.node && { at: found.node.at }) }
  }

  /** Returns who sets the variable, strongest first; undefined where nobody does. */
  explain(name: string): Explanation | undefined {
    const [winner, ...losers] = this.#settings(name)
    if (!winner) return undefined
    return { winner: { ...shown(winner), value: this.value(name) }, losers: losers.map(shown) }
  }

  /** Goes on where the text holds no map or list: in the value that it renders to. */
  #leave(node: Node, root: string, parts: readonly string[], part: number): Resolution {
    if (node.kind === 'scalar') {
      const value = this.#render(node, [root, ...parts.slice(0, part)].join('.'))
      return follow(value, root, parts, part)
    }
    if (node.kind === 'list' && parts[part] === 'length' && part === parts.length - 1)
      return { found: true, value: node.items.length }
    const candidates = node.kind === 'map' ? [...indexOf(node).keys()] : []
    return { found: false, part, candidates, holder: node.kind === 'map' ? 'a map' : 'a list' }
  }

  #render(node: Node, name: string): unknown {
    if (this.#rendered.has(node)) return this.#rendered.get(node)
    if (this.#rendering.has(name)) throw recursion(node, [...this.#rendering, name])
    this.#rendering.add(name)
    try {
      const value = render(node, this)
      this.#rendered.set(node, value)
      return value
    } finally {
      this.#rendering.delete(name)
    }
  }

  #find(name: string): Found | undefined {
    if (!this.#merged.has(name)) {
      for (const found of this.#settings(name)) return found
      return undefined
    }
    const [winner, ...losers] = this.#settings(name)
    if (winner?.node === undefined) return winner
    const nodes = losers.flatMap(({ node }) => node ?? [])
    return { ...winner, node: mergeAll([winner.node, ...nodes]) }
  }

  *#settings(name: string): Generator<Found, void> {
    if (this.#localData.has(name))
      yield { level: 'engine', origin: 'set by the engine', value: this.#localData.get(name) }
    yield* this.#written(name, this.#extra)
    if (this.#hostData.has(name))
      yield { level: 'run', origin: 'found out in the run', value: this.#hostData.get(name) }
    yield* this.#written(name, this.#layers)
  }

  *#written(name: string, layers: readonly Layer[]): Generator<Found, void> {
    for (const { level, origin, vars } of layers) {
      const node = indexOf(vars).get(name)
      if (node) yield { level, origin, node }
    }
  }
}

type Found =
  | { readonly level: Level; readonly origin: string; readonly node: Node }
  | {
      readonly level: 'run' | 'engine'
      readonly origin: string
      readonly node?: undefined
      readonly value: unknown
    }

const NO_NAMES: ReadonlySet<string> = new Set()

/** A question of the engine itself stands nowhere in a text. */
const NOWHERE: Span = { file: '', line: 1, col: 1, length: 1 }

const indexes = new WeakMap<MapNode, ReadonlyMap<string, Node>>()

function indexOf(map: MapNode): ReadonlyMap<string, Node> {
  const known = indexes.get(map)
  if (known) return known
  const index = new Map(map.entries.map(({ key, value }) => [String(key.value), value]))
  indexes.set(map, index)
  return index
}

function stepInto(node: Node, part: string): Node | undefined {
  if (node.kind === 'map') return indexOf(node).get(part)
  if (node.kind === 'list' && /^(0|[1-9]\d{0,9})$/.test(part)) return node.items[Number(part)]
  return undefined
}

function recursion(node: Node, names: readonly string[]): SourceError {
  const again = names.at(-1) ?? ''
  const chain = names.slice(names.indexOf(again)).map(name => `\`${name}\``)
  return new SourceError('RECURSIVE_VAR', node.at, `the variable needs its own value: ${chain.join(' → ')}`, {
    hint: 'give one of them another name',
  })
}

function shown({ level, origin, ...found }: Found): Setting {
  if (found.node) return { level, origin, at: found.node.at, value: plain(found.node) }
  return { level, origin, value: found.value }
}

function byLevel(a: Layer, b: Layer): number {
  return RANKS[b.level] - RANKS[a.level]
}
