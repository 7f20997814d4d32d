import { get, type Entry, type MapNode, type Node, type ScalarNode } from '../syntax/node.ts'
import { findFile } from './find.ts'
import { insteadOf } from './keywords.ts'
import type { Include, IncludedTasks, RoleUse } from './model.ts'
import { chainInto, type Reading, readKeywords, report } from './reading.ts'
import { openRole } from './role.ts'
import { callRole } from './role-params.ts'
import { asMap, isNull, isTemplate, shown } from './shape.ts'
import { expandShortForm, mergeArgs } from './short-form.ts'
import { bareName, checkLoopControl, readName } from './task.ts'

const KEYS: ReadonlyMap<string, Include['key']> = new Map([
  ['import_tasks', 'import_tasks'],
  ['include_tasks', 'include_tasks'],
  ['import_role', 'import_role'],
  ['include_role', 'include_role'],
  ['include', 'include_tasks'],
])

/** Returns the entry that makes an include of a task, or undefined. */
export function includeKeyOf(map: MapNode): Entry | undefined {
  return map.entries.find(({ key }) => KEYS.has(bareName(key)))
}

/** Returns the include with what it leads to, where that is known without variables. */
export function readInclude(map: MapNode, entry: Entry, reading: Reading): Include | undefined {
  const key = KEYS.get(bareName(entry.key)) ?? 'include_tasks'
  const level = key.startsWith('import') ? 'import' : 'include'
  const name = readName(map, reading)
  const own = ['name', 'args', String(entry.key.value)]
  const others = map.entries.filter(other => !own.includes(String(other.key.value)))
  const second = others.find(other => reading.knownModules.has(bareName(other.key)))
  if (second) {
    const message = `\`${second.key.text}\` is a module beside \`${entry.key.text}\``
    report(reading, 'TWO_MODULES', second.key.at, message, {
      hint: 'Make a task of its own for it.',
      related: [entry.key.at],
    })
    own.push(String(second.key.value))
  }
  const keywords = readKeywords(reading, level, map, own)
  checkLoopControl(keywords.get('loop_control'), reading)
  const target = readTarget(map, entry, key, reading)
  if (target === undefined) return undefined
  const bare = { kind: 'include', at: map.at, name, key, ...target, keywords } as const
  const include: Include = { ...bare, content: staticContent({ ...bare, content: undefined }, reading) }
  reading.cache.includes.set(include, reading)
  return include
}

interface Target {
  readonly target: ScalarNode
  readonly tasksFrom: ScalarNode | undefined
}

function readTarget(map: MapNode, entry: Entry, key: Include['key'], reading: Reading): Target | undefined {
  const { thing, word, known } = key.endsWith('_role') ? ROLE_TARGET : FILE_TARGET
  const args = targetArgs(map, entry, key)
  const target = args.kind === 'map' ? get(args, word) : isNull(args) ? undefined : args
  if (args.kind === 'map') checkTargetKeys(args, known, entry, reading)
  if (target === undefined) {
    const message = `\`${entry.key.text}\` names no ${thing}`
    report(reading, 'MISSING_KEYWORD', entry.value.at, message, { hint: `Add \`${word}:\`.` })
    return undefined
  }
  const isMixed = target.kind === 'scalar' && /\s\w+=/.test(target.text)
  if (target.kind !== 'scalar' || typeof target.value !== 'string' || isMixed) {
    const hint = isMixed ? 'Write keywords as keys of the task.' : undefined
    report(reading, 'BAD_VALUE', target.at, `${shown(target)}, expected the name of a ${thing}`, { hint })
    return undefined
  }
  const tasksFrom = thing === 'role' && args.kind === 'map' ? get(args, 'tasks_from') : undefined
  return { target, tasksFrom: tasksFrom?.kind === 'scalar' ? tasksFrom : undefined }
}

const ROLE_TARGET = { thing: 'role', word: 'name', known: ['name', 'tasks_from'] }
const FILE_TARGET = { thing: 'file', word: 'file', known: ['file'] }

/** What stands below the include's key, the short form written out and `args` added. */
function targetArgs(map: MapNode, entry: Entry, key: Include['key']): Node {
  const expanded = expandShortForm(key, entry.value)
  const given = 'word' in expanded ? entry.value : expanded
  const more = asMap(get(map, 'args'))
  return more && (given.kind !== 'scalar' || isNull(given)) ? mergeArgs(given, more) : given
}

function checkTargetKeys(args: MapNode, known: readonly string[], entry: Entry, reading: Reading): void {
  for (const { key, value } of args.entries) {
    const word = String(key.value)
    if (!known.includes(word)) {
      const hint = insteadOf(word, 'include', known)
      report(reading, 'UNKNOWN_KEYWORD', key.at, `\`${word}\` is no keyword of \`${entry.key.text}\``, {
        hint,
      })
    } else if (word === 'tasks_from' && (value.kind !== 'scalar' || typeof value.value !== 'string')) {
      report(reading, 'BAD_VALUE', value.at, `\`tasks_from\` is ${shown(value)}, expected the name of a file`)
    }
  }
}

function staticContent(include: Include, reading: Reading): Include['content'] {
  const { key, target, tasksFrom } = include
  const template = [target, tasksFrom].find(node => node !== undefined && isTemplate(node))
  if (template === undefined) return readContent(include, target, tasksFrom, reading)
  if (key.startsWith('import')) {
    const hint = `Use \`${key.replace('import', 'include')}\` where the name depends on variables.`
    report(reading, 'BAD_VALUE', template.at, `a template in \`${key}\`, expected a plain name`, { hint })
  }
  return undefined
}

/** Returns what the include leads to under that name; problems are reported at the name. */
export function readContent(
  include: Include,
  target: ScalarNode,
  tasksFrom: ScalarNode | undefined,
  reading: Reading,
): IncludedTasks | RoleUse | undefined {
  if (!include.key.endsWith('_role')) {
    const file = findFile(target, 'tasks', reading)
    return file === undefined ? undefined : readTasksFile(file, target, reading)
  }
  const role = openRole(target, tasksFrom, reading)
  if (role === undefined) return undefined
  const params = asMap(include.keywords.get('vars'))
  return callRole({ kind: 'role', at: target.at, role, params, keywords: new Map() }, reading)
}

function readTasksFile(file: string, target: ScalarNode, reading: Reading): IncludedTasks | undefined {
  const chain = chainInto(file, target.at, reading)
  if (chain === undefined) return undefined
  const key = [file, reading.roleDir ?? '', reading.playbookDir, reading.level].join('\n')
  let items = reading.cache.items.get(key)
  if (items === undefined) {
    const node: Node | undefined = reading.sources.parse(file, reading.onProblem, target.at)
    items = reading.readItems(node, { ...reading, file, chain })
    reading.cache.items.set(key, items)
  }
  return { kind: 'tasks', file, items }
}
