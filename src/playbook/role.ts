import { join } from 'node:path'
import { get, type ScalarNode } from '../syntax/node.ts'
import { findRole, firstFile } from './find.ts'
import { readHandlers } from './handlers.ts'
import type { Item, Role, Task } from './model.ts'
import { chainInto, type Link, type Reading, report } from './reading.ts'
import { readSignature } from './signature.ts'

/** Returns the role of that name with the tasks of its entry; undefined, after a report, where it cannot be had. */
export function openRole(
  name: ScalarNode,
  tasksFrom: ScalarNode | undefined,
  reading: Reading,
): Role | undefined {
  const dir = findRole(name, reading)
  if (dir === undefined) return undefined
  const entry = tasksFrom === undefined ? 'main' : String(tasksFrom.value)
  const key = [dir, entry, reading.playbookDir].join('\n')
  const known = reading.cache.roles.get(key)
  if (known !== undefined) return known
  const inside: Reading = { ...reading, roleDir: dir }
  refuseUnread(inside, name)
  const role: Role = {
    name: String(name.value),
    dir,
    signature: readSignature(inside),
    handlers: roleHandlers(inside, name),
    tasks: roleTasks(inside, name, tasksFrom, entry),
  }
  reading.cache.roles.set(key, role)
  return role
}

/** Parts of Ansible's layout that would change what the role does must not be passed over in silence. */
function refuseUnread(reading: Reading, name: ScalarNode): void {
  const dir = reading.roleDir ?? ''
  const vars = firstFile(dir, ['vars/main'], reading)
  if (vars !== undefined) {
    const message = `\`${vars}\` is not read`
    report(reading, 'BAD_VALUE', name.at, message, {
      hint: 'Move its variables to `params` in `role.yml`, as defaults.',
    })
  }
  const meta = firstFile(dir, ['meta/main'], reading)
  const node = meta === undefined ? undefined : reading.sources.parse(meta, reading.onProblem, name.at)
  const needs = node?.kind === 'map' ? get(node, 'dependencies') : undefined
  if (needs?.kind === 'list' && needs.items.length > 0) {
    const hint = 'Call these roles before this one, or with `import_role` in its tasks.'
    report(reading, 'BAD_VALUE', needs.at, 'dependencies of a role are not pulled in', { hint })
  }
}

function roleTasks(
  reading: Reading,
  name: ScalarNode,
  tasksFrom: ScalarNode | undefined,
  entry: string,
): readonly Item[] {
  const dir = reading.roleDir ?? ''
  const names = entry === 'main' ? ['tasks', 'tasks/main'] : [join('tasks', entry), entry]
  const file = firstFile(dir, names, reading)
  if (file === undefined) {
    if (tasksFrom !== undefined) {
      const message = `the role \`${name.text}\` has no file \`${entry}\` of tasks`
      report(reading, 'MISSING_FILE', tasksFrom.at, message, {
        hint: `Create \`${join(dir, 'tasks', entry)}.yml\`.`,
      })
    }
    return []
  }
  const chain = chainInto(file, name.at, reading)
  if (chain === undefined) return []
  const node = reading.sources.parse(file, reading.onProblem, name.at)
  return reading.readItems(node, { ...reading, file, chain, level: 'task' })
}

function roleHandlers(reading: Reading, name: ScalarNode): readonly Task[] {
  const file = firstFile(reading.roleDir ?? '', ['handlers', 'handlers/main'], reading)
  if (file === undefined) return []
  const key = [file, reading.playbookDir].join('\n')
  const known = reading.cache.handlers.get(key)
  if (known !== undefined) return known
  const node = reading.sources.parse(file, reading.onProblem, name.at)
  const chain: Link[] = [...reading.chain, { file: reading.file, at: name.at }]
  const handlers = readHandlers(node, { ...reading, file, chain })
  reading.cache.handlers.set(key, handlers)
  return handlers
}
