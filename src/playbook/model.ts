import type { Span } from '../base/span.ts'
import type { MapNode, Node, ScalarNode } from '../syntax/node.ts'

/**
 * Keywords as written at one level (play, role, block, task), by name, values not rendered. The grammar has checked
 * that each is allowed there; inheritance is worked out by the plan.
 */
export type Keywords = ReadonlyMap<string, Node>

/** A task: one module with its arguments. */
export interface Task {
  readonly kind: 'task'
  readonly at: Span
  readonly name: ScalarNode | undefined
  /** The module's key without Ansible's prefixes: `ansible.builtin.copy` is `copy`. */
  readonly module: string
  /** The key as written. */
  readonly moduleKey: ScalarNode
  /** Arguments of the module: a map, a list (`meta`, free forms) or a scalar (free form). A null scalar where none are given. */
  readonly args: Node
  readonly keywords: Keywords
  /** Topics a handler listens to. */
  readonly listen: readonly ScalarNode[]
}

export interface Block {
  readonly kind: 'block'
  readonly at: Span
  readonly name: ScalarNode | undefined
  readonly body: readonly Item[]
  readonly rescue: readonly Item[]
  readonly always: readonly Item[]
  readonly keywords: Keywords
}

/** `import_tasks`, `include_tasks`, `import_role`, `include_role`. */
export interface Include {
  readonly kind: 'include'
  readonly at: Span
  readonly name: ScalarNode | undefined
  readonly key: 'import_tasks' | 'include_tasks' | 'import_role' | 'include_role'
  /** The file or role named; may hold a template in an `include_*`. */
  readonly target: ScalarNode
  /** `tasks_from` of a role. */
  readonly tasksFrom: ScalarNode | undefined
  /** What it leads to, where that is known without variables; undefined where the name holds a template or the file is missing. */
  readonly content: IncludedTasks | RoleUse | undefined
  readonly keywords: Keywords
}

export interface IncludedTasks {
  readonly kind: 'tasks'
  readonly file: string
  readonly items: readonly Item[]
}

export type Item = Task | Block | Include

/** How a secret is made. */
export interface Generate {
  /** Characters; of no meaning where there are words. */
  readonly length: number
  readonly alphabet: string
  readonly words: number | undefined
  /** One for each host, or one that all hosts of the project share. */
  readonly per: 'host' | 'project'
}

/** One parameter of a role's signature. */
export interface RoleParam {
  readonly name: string
  readonly type:
    'string' | 'integer' | 'number' | 'boolean' | 'list' | 'map' | 'path' | 'duration' | 'size' | 'any'
  readonly required: boolean
  readonly secret: boolean
  /** How its value is made where nobody gives one: once, and kept encrypted in the project. */
  readonly generate: Generate | undefined
  /** A map that is put together, key by key, from all levels that set it; elsewhere the strongest level wins as a whole. */
  readonly merge: boolean
  readonly describe: string
  readonly default: Node | undefined
  /** The file below the role's folder that `default` was read from. */
  readonly defaultFile: string | undefined
  readonly choices: readonly unknown[] | undefined
  readonly min: number | undefined
  readonly max: number | undefined
  readonly at: Span
}

export interface Signature {
  readonly file: string
  readonly summary: string
  readonly answers: readonly string[]
  readonly supports: readonly string[]
  readonly params: readonly RoleParam[]
}

/** A role's folder, read. `tasks` are those of the entry asked for (`tasks.yml` unless `tasks_from`). */
export interface Role {
  readonly name: string
  readonly dir: string
  readonly signature: Signature
  readonly tasks: readonly Item[]
  readonly handlers: readonly Task[]
}

/** A role called with parameters. */
export interface RoleUse {
  readonly kind: 'role'
  readonly at: Span
  readonly role: Role
  /** Parameters given at the call: `vars:` and, in `roles:`, further keys of the entry. */
  readonly params: MapNode | undefined
  readonly keywords: Keywords
}

/** A variable that a person is asked for before the run. */
export interface Prompt {
  readonly at: Span
  /** Name of the variable. */
  readonly name: ScalarNode
  readonly question: string
  /** What an empty answer stands for. */
  readonly initial: string | undefined
  /** The answer is a secret: nothing of it is shown. */
  readonly isPrivate: boolean
  /** It must be typed twice. */
  readonly isConfirmed: boolean
}

export interface Play {
  readonly at: Span
  readonly file: string
  readonly name: ScalarNode | undefined
  readonly hosts: Node
  readonly vars: MapNode | undefined
  /** The files of `vars_files`, read. */
  readonly varsFiles: readonly MapNode[]
  /** The variables of `vars_prompt`. */
  readonly prompts: readonly Prompt[]
  readonly roles: readonly RoleUse[]
  readonly preTasks: readonly Item[]
  readonly tasks: readonly Item[]
  readonly postTasks: readonly Item[]
  readonly handlers: readonly Task[]
  /** The tasks of `gate`. */
  readonly gate: readonly Item[]
  readonly keywords: Keywords
}

export interface Playbook {
  readonly file: string
  /** In order; those of `import_playbook` stand in the place of the import. */
  readonly plays: readonly Play[]
}
