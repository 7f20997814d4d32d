import { readdirSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import type { ScalarNode } from '../syntax/node.ts'
import type { Role } from './model.ts'
import type { Reading } from './reading.ts'
import { openRole } from './role.ts'

/**
 * Returns the roles that lie in a folder `roles`, in order of names, each once for every file of tasks by which it can be
 * entered, `tasks.yml` first.
 */
export function readAllRoles(folder: string, reading: Reading): readonly (readonly [Role, ...Role[]])[] {
  const inside: Reading = { ...reading, playbookDir: dirname(folder) }
  return namesIn(folder).flatMap(name => {
    const dir = join(folder, name)
    if (name.startsWith('.') || reading.sources.kindOf(dir) !== 'directory') return []
    const file = join(dir, 'role.yml')
    const main = openRole(word(name, file), undefined, { ...inside, file })
    const others = entriesIn(dir).flatMap(
      entry => openRole(word(name, file), word(entry, file), { ...inside, file }) ?? [],
    )
    return main === undefined ? [] : [[main, ...others] as const]
  })
}

/** Files of tasks besides `tasks.yml` and `tasks/main.yml`. */
function entriesIn(dir: string): readonly string[] {
  return namesIn(join(dir, 'tasks'))
    .filter(name => ['.yml', '.yaml'].includes(extname(name)))
    .map(name => basename(name, extname(name)))
    .filter(name => name !== 'main')
}

function word(value: string, file: string): ScalarNode {
  const at = { file, line: 1, col: 1, length: 1 }
  return { kind: 'scalar', value, text: value, quoted: true, at, placeOf: () => at }
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir).sort()
  } catch {
    return []
  }
}
