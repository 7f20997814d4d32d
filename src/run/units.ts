import { Secret } from '../base/secret.ts'
import { Unknown } from '../base/unknown.ts'
import { inMap } from '../plan/settings.ts'
import type { PlannedPlay, RoleCall, Step } from '../plan/step.ts'
import type { Become } from '../transport/session.ts'
import { render } from '../vars/render.ts'
import type { Scope } from '../vars/scope.ts'
import type { HostState } from './host-state.ts'
import { flag, loopItems, resolve, text, type Asking, type Resolved } from './unit.ts'

/** One turn of a task: its loop's value, or none. */
export interface Turn {
  /** From 0. */
  readonly index: number
  readonly item: unknown
  readonly label: string | undefined
  /** The variables of its loop. */
  readonly names: Readonly<Record<string, unknown>>
  readonly scope: Scope
  /** What the texts came to, or why they came to nothing. */
  readonly resolved: Resolved | Error
  readonly become: Become | undefined
}

/** Who a task becomes where it does not say so itself. */
export interface DefaultBecome {
  readonly wanted: boolean | undefined
  readonly user: string | undefined
  readonly method: Become['method'] | undefined
}

interface Kept {
  readonly version: number
  readonly local: Readonly<Record<string, unknown>>
  readonly turns: readonly Turn[] | Unknown
}

/** Works out the turns of tasks on one host, and remembers them as long as nothing new is known. */
export class Turns {
  readonly #state: HostState
  readonly #become: DefaultBecome
  readonly #kept = new Map<string, Kept>()
  readonly #checked = new WeakSet<RoleCall>()

  constructor(state: HostState, become: DefaultBecome) {
    this.#state = state
    this.#become = become
  }

  /**
   * Returns the turns of the task, or Unknown where its loop is; `local` holds the variables of loops around it.
   *
   * @throws SourceError, TaskError or Pending where not even the loop can be settled.
   */
  of(play: PlannedPlay, step: Step, local: Readonly<Record<string, unknown>>): readonly Turn[] | Unknown {
    const known = this.#kept.get(step.id)
    if (known?.version === this.#state.version && known.local === local) return known.turns
    const turns = this.#work(play, step, local)
    this.#kept.set(step.id, { version: this.#state.version, local, turns })
    return turns
  }

  /** Returns whom the task becomes, without settling anything else of it. */
  becomeOf(play: PlannedPlay, step: Asking, local: Readonly<Record<string, unknown>>): Become | undefined {
    return this.#becomeOf(step, this.#state.scope(play, step, local))
  }

  #work(play: PlannedPlay, step: Step, local: Readonly<Record<string, unknown>>): readonly Turn[] | Unknown {
    const loop = step.settings.keywords.get('loop')
    if (loop === undefined) return [this.#turn(play, step, local, { item: undefined, index: 0 })]
    const items = loopItems(loop, this.#state.scope(play, step, local))
    if (items instanceof Unknown) return items
    const control = step.settings.keywords.get('loop_control')
    const itemName = plainText(inMap(control, 'loop_var')) ?? 'item'
    const indexName = plainText(inMap(control, 'index_var'))
    return items.map((item, index) => {
      const names = { ...local, [itemName]: item, ...(indexName === undefined ? {} : { [indexName]: index }) }
      return this.#turn(play, step, names, { item, index })
    })
  }

  #turn(
    play: PlannedPlay,
    step: Step,
    local: Readonly<Record<string, unknown>>,
    at: { readonly item: unknown; readonly index: number },
  ): Turn {
    const { item } = at
    const scope = this.#state.scope(play, step, local)
    try {
      const label = item === undefined ? undefined : labelOf(step, item, scope)
      return {
        ...at,
        label,
        names: local,
        scope,
        resolved: resolve(step, scope, this.#checked),
        become: this.#becomeOf(step, scope),
      }
    } catch (error) {
      return { ...at, label: undefined, names: local, scope, resolved: error as Error, become: undefined }
    }
  }

  /** The task's keywords win over the inventory, the inventory over the command line's defaults. */
  #becomeOf(step: Asking, scope: Scope): Become | undefined {
    const { reach } = this.#state.host
    const wanted = flag(step, 'become', scope) ?? reach.become ?? this.#become.wanted ?? false
    if (!wanted) return undefined
    const method = text(step, 'become_method', scope) ?? reach.becomeMethod ?? this.#become.method ?? 'sudo'
    const user = text(step, 'become_user', scope) ?? reach.becomeUser ?? this.#become.user ?? 'root'
    return { user, method: method as Become['method'] }
  }
}

/** A label must be short and must not show a secret's neighbours: a map is shown by its name or key. */
function labelOf(step: Step, item: unknown, scope: Scope): string {
  const label = inMap(step.settings.keywords.get('loop_control'), 'label')
  if (label !== undefined) return String(render(label, scope))
  if (item === null || typeof item !== 'object' || item instanceof Secret) return String(item)
  const named = item as Readonly<Record<string, unknown>>
  const name = named['name'] ?? named['key'] ?? named['path'] ?? named['dest']
  return typeof name === 'string'
    ? name
    : Array.isArray(item)
      ? `list of ${item.length}`
      : `map with ${Object.keys(named).join(', ')}`
}

function plainText(node: ReturnType<typeof inMap>): string | undefined {
  return node?.kind === 'scalar' ? node.text : undefined
}
