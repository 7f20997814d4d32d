import type { OnProblem } from '../base/error.ts'
import type { Inventory } from '../inventory/model.ts'
import { limitHosts, playHosts } from '../inventory/select.ts'
import type { Play } from '../playbook/model.ts'
import type { Node } from '../syntax/node.ts'
import { containsTemplate, render } from '../vars/render.ts'
import { Scope } from '../vars/scope.ts'
import type { Layer } from '../vars/scope.ts'
import { readText } from './hosts-matching.ts'

/** What decides, besides the play itself, which hosts it takes. */
export interface HostChoice {
  /** In which `--limit` is looked up first, so that a wrong one is told at once. */
  readonly inventory: Inventory
  readonly extra: Layer | undefined
  readonly limit: string | undefined
  readonly onProblem: OnProblem
}

/**
 * Returns a function that gives the hosts of a play in an inventory, in order. A template in `hosts` sees the variables of the command
 * line and of the play, as no host is chosen yet.
 *
 * @throws UsageError where the limit is wrong or matches nothing.
 */
export function hostChooser({
  inventory,
  extra,
  limit,
  onProblem,
}: HostChoice): (play: Play, now: Inventory, onWrong?: OnProblem) => readonly string[] {
  const allowed = limit === undefined ? undefined : new Set(limitHosts(limit, inventory, readText))
  return (play, now, onWrong = onProblem) => {
    const names = playHosts(settled(play, extra), now, onWrong)
    if (limit === undefined || allowed === undefined) return names
    const added = now === inventory ? allowed : new Set(limitHosts(limit, now, readText))
    return names.filter(name => allowed.has(name) || added.has(name))
  }
}

function settled({ hosts, vars }: Play, extra: Layer | undefined): Node {
  if (!containsTemplate(hosts)) return hosts
  const own: readonly Layer[] = vars ? [{ level: 'play', origin: 'play', vars }] : []
  const layers = extra ? [...own, extra] : own
  const value = render(hosts, new Scope({ layers, hostData: new Map(), localData: new Map() }))
  return nodeOf(value, hosts)
}

/** What a template came to stands where the template stands. */
function nodeOf(value: unknown, from: Node): Node {
  if (Array.isArray(value)) {
    return { kind: 'list', items: value.map(item => nodeOf(item, from)), at: from.at }
  }
  const text = String(value)
  return { kind: 'scalar', value: text, text, quoted: true, at: from.at, placeOf: () => from.at }
}
