import { dirname, join } from 'node:path'
import type { Keywords, Play, Role, RoleParam, RoleUse } from '../playbook/model.ts'
import { asBoolean } from '../syntax/boolean.ts'
import { get, type ListNode, type MapNode, type Node, type ScalarNode } from '../syntax/node.ts'
import type { Layer } from '../vars/scope.ts'
import type { Settings, Step } from './step.ts'
import { wantedNode } from './wanted-secret.ts'

/** Keywords that add up from level to level instead of the inner one winning. */
const ADDING = new Set(['when', 'environment', 'notify', 'tags', 'vars', 'vars_files', 'module_defaults'])

/** Keywords that belong to the thing they stand on and are not passed on inwards. */
const OWN = new Set([
  'name',
  'id',
  'hosts',
  'gather_facts',
  'serial',
  'order',
  'strategy',
  'max_fail_percentage',
  'gate',
  'force_handlers',
  'register',
  'loop',
  'loop_control',
  'until',
  'retries',
  'delay',
  'failed_when',
  'changed_when',
  'listen',
  'answers',
])

/** Returns the settings every task of the play starts from. */
export function playSettings(play: Play): Settings {
  const asked = play.prompts.filter(prompt => prompt.isPrivate).map(({ name }) => name.text)
  const outside = { ...bareSettings(dirname(play.file)), secret: new Set(asked) }
  return { ...inherit(outside, play.keywords, 'play'), taskVars: [] }
}

/** Returns the settings of a task that stands alone; its files lie in the folder. */
export function bareSettings(folder: string): Settings {
  return {
    keywords: new Map(),
    when: [],
    environment: [],
    moduleDefaults: [],
    notify: [],
    tags: new Set(),
    roleDefaults: [],
    roleParams: [],
    taskVars: [],
    merged: new Set(),
    secret: new Set(),
    calls: [],
    role: undefined,
    places: [folder],
  }
}

/** Returns what the things inside inherit from a level with these keywords; `origin` names the level for `vars`. */
export function inherit(outer: Settings, own: Keywords, origin: string): Settings {
  const keywords = new Map(outer.keywords)
  for (const [name, value] of own) if (!ADDING.has(name) && !OWN.has(name)) keywords.set(name, value)
  const vars = own.get('vars')
  return {
    ...outer,
    keywords,
    when: [...outer.when, ...listOf(own.get('when'))],
    environment: [...outer.environment, ...(own.has('environment') ? [own.get('environment') as Node] : [])],
    moduleDefaults: [...outer.moduleDefaults, ...listOf(own.get('module_defaults'))],
    notify: [...outer.notify, ...scalarsOf(own.get('notify'))],
    tags: new Set([...outer.tags, ...tagsOf(own.get('tags'))]),
    taskVars: vars?.kind === 'map' ? [...outer.taskVars, { level: 'task', origin, vars }] : outer.taskVars,
  }
}

/** Returns the settings of a task itself: what it inherits plus the keywords that are its own. */
export function taskSettings(outer: Settings, own: Keywords, origin: string): Settings {
  const inherited = inherit(outer, own, origin)
  const keywords = new Map(inherited.keywords)
  for (const [name, value] of own) if (OWN.has(name)) keywords.set(name, value)
  return { ...inherited, keywords }
}

/** Returns the settings inside a role: its variables take the place of an outer role's, its folders are searched first. */
export function enterRole(outer: Settings, { role, params, at }: RoleUse): Settings {
  const defaults = defaultsOf(role)
  return {
    ...outer,
    merged: new Set([...outer.merged, ...namesOf(role, param => param.merge)]),
    secret: new Set([...outer.secret, ...namesOf(role, param => param.secret)]),
    role: role.name,
    calls: [...outer.calls, { role: role.name, at, params: role.signature.params }],
    roleDefaults: [
      ...outer.roleDefaults,
      { level: 'role defaults', origin: `role ${role.name}`, vars: defaults },
    ],
    roleParams: params
      ? [...outer.roleParams, { level: 'play', origin: `params of role ${role.name}`, vars: params }]
      : outer.roleParams,
    places: [role.dir, ...outer.places],
  }
}

function namesOf(role: Role, chosen: (param: RoleParam) => boolean): string[] {
  return role.signature.params.filter(chosen).map(param => param.name)
}

/** Returns the settings of tasks that stand in another file: its folder is searched first. */
export function enterFile(outer: Settings, file: string): Settings {
  const folder = dirname(file)
  return outer.places[0] === folder ? outer : { ...outer, places: [folder, ...outer.places] }
}

/** Returns the layers of a play, weakest first. */
export function playLayers(play: Play): Layer[] {
  const layers: Layer[] = play.varsFiles.map(vars => ({ level: 'play', origin: 'vars_files', vars }))
  if (play.vars)
    layers.unshift({ level: 'play', origin: `play ${play.name?.text ?? play.file}`, vars: play.vars })
  return layers
}

function defaultsOf(role: Role): MapNode {
  const at = { file: role.signature.file || join(role.dir, 'role.yml'), line: 1, col: 1, length: 1 }
  const entries = role.signature.params.flatMap(param => {
    const value = param.generate ? wantedNode(role.name, param) : param.default
    if (value === undefined) return []
    const key: ScalarNode = {
      kind: 'scalar',
      value: param.name,
      text: param.name,
      quoted: false,
      at: param.at,
      placeOf: () => param.at,
    }
    return [{ key, value }]
  })
  return { kind: 'map', entries, at }
}

/** A value that may be written alone or as a list. */
export function listOf(node: Node | undefined): readonly Node[] {
  if (node === undefined) return []
  return node.kind === 'list' ? (node satisfies ListNode).items : [node]
}

export function scalarsOf(node: Node | undefined): readonly ScalarNode[] {
  return listOf(node).filter(item => item.kind === 'scalar')
}

/** `tags: a, b` and `tags: [a, b]` mean the same. */
function tagsOf(node: Node | undefined): readonly string[] {
  return scalarsOf(node)
    .flatMap(item => String(item.value).split(','))
    .map(tag => tag.trim())
    .filter(Boolean)
}

/** Returns the names that a task gives values to during the run. */
export function namesSetBy({ args, module, settings }: Step): string[] {
  const register = settings.keywords.get('register')
  const set = module.sets && args.kind === 'map' ? args.entries.map(({ key }) => String(key.value)) : []
  return [...(register?.kind === 'scalar' ? [register.text] : []), ...set]
}

/** Returns a keyword's boolean where it is written as one; undefined where it is absent or a template. */
export function literalBoolean(keywords: Keywords, keyword: string): boolean | undefined {
  const node = keywords.get(keyword)
  return node === undefined ? undefined : asBoolean(node)
}

/** Returns the value of the keyword inside a map of keywords such as `loop_control`. */
export function inMap(node: Node | undefined, key: string): Node | undefined {
  return node?.kind === 'map' ? get(node, key) : undefined
}
