import { get, type MapNode } from '../syntax/node.ts'
import { references, type Reference } from '../vars/references.ts'
import type { Layer } from '../vars/scope.ts'

/** Finds which facts texts need, be it by way of variables that mention them in their turn. */
export class FactFinder {
  readonly found = new Set<string>()
  readonly #facts: readonly string[]
  readonly #seen = new Map<MapNode, Set<string>>()

  /** `facts` are the names of all that a host can be asked. */
  constructor(facts: readonly string[]) {
    this.#facts = facts
  }

  /** Follows what a text mentions into the variables of the layers. */
  follow(mentioned: Iterable<Pick<Reference, 'root' | 'path'>>, layers: readonly Layer[]): void {
    for (const { root, path } of mentioned) {
      if (root === 'facts') this.#take(path[0])
      else for (const { vars } of layers) this.#intoVariable(vars, root, layers)
    }
  }

  /** `facts` alone means all of them. */
  #take(fact: string | undefined): void {
    const names = fact === undefined ? this.#facts : [fact]
    for (const name of names) this.found.add(name)
  }

  #intoVariable(vars: MapNode, name: string, layers: readonly Layer[]): void {
    const seen = this.#seen.get(vars) ?? new Set()
    this.#seen.set(vars, seen)
    if (seen.has(name)) return
    seen.add(name)
    const node = get(vars, name)
    if (node) this.follow(references(node, 'value'), layers)
  }
}
