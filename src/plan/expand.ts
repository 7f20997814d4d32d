import { SourceError, type OnProblem } from '../base/error.ts'
import { showSpan, type Span } from '../base/span.ts'
import type { AnyModule } from '../modules/module.ts'
import type { Include, IncludedTasks, Item, RoleUse, Task } from '../playbook/model.ts'
import type { Entry, Node, ScalarNode } from '../syntax/node.ts'
import { enterFile, enterRole, inherit, taskSettings } from './settings.ts'
import type { IncludeStep, MetaAction, MetaStep, PlanItem, Settings, Step } from './step.ts'
import { isChosen, type TagChoice } from './tags.ts'

/** What expansion needs besides the items themselves. */
export interface Expansion {
  readonly modules: ReadonlyMap<string, AnyModule>
  readonly tags: TagChoice
  /** Reads the target of an include whose name was a template; problems are thrown. */
  readonly load: (include: Include, target: string, tasksFrom: string | undefined) => IncludedTasks | RoleUse
  readonly onProblem: OnProblem
  /** Counts how often a place was expanded, so that a role used twice has steps with different ids. */
  readonly seen: Map<string, number>
  /** Where each `id` stands. */
  readonly identities: Map<string, Span>
}

/** What `meta` can do. */
export const META_ACTIONS: ReadonlySet<string> = new Set([
  'flush_handlers',
  'end_host',
  'end_play',
  'reset_connection',
  'noop',
])

/** Turns the items of a playbook into steps: inheritance worked out, static includes and roles put in place, tags applied. */
export function expand(items: readonly Item[], outer: Settings, how: Expansion): PlanItem[] {
  return items.flatMap((item): PlanItem[] => {
    switch (item.kind) {
      case 'task':
        return expandTask(item, outer, how)
      case 'block': {
        const inner = inherit(outer, item.keywords, item.name?.text ?? 'block')
        return [
          {
            kind: 'block',
            at: item.at,
            body: expand(item.body, inner, how),
            rescue: expand(item.rescue, inner, how),
            always: expand(item.always, inner, how),
          },
        ]
      }
      case 'include':
        return expandInclude(item, outer, how)
    }
  })
}

/** Returns the steps of a role called with parameters. */
export function expandRole(use: RoleUse, outer: Settings, how: Expansion): PlanItem[] {
  const inner = enterRole(inherit(outer, use.keywords, `role ${use.role.name}`), use)
  return expand(use.role.tasks, inner, how)
}

/** Returns a handler as a step; tags do not choose handlers, a notification does. */
export function expandHandler(handler: Task, outer: Settings, how: Expansion): Step | undefined {
  const step = stepOf(handler, taskSettings(outer, handler.keywords, nameOf(handler)), how)
  if (step === undefined) return undefined
  const topics = [handler.name?.text, ...handler.listen.map(topic => topic.text)]
  return { ...step, topics: topics.filter(topic => topic !== undefined) }
}

function expandTask(task: Task, outer: Settings, how: Expansion): PlanItem[] {
  const settings = taskSettings(outer, task.keywords, nameOf(task))
  if (!isChosen(settings.tags, how.tags)) return []
  if (task.module === 'meta') return expandMeta(task, settings, how)
  const step = stepOf(task, settings, how)
  return step ? [step] : []
}

function expandMeta(task: Task, settings: Settings, how: Expansion): MetaStep[] {
  const action = task.args.kind === 'scalar' ? String(task.args.value) : ''
  if (!META_ACTIONS.has(action)) {
    how.onProblem(
      new SourceError('BAD_VALUE', task.args.at, `\`${action}\` is not a meta action`, {
        hint: `write one of ${[...META_ACTIONS].join(', ')}`,
      }),
    )
    return []
  }
  return [{ kind: 'meta', at: task.at, action: action as MetaAction, settings }]
}

function stepOf(task: Task, settings: Settings, how: Expansion): Step | undefined {
  const module = how.modules.get(task.module)
  if (module === undefined) {
    how.onProblem(
      new SourceError('UNKNOWN_MODULE', task.moduleKey.at, `there is no module \`${task.module}\``),
    )
    return undefined
  }
  return {
    kind: 'task',
    id: uniqueId(task, how),
    at: task.at,
    name: task.name,
    title: nameOf(task),
    module,
    args: withDefaults(task.args, module, settings),
    settings,
    topics: [],
  }
}

const PREFIX = /^(ansible\.(builtin|posix|legacy)|community\.\w+)\./

/** Returns the arguments with those of `module_defaults` that the task does not give itself. */
function withDefaults(args: Node, module: AnyModule, { moduleDefaults }: Settings): Node {
  const names = [module.name, ...(module.aliases ?? [])]
  const merged = new Map<string, Entry>()
  for (const level of moduleDefaults.filter(node => node.kind === 'map')) {
    const forModule = level.entries.find(({ key }) => names.includes(key.text.replace(PREFIX, '')))?.value
    if (forModule?.kind === 'map') for (const entry of forModule.entries) merged.set(entry.key.text, entry)
  }
  if (merged.size === 0) return args
  for (const entry of entriesOf(args, module)) merged.set(entry.key.text, entry)
  return { kind: 'map', entries: [...merged.values()], at: args.at }
}

function entriesOf(args: Node, module: AnyModule): readonly Entry[] {
  if (args.kind === 'map') return args.entries
  if (args.kind === 'scalar' && args.value === null) return []
  const name = module.freeForm ?? ''
  const key: ScalarNode = {
    kind: 'scalar',
    value: name,
    text: name,
    quoted: false,
    at: args.at,
    placeOf: () => args.at,
  }
  return [{ key, value: args }]
}

function expandInclude(include: Include, outer: Settings, how: Expansion): PlanItem[] {
  const settings = inherit(outer, include.keywords, include.name?.text ?? include.key)
  if (include.content === undefined || include.keywords.has('loop')) {
    const dynamic = taskSettings(outer, include.keywords, include.name?.text ?? include.key)
    return isChosen(dynamic.tags, how.tags) || include.content !== undefined
      ? [dynamicInclude(include, dynamic, settings, how)]
      : []
  }
  return expandContent(include.content, settings, how)
}

function expandContent(content: IncludedTasks | RoleUse, settings: Settings, how: Expansion): PlanItem[] {
  return content.kind === 'tasks'
    ? expand(content.items, enterFile(settings, content.file), how)
    : expandRole(content, settings, how)
}

/** What it loads inherits the include's conditions as the tasks of a static include do. */
function dynamicInclude(include: Include, own: Settings, passedOn: Settings, how: Expansion): IncludeStep {
  return {
    kind: 'include',
    id: uniqueId(include, how),
    at: include.at,
    title: include.name?.text ?? `${include.key} ${include.target.text}`,
    what: include.key.endsWith('role') ? 'role' : 'tasks',
    target: include.target,
    tasksFrom: include.tasksFrom,
    settings: own,
    load: (target, tasksFrom) =>
      expandContent(include.content ?? how.load(include, target, tasksFrom), passedOn, how),
  }
}

/** The identity a task gives itself, or its place; a task that is reached several ways is counted. */
function uniqueId(item: Task | Include, how: Expansion): string {
  const spot = identityOf(item, how) ?? showSpan(item.at)
  const count = (how.seen.get(spot) ?? 0) + 1
  how.seen.set(spot, count)
  return count === 1 ? spot : `${spot}#${count}`
}

function identityOf(item: Task | Include, how: Expansion): string | undefined {
  const node = item.keywords.get('id')
  if (node?.kind !== 'scalar') return undefined
  const first = how.identities.get(node.text) ?? node.at
  how.identities.set(node.text, first)
  if (showSpan(first) === showSpan(node.at)) return node.text
  how.onProblem(
    new SourceError('BAD_VALUE', node.at, `\`${node.text}\` is the \`id\` of another task already`, {
      hint: 'give each task an `id` of its own',
      related: [first],
    }),
  )
  return undefined
}

function nameOf(task: { readonly name: ScalarNode | undefined; readonly module: string }): string {
  return task.name?.text ?? task.module
}
