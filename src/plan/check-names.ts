import { SourceError, type OnProblem } from '../base/error.ts'
import { didYouMean } from '../base/nearest.ts'
import { showSpan } from '../base/span.ts'
import { hostNamed, type Inventory } from '../inventory/model.ts'
import { holds } from '../vars/condition.ts'
import type { Reference } from '../vars/references.ts'
import { Pending, PENDING, Scope, type Layer } from '../vars/scope.ts'
import type { Missing } from '../vars/value.ts'
import { mentionsOf } from './mentions.ts'
import { inMap } from './settings.ts'
import type { PlannedPlay, Step } from './step.ts'

/** Names that the engine sets on every host. */
export const BUILTIN: readonly string[] = [
  'inventory_hostname',
  'group_names',
  'groups',
  'hostvars',
  'ansible_play_hosts',
  'facts',
  'item',
  'ansible_failed_task',
  'ansible_failed_result',
]

const OUTSTANDING: ReadonlyMap<string, unknown> = new Map(BUILTIN.map(name => [name, PENDING]))

/** Where names come from besides the play itself. */
export interface NameSources {
  readonly inventory: Inventory
  readonly extra: Layer | undefined
  /** Names of the facts a host can be asked for. */
  readonly facts: readonly string[]
  /** Names that some task of the project registers or sets. */
  readonly runNames: Iterable<string>
}

/** Checks the texts of a play: syntax of templates and conditions, and that everything they name is set for every host. */
export class NameCheck {
  readonly #inventory: Inventory
  readonly #play: PlannedPlay
  readonly #extra: Layer | undefined
  readonly #runNames: ReadonlyMap<string, unknown>
  readonly #facts: readonly string[]
  readonly #onProblem: OnProblem
  readonly #seen = new Set<string>()
  /** Of the task that is looked at: it asks for names again and again, and what stands around it does not change. */
  #current: { readonly settings: Step['settings']; readonly scopes: Map<string, Scope> } | undefined
  #sorts: readonly string[] | undefined

  constructor(play: PlannedPlay, around: NameSources, onProblem: OnProblem) {
    this.#play = play
    this.#inventory = around.inventory
    this.#extra = around.extra
    this.#facts = around.facts
    const asked = play.play.prompts.map(({ name }) => name.text)
    this.#runNames = new Map([...around.runNames, ...asked].map(name => [name, PENDING]))
    this.#onProblem = onProblem
  }

  /** Checks one task; returns everything it mentions. */
  step(step: Step): readonly Reference[] {
    const mentioned = mentionsOf(step, problem => this.#problem(problem))
    this.#defined(step, mentioned)
    if (step.settings.when.length > 0) for (const host of this.#hostSorts()) this.#boolean(host, step)
    return mentioned
  }

  /** Returns whether every host of the play gives the name a value, for a text with these settings. */
  isSet(name: string, settings: Step['settings']): boolean {
    return this.#hostSorts().every(host => this.#scope(host, settings).has(name))
  }

  /** What a condition gives is known already where it depends on nothing that a host has to say. */
  #boolean(host: string, step: Step): void {
    const scope = this.#scope(host, step.settings)
    try {
      step.settings.when.every(condition => holds(condition, scope) !== false)
    } catch (error) {
      if (error instanceof SourceError && error.code === 'NOT_BOOLEAN') this.#problem(error)
      else if (!(error instanceof SourceError || error instanceof Pending)) throw error
    }
  }

  #defined(step: Step, mentioned: readonly Reference[]): void {
    const control = step.settings.keywords.get('loop_control')
    const loopNames = ['loop_var', 'index_var']
      .map(key => inMap(control, key))
      .flatMap(node => (node?.kind === 'scalar' ? [node.text] : []))
    for (const reference of mentioned) {
      if (reference.guarded || BUILTIN.includes(reference.root) || loopNames.includes(reference.root)) {
        this.#knownFact(reference)
      } else {
        this.#definedOnAll(step, reference)
      }
    }
  }

  #knownFact({ root, path, at }: Reference): void {
    const [name] = path
    if (root !== 'facts' || name === undefined || this.#facts.includes(name)) return
    this.#problem(
      new SourceError('UNDEFINED_VAR', at, `there is no fact \`${name}\``, {
        hint: didYouMean(name, this.#facts),
      }),
    )
  }

  #definedOnAll(step: Step, reference: Reference): void {
    for (const host of this.#hostSorts()) this.#definedOn(host, step, reference)
  }

  /** Hosts with the same layers give the same answer; one of each sort is enough. */
  #hostSorts(): readonly string[] {
    return (this.#sorts ??= this.#sortHosts())
  }

  #sortHosts(): readonly string[] {
    const sorts = new Map<string, string>()
    for (const name of this.#play.hosts) {
      const layers = hostNamed(this.#inventory, name)?.layers ?? []
      const sort = layers.map(layer => showSpan(layer.vars.at)).join(' ')
      if (!sorts.has(sort)) sorts.set(sort, name)
    }
    return [...sorts.values()]
  }

  #definedOn(host: string, step: Step, reference: Reference): void {
    const scope = this.#scope(host, step.settings)
    try {
      const found = scope.resolve(reference.root, reference.path)
      if (!found.found) throw this.#undefined(host, reference, found, scope)
    } catch (error) {
      if (error instanceof SourceError) this.#problem(error)
      else if (!(error instanceof Pending)) throw error
    }
  }

  #undefined(host: string, { root, path, at }: Reference, missing: Missing, scope: Scope): SourceError {
    const name = [root, ...path.slice(0, missing.part + 1)].join('.')
    const word = missing.part < 0 ? root : (path[missing.part] ?? '')
    const near = didYouMean(word, missing.part < 0 ? [...scope.names()] : missing.candidates)
    return new SourceError('UNDEFINED_VAR', at, `\`${name}\` is not set for host ${host}`, {
      hint: near ?? `set it in the inventory, the play or the role's parameters`,
    })
  }

  #scope(host: string, settings: Step['settings']): Scope {
    if (this.#current?.settings !== settings) this.#current = { settings, scopes: new Map() }
    const { scopes } = this.#current
    const scope = scopes.get(host) ?? this.#newScope(host, settings)
    scopes.set(host, scope)
    return scope
  }

  #newScope(host: string, { roleDefaults, roleParams, taskVars, merged }: Step['settings']): Scope {
    const layers = hostNamed(this.#inventory, host)?.layers ?? []
    return new Scope({
      layers: [
        ...roleDefaults,
        ...layers,
        ...this.#play.vars,
        ...roleParams,
        ...taskVars,
        ...(this.#extra ? [this.#extra] : []),
      ],
      hostData: this.#runNames,
      merged,
      localData: OUTSTANDING,
    })
  }

  #problem(problem: SourceError): void {
    const identity = `${problem.code} ${showSpan(problem.at)}`
    if (this.#seen.has(identity)) return
    this.#seen.add(identity)
    this.#onProblem(problem)
  }
}
