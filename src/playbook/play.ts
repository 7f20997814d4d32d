import { dirname, join } from 'node:path'
import { type Entry, get, type ListNode, type MapNode, type Node, type ScalarNode } from '../syntax/node.ts'
import { findFile } from './find.ts'
import { readHandlers } from './handlers.ts'
import { keywordsOf } from './keywords.ts'
import type { Keywords, Play, RoleUse } from './model.ts'
import { readPrompts } from './prompts.ts'
import { chainInto, type Reading, readKeywords, report, unknownKeyword } from './reading.ts'
import { openRole } from './role.ts'
import { callRole } from './role-params.ts'
import { asMap, isNull, isTemplate, shapeOfHosts, shown, variables } from './shape.ts'
import { bareName, readName } from './task.ts'

/** Returns the plays of a playbook's file, those of imported playbooks in the place of the import. */
export function readPlaybook(node: Node | undefined, reading: Reading): Play[] {
  if (node === undefined) return []
  if (node.kind !== 'list') {
    const hint = 'Begin each play with `- hosts:`.'
    report(reading, 'NOT_A_PLAYBOOK', node.at, `${shown(node)}, expected a list of plays`, { hint })
    return []
  }
  return node.items.flatMap(item => readEntry(item, reading))
}

function readEntry(node: Node, reading: Reading): Play[] {
  if (node.kind !== 'map') {
    const hint = 'Begin each play with `- hosts:`.'
    report(reading, 'NOT_A_PLAYBOOK', node.at, `${shown(node)}, expected a play`, { hint })
    return []
  }
  const imported = node.entries.find(({ key }) => ['import_playbook', 'include'].includes(bareName(key)))
  if (imported) return importPlaybook(node, imported, reading)
  return readPlay(node, reading)
}

const OWN = keywordsOf('play').slice(0, keywordsOf('play').indexOf('when'))

function readPlay(map: MapNode, reading: Reading): Play[] {
  const hosts = readHosts(map, reading)
  if (hosts === undefined) return []
  const inside: Reading = { ...reading, playbookDir: dirname(reading.file) }
  const keywords = new Map(readKeywords(inside, 'play', map, OWN))
  const vars = asMap(keywords.get('vars'))
  keywords.delete('vars')
  return [
    {
      at: map.at,
      file: reading.file,
      name: readName(map, inside),
      hosts,
      vars,
      varsFiles: readVarsFiles(get(map, 'vars_files'), inside),
      prompts: readPrompts(keywords.get('vars_prompt'), inside),
      preTasks: inside.readItems(get(map, 'pre_tasks'), inside),
      roles: readRoles(get(map, 'roles'), inside),
      tasks: inside.readItems(get(map, 'tasks'), inside),
      postTasks: inside.readItems(get(map, 'post_tasks'), inside),
      handlers: readHandlers(get(map, 'handlers'), inside),
      gate: inside.readItems(get(map, 'gate'), inside),
      keywords,
    },
  ]
}

function readHosts(map: MapNode, reading: Reading): Node | undefined {
  const hosts = get(map, 'hosts')
  const module = map.entries.find(({ key }) => reading.knownModules.has(bareName(key)))
  if (hosts === undefined && module) {
    const hint = 'Put the tasks under `tasks:` of a play that begins with `- hosts:`.'
    report(reading, 'NOT_A_PLAYBOOK', map.at, `\`${module.key.text}\` makes this a task, expected a play`, {
      hint,
    })
    return undefined
  }
  if (hosts === undefined) {
    report(reading, 'MISSING_KEYWORD', map.at, 'this play has no `hosts`', {
      hint: 'Add `hosts:` with a group, a host or `all`.',
    })
    return map
  }
  const wrong = shapeOfHosts(hosts)
  if (wrong) report(reading, 'BAD_VALUE', wrong.at, `\`hosts\` is ${wrong.message}`, { hint: wrong.hint })
  return hosts
}

function readVarsFiles(list: Node | undefined, reading: Reading): readonly MapNode[] {
  if (list === undefined || isNull(list)) return []
  const names = list.kind === 'list' ? list.items : [list]
  return names.flatMap(name => readVarsFile(name, reading) ?? [])
}

function readVarsFile(name: Node, reading: Reading): MapNode | undefined {
  if (name.kind !== 'scalar' || typeof name.value !== 'string' || isTemplate(name)) {
    const found = isTemplate(name) ? 'a template' : shown(name)
    const hint = 'Name one file; use `group_vars/` for values that differ between hosts.'
    report(reading, 'BAD_VALUE', name.at, `${found}, expected the name of a file`, { hint })
    return undefined
  }
  const file = findFile(name, 'vars', reading)
  const node = file === undefined ? undefined : reading.sources.parse(file, reading.onProblem, name.at)
  const wrong = node && variables(node)
  if (wrong) report(reading, 'BAD_VALUE', wrong.at, wrong.message, { hint: wrong.hint })
  return asMap(node)
}

function readRoles(list: Node | undefined, reading: Reading): readonly RoleUse[] {
  if (list === undefined || isNull(list)) return []
  if (list.kind !== 'list') {
    report(reading, 'BAD_VALUE', list.at, `\`roles\` is ${shown(list)}, expected a list`, {
      hint: 'Begin each role with `- `.',
    })
    return []
  }
  return list.items.flatMap(item => readRoleUse(item, reading) ?? [])
}

function readRoleUse(node: Node, reading: Reading): RoleUse | undefined {
  const name = roleName(node, reading)
  if (name === undefined) return undefined
  if (node.kind !== 'map') {
    const role = openRole(name, undefined, reading)
    return role && { kind: 'role', at: node.at, role, params: undefined, keywords: new Map() }
  }
  const from = get(node, 'tasks_from')
  const role = openRole(name, from?.kind === 'scalar' ? from : undefined, reading)
  if (role === undefined) return undefined
  const names = new Set(role.signature.params.map(param => param.name))
  const split = splitRoleKeys(node, names)
  const keywords = readKeywords(reading, 'role', split.keywords, ['vars'])
  const entries = [...split.params, ...roleVars(node, reading)]
  const params: MapNode | undefined = entries.length > 0 ? { kind: 'map', entries, at: node.at } : undefined
  return callRole({ kind: 'role', at: node.at, role, params, keywords }, reading)
}

function roleName(node: Node, reading: Reading): ScalarNode | undefined {
  const name = node.kind === 'map' ? (get(node, 'role') ?? get(node, 'name')) : node
  if (name?.kind === 'scalar' && typeof name.value === 'string' && !isTemplate(name)) return name
  const found = name === undefined ? 'a map without `role`' : shown(name)
  report(reading, 'BAD_VALUE', (name ?? node).at, `${found}, expected the name of a role`, {
    hint: 'Write `- name` or `- role: name`; use `include_role` where the name depends on variables.',
  })
  return undefined
}

function roleVars(map: MapNode, reading: Reading): readonly Entry[] {
  const vars = get(map, 'vars')
  const wrong = vars && variables(vars)
  if (wrong) report(reading, 'BAD_VALUE', wrong.at, `\`vars\` is ${wrong.message}`, { hint: wrong.hint })
  return asMap(vars)?.entries ?? []
}

/** Words that never name a parameter, even where a role has one of that name. */
const ALWAYS_KEYWORDS: readonly string[] = ['when', 'tags', 'vars', 'become', 'become_user']

function splitRoleKeys(map: MapNode, names: ReadonlySet<string>): { keywords: MapNode; params: Entry[] } {
  const known = new Set(keywordsOf('role'))
  const keywords: Entry[] = []
  const params: Entry[] = []
  for (const entry of map.entries) {
    const word = String(entry.key.value)
    if (word === 'role' || word === 'tasks_from' || (word === 'name' && !get(map, 'role'))) continue
    const isParam = names.has(word) ? !ALWAYS_KEYWORDS.includes(word) : !known.has(word)
    if (isParam) params.push(entry)
    else if (word !== 'name') keywords.push(entry)
  }
  return { keywords: { ...map, entries: keywords }, params }
}

function importPlaybook(map: MapNode, { key, value }: Entry, reading: Reading): Play[] {
  if (key.value === 'include') {
    unknownKeyword(reading, 'play', { key, value }, ['import_playbook'])
    return []
  }
  const keywords = readKeywords(reading, 'import_playbook', map, ['name', String(key.value)])
  if (value.kind !== 'scalar' || typeof value.value !== 'string' || isTemplate(value)) {
    const found = isTemplate(value) ? 'a template' : shown(value)
    report(reading, 'BAD_VALUE', value.at, `${found}, expected the path of a playbook`)
    return []
  }
  const file = join(dirname(reading.file), value.value)
  if (reading.sources.kindOf(file) !== 'file') {
    const hint = 'Check the path; it is relative to this file.'
    report(reading, 'MISSING_FILE', value.at, `there is no playbook \`${file}\``, { hint })
    return []
  }
  const chain = chainInto(file, value.at, reading)
  if (chain === undefined) return []
  const node = reading.sources.parse(file, reading.onProblem, value.at)
  return readPlaybook(node, { ...reading, file, chain }).map(play => underImport(play, keywords))
}

/** What stands at an import holds for each of its plays: conditions and tags add up, variables of the import win. */
function underImport(play: Play, outer: Keywords): Play {
  const keywords = new Map(play.keywords)
  for (const word of ['when', 'tags']) {
    const both = joined(outer.get(word), keywords.get(word))
    if (both) keywords.set(word, both)
  }
  const vars = asMap(outer.get('vars'))
  if (vars === undefined) return { ...play, keywords }
  const names = new Set(vars.entries.map(({ key }) => key.value))
  const entries = [...vars.entries, ...(play.vars?.entries ?? []).filter(({ key }) => !names.has(key.value))]
  return { ...play, vars: { kind: 'map', entries, at: (play.vars ?? vars).at }, keywords }
}

function joined(outer: Node | undefined, inner: Node | undefined): Node | undefined {
  if (outer === undefined || inner === undefined) return outer ?? inner
  const items = [outer, inner].flatMap(node => (node.kind === 'list' ? node.items : [node]))
  return { kind: 'list', items, at: inner.at } satisfies ListNode
}
