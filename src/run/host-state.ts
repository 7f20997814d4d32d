import type { HostCounts } from '../base/event.ts'
import type { Failure, Registered } from '../base/result.ts'
import type { Secret } from '../base/secret.ts'
import { Unknown } from '../base/unknown.ts'
import type { Host, Inventory } from '../inventory/model.ts'
import type { PlannedPlay, Project, RoleCall, Step } from '../plan/step.ts'
import { type WantedSecret, wantedOf } from '../plan/wanted-secret.ts'
import { FACTS } from '../probes/facts.ts'
import type { Probe } from '../probes/probe.ts'
import type { Sealed } from '../vars/names.ts'
import { PENDING } from '../vars/pending.ts'
import { Scope, type Layer } from '../vars/scope.ts'
import type { Lane } from './lanes.ts'
import { sumCounts } from './outcome.ts'

/** Returns the secret that a role declares, made now where it must be; undefined where nothing is written. */
export type Generated = (wanted: WantedSecret) => Secret | undefined

/** What a run knows about one host: registered results, set facts, asked facts, notified handlers, counts. */
export class HostState {
  #host: Host
  readonly #project: Project
  readonly #shared: SharedNames
  readonly #generated: Generated | undefined
  readonly #data = new Map<string, unknown>()
  readonly #facts: Record<string, unknown> = {}
  readonly #wanted = new Set<string>()
  /** Read during the run, weakest first. */
  readonly #included: Layer[] = []
  /** Grows with every new value, so that what was computed from older ones is computed again. */
  version = 0
  /** Handlers notified and not yet run. */
  readonly pending = new Set<Step>()
  counts: HostCounts = sumCounts([])
  /** Set once the host takes no further part in the run. */
  lost: Failure | undefined
  isOut = false
  /** A task failed and nothing took care of it. */
  hasFailed = false

  constructor(host: Host, project: Project, shared: SharedNames, generated: Generated | undefined) {
    this.#host = host
    this.#generated = generated
    this.#project = project
    this.#shared = shared
    this.forgetFacts()
    this.#data.set('facts', this.#facts)
  }

  /** As the inventory of the present play has it. */
  get host(): Host {
    return this.#host
  }

  /** Takes over the groups and variables that the host has from now on. */
  regroup(host: Host): void {
    this.#host = host
    this.version += 1
  }

  /** Makes all facts be asked again where they are next mentioned. */
  forgetFacts(): void {
    for (const name of Object.keys(FACTS)) this.#facts[name] = PENDING
    this.version += 1
  }

  set(values: Registered): void {
    for (const [name, value] of Object.entries(values)) this.#data.set(name, value)
    this.version += 1
  }

  /** Lets the host see further variables of the project; their texts are rendered when they are asked for. */
  include(layers: readonly Layer[]): void {
    this.#included.push(...layers)
    this.version += 1
  }

  count(status: keyof HostCounts): void {
    this.counts = { ...this.counts, [status]: this.counts[status] + 1 }
  }

  /** Returns the names a text of the step sees on this host; `local` holds the loop's variables. */
  scope(
    play: PlannedPlay,
    step: Pick<Step, 'settings'>,
    local: Readonly<Record<string, unknown>> = {},
  ): Scope {
    const { roleDefaults, roleParams, taskVars, merged, secret, calls } = step.settings
    const hostLayers: readonly Layer[] = this.host.layers
    const extra = this.#project.extra ? [this.#project.extra] : []
    return new Scope({
      layers: [
        ...roleDefaults,
        ...hostLayers,
        ...play.vars,
        ...roleParams,
        ...taskVars,
        ...this.#included,
        ...extra,
      ],
      hostData: this.#data,
      merged,
      secret,
      open: sealed => this.#open(sealed, calls),
      localData: new Map(Object.entries({ ...this.#builtins(play), ...local })),
    })
  }

  /** Says that a fact is needed which the play does not mention itself: a file that it includes does. */
  want(fact: string): void {
    this.#wanted.add(fact)
  }

  /** Returns the questions for those facts of the play that are not known yet. */
  openFacts(play: PlannedPlay): readonly Probe<unknown>[] {
    return [...play.facts, ...this.#wanted].flatMap(name =>
      this.#facts[name] === PENDING && FACTS[name] ? [FACTS[name]] : [],
    )
  }

  /**
   * Takes over the facts that the shell has answered.
   *
   * @throws the failure of a fact that could not be read.
   */
  absorbFacts(play: PlannedPlay, lane: Lane): void {
    for (const name of [...play.facts, ...this.#wanted]) {
      const answer = this.#facts[name] === PENDING && FACTS[name] ? lane.answers.get(FACTS[name]) : undefined
      if (answer === undefined) continue
      if ('error' in answer) throw answer.error
      this.#facts[name] = answer.value
      this.version += 1
    }
  }

  /** Returns what other hosts may see of this one: its variables of the inventory, its facts and results. Values are worked out when they are read. */
  get shown(): Readonly<Record<string, unknown>> {
    const scope = new Scope({
      layers: [...this.host.layers, ...this.#included],
      hostData: this.#data,
      localData: new Map([['inventory_hostname', this.host.name]]),
    })
    return lazyMap(scope.names(), name => scope.value(name))
  }

  /** Where nothing is written, a secret that was never made is as unknown as what a planned task would bring. */
  #open(sealed: Sealed, calls: readonly RoleCall[]): Secret | Unknown | undefined {
    const wanted = wantedOf(sealed, calls, this.host.name)
    if (wanted === undefined || this.#generated === undefined) return undefined
    return this.#generated(wanted) ?? new Unknown(`apply makes the secret ${wanted.role}.${wanted.param}`)
  }

  #builtins(play: PlannedPlay): Record<string, unknown> {
    return {
      inventory_hostname: this.host.name,
      group_names: this.host.groups.filter(name => name !== 'all'),
      ...this.#shared,
      ansible_play_hosts: play.hosts,
    }
  }
}

/** Names that are the same on all hosts of a run. */
export interface SharedNames {
  readonly groups: Readonly<Record<string, readonly string[]>>
  readonly hostvars: Readonly<Record<string, unknown>>
}

/** Returns the names all hosts see in the inventory as it is then; `stateOf` opens the state of a host when somebody asks for it. */
export function sharedNames(
  inventoryNow: () => Inventory,
  stateOf: (name: string) => HostState | undefined,
): SharedNames {
  const known = new WeakMap<Inventory, SharedNames>()
  const now = (): SharedNames => {
    const inventory = inventoryNow()
    const names = known.get(inventory) ?? {
      groups: hostsByGroup(inventory),
      hostvars: lazyMap(inventory.hosts.keys(), name => stateOf(name)?.shown),
    }
    known.set(inventory, names)
    return names
  }
  return {
    get groups() {
      return now().groups
    },
    get hostvars() {
      return now().hostvars
    },
  }
}

function lazyMap(
  names: Iterable<string>,
  value: (name: string) => unknown,
): Readonly<Record<string, unknown>> {
  const map = {}
  for (const name of names) Object.defineProperty(map, name, { enumerable: true, get: () => value(name) })
  return map
}

/** Returns the names of the hosts of every group, its descendants' included. */
function hostsByGroup(inventory: Inventory): Record<string, readonly string[]> {
  const hosts = [...inventory.hosts.values()]
  const named = [...inventory.groups.keys()].map(
    group => [group, hosts.filter(host => host.groups.includes(group)).map(host => host.name)] as const,
  )
  return Object.fromEntries(named)
}
