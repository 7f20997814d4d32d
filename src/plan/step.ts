import type { OnProblem } from '../base/error.ts'
import type { Span } from '../base/span.ts'
import type { Inventory } from '../inventory/model.ts'
import type { AnyModule } from '../modules/module.ts'
import type { Keywords, Play, RoleParam } from '../playbook/model.ts'
import type { Node, ScalarNode } from '../syntax/node.ts'
import type { Layer } from '../vars/scope.ts'

/** What a task takes over from the play, role, blocks and includes around it, and says itself. */
export interface Settings {
  /** The strongest word on every keyword that overrides: the task's own, else the nearest around it. */
  readonly keywords: Keywords
  /** Conditions of all levels, outermost first; all must hold. */
  readonly when: readonly Node[]
  /** Environments of all levels, outermost first; later ones win name by name. */
  readonly environment: readonly Node[]
  /** Default arguments by module, of all levels, outermost first. */
  readonly moduleDefaults: readonly Node[]
  /** Handlers or topics to notify, of all levels. */
  readonly notify: readonly ScalarNode[]
  readonly tags: ReadonlySet<string>
  /** Variables of roles, weakest first: defaults and the values given at the call. */
  readonly roleDefaults: readonly Layer[]
  readonly roleParams: readonly Layer[]
  /** Variables of blocks, includes and the task, outermost first. */
  readonly taskVars: readonly Layer[]
  /** Parameters of roles that are put together from all levels, and those that are secret. */
  readonly merged: ReadonlySet<string>
  readonly secret: ReadonlySet<string>
  /** The roles around the task, outermost first. */
  readonly calls: readonly RoleCall[]
  /** Name of the role the task belongs to. */
  readonly role: string | undefined
  /** Folders in which files and templates of the task are looked for, nearest first. */
  readonly places: readonly string[]
}

/** A role that was entered on the way to a task. One object for each call, so that it is checked once. */
export interface RoleCall {
  readonly role: string
  readonly at: Span
  readonly params: readonly RoleParam[]
}

/** One module call of a play, the same for all hosts. */
export interface Step {
  readonly kind: 'task'
  /** Unique within the project: the task's own `id`, else its place, which is stable as long as the task stays where it is. */
  readonly id: string
  readonly at: Span
  readonly name: ScalarNode | undefined
  /** The name as written, or the module's name. */
  readonly title: string
  readonly module: AnyModule
  readonly args: Node
  readonly settings: Settings
  /** Topics a handler listens to, its name included. */
  readonly topics: readonly string[]
}

export interface BlockStep {
  readonly kind: 'block'
  readonly at: Span
  readonly body: readonly PlanItem[]
  readonly rescue: readonly PlanItem[]
  readonly always: readonly PlanItem[]
}

/** An include of which the target is known only during the run, or which is repeated by a loop. */
export interface IncludeStep {
  readonly kind: 'include'
  readonly id: string
  readonly at: Span
  readonly title: string
  readonly what: 'tasks' | 'role'
  readonly target: ScalarNode
  readonly tasksFrom: ScalarNode | undefined
  readonly settings: Settings
  /** Plans what the target names; throws SourceError where it cannot be loaded. */
  readonly load: (target: string, tasksFrom: string | undefined) => readonly PlanItem[]
}

export type MetaAction = 'flush_handlers' | 'end_host' | 'end_play' | 'reset_connection' | 'noop'

export interface MetaStep {
  readonly kind: 'meta'
  readonly at: Span
  readonly action: MetaAction
  readonly settings: Settings
}

export type PlanItem = Step | BlockStep | IncludeStep | MetaStep

/** The steps of `pre_tasks`, of roles and `tasks`, or of `post_tasks`; notified handlers run at its end. */
export interface Section {
  readonly name: 'pre_tasks' | 'tasks' | 'post_tasks'
  readonly items: readonly PlanItem[]
}

export interface PlannedPlay {
  readonly name: string
  readonly at: Span
  readonly play: Play
  /** In the order in which they are started; those known before the run, where `isOpen`. */
  readonly hosts: readonly string[]
  /** A task of a play before it may add hosts: they are chosen anew when the play begins. */
  readonly isOpen: boolean
  /** Returns the hosts of the play in an inventory that has grown; what is wrong with the pattern then goes to `onProblem`. */
  readonly hostsIn: (inventory: Inventory, onProblem: OnProblem) => readonly string[]
  readonly sections: readonly Section[]
  /** Tasks that must pass on every host of a batch before the next batch starts. */
  readonly gate: readonly PlanItem[]
  /** In the order of definition, in which they run. */
  readonly handlers: readonly Step[]
  /** Variables of the play itself, `vars` before `vars_files`. */
  readonly vars: readonly Layer[]
  /** Facts that its texts mention: `os` for `facts.os.family`. */
  readonly facts: ReadonlySet<string>
}

/** Everything a run needs to know before the first connection; free of problems when `planProject` reported none. */
export interface Project {
  readonly files: readonly string[]
  readonly inventory: Inventory
  readonly plays: readonly PlannedPlay[]
  readonly extra: Layer | undefined
}
