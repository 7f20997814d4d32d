import { place, type EventBody } from '../base/event.ts'
import type { Span } from '../base/span.ts'
import type { Addition, Inventory } from '../inventory/model.ts'
import type { Membership } from '../modules/module.ts'
import type { PlannedPlay } from '../plan/step.ts'
import { textNode, type Entry, type MapNode, type Node, type ScalarNode } from '../syntax/node.ts'

/** The hosts and groups of a run. What tasks add counts from the next play on, in the order of the hosts that added it. */
export class Roster {
  #inventory: Inventory
  readonly #onGrown: (inventory: Inventory) => void
  readonly #added: Addition[] = []
  /** By the host that the task ran for. */
  readonly #waiting = new Map<string, Addition[]>()
  #doubt: string | undefined

  constructor(inventory: Inventory, onGrown: (inventory: Inventory) => void) {
    this.#inventory = inventory
    this.#onGrown = onGrown
  }

  /** As it is in the present play. */
  get inventory(): Inventory {
    return this.#inventory
  }

  /**
   * Adds hosts and memberships for later plays.
   *
   * @throws SourceError where a setting of a host is wrong.
   */
  add(from: string, memberships: readonly Membership[], at: Span): void {
    const fresh = memberships.map(one => ({ ...one, at, vars: mapOf(one.vars, at) }))
    this.#inventory.grown?.([...this.#added, ...fresh], problem => {
      throw problem
    })
    this.#waiting.set(from, [...(this.#waiting.get(from) ?? []), ...fresh])
  }

  /** Says that a task would add hosts once another one has been applied. */
  addUnknown(until: string): void {
    this.#doubt ??= until
  }

  /** Takes over what the last play has added, and returns the play with the hosts it has now. */
  begin(play: PlannedPlay, emit: (event: EventBody) => void): PlannedPlay {
    this.#takeOver()
    if (!play.isOpen) return play
    const warn = (message: string): void => {
      emit({ type: 'warning', at: place(play.at), message })
    }
    const open = { ...this.#inventory, mayCome: () => true }
    const hosts = play.hostsIn(open, problem => {
      warn(problem.message)
    })
    if (this.#doubt !== undefined) warn(`which hosts the play has is unknown until \`${this.#doubt}\``)
    else if (hosts.length === 0) warn('the play has no hosts: no task has added any')
    return { ...play, hosts }
  }

  #takeOver(): void {
    if (this.#waiting.size === 0) return
    const order = [...this.#inventory.hosts.keys()]
    const added = [...this.#waiting].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
    this.#added.push(...added.flatMap(([, additions]) => additions))
    this.#waiting.clear()
    this.#inventory = this.#inventory.grown?.(this.#added, () => undefined) ?? this.#inventory
    this.#onGrown(this.#inventory)
  }
}

/** Values of a run as variables of a host: none of them is ever a template. */
function mapOf(values: Readonly<Record<string, unknown>>, at: Span): MapNode {
  const entries = Object.entries(values).map(([name, value]): Entry => ({
    key: scalar(name, at),
    value: nodeOf(value, at),
  }))
  return { kind: 'map', entries, at }
}

function nodeOf(value: unknown, at: Span): Node {
  if (Array.isArray(value)) return { kind: 'list', items: value.map(item => nodeOf(item, at)), at }
  if (value !== null && typeof value === 'object') return mapOf({ ...value }, at)
  const isPlain = ['string', 'number', 'boolean'].includes(typeof value)
  return scalar(isPlain ? (value as string | number | boolean) : null, at)
}

function scalar(value: ScalarNode['value'], at: Span): ScalarNode {
  return { ...textNode(String(value), at), value, tag: '!unsafe' }
}
