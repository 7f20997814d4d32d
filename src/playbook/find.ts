import { readdirSync } from 'node:fs'
import { dirname, extname, isAbsolute, join, normalize } from 'node:path'
import { didYouMean } from '../base/nearest.ts'
import type { ScalarNode } from '../syntax/node.ts'
import { type Reading, report } from './reading.ts'

/**
 * Returns the file that a task, variable or role file names: looked for beside the file that names it, then in its role,
 * then beside the playbook. Reports MISSING_FILE and returns undefined where there is none.
 */
export function findFile(name: ScalarNode, folder: 'tasks' | 'vars', reading: Reading): string | undefined {
  const wanted = String(name.value)
  const dirs = searchDirs(folder, reading)
  const candidates = isAbsolute(wanted) ? [normalize(wanted)] : dirs.map(dir => join(dir, wanted))
  const found = candidates.find(candidate => reading.sources.kindOf(candidate) === 'file')
  if (found !== undefined) return found
  const hint =
    didYouMean(wanted, dirs.flatMap(namesIn)) ?? `Create \`${candidates[0] ?? wanted}\`, or correct the name.`
  report(reading, 'MISSING_FILE', name.at, `there is no file \`${wanted}\``, { hint })
  return undefined
}

function searchDirs(folder: 'tasks' | 'vars', { file, roleDir, playbookDir }: Reading): string[] {
  const role = roleDir === undefined ? [] : [join(roleDir, folder), roleDir]
  return [...new Set([dirname(file), ...role, playbookDir, join(playbookDir, folder)])]
}

/** Returns the role's folder; reports MISSING_ROLE and returns undefined where there is none. */
export function findRole(name: ScalarNode, reading: Reading): string | undefined {
  const wanted = String(name.value)
  const places = rolePlaces(reading)
  const candidates = isAbsolute(wanted)
    ? [normalize(wanted)]
    : [
        ...places.map(place => join(place, wanted)),
        ...(wanted.includes('/') ? [join(reading.playbookDir, wanted)] : []),
      ]
  const found = candidates.find(candidate => reading.sources.kindOf(candidate) === 'directory')
  if (found !== undefined) return found
  const hint = didYouMean(wanted, places.flatMap(namesIn)) ?? `Create it as \`${candidates[0] ?? wanted}\`.`
  report(reading, 'MISSING_ROLE', name.at, `there is no role \`${wanted}\` in ${places.join(', ')}`, { hint })
  return undefined
}

function rolePlaces({ playbookDir, roots, roleDir }: Reading): string[] {
  const beside = roleDir === undefined ? [] : [dirname(roleDir)]
  return [...new Set([join(playbookDir, 'roles'), ...roots.map(root => join(root, 'roles')), ...beside])]
}

/** Returns the first file that exists of the names, each tried as it is and with YAML's endings. */
export function firstFile(dir: string, names: readonly string[], reading: Reading): string | undefined {
  for (const name of names) {
    const endings = extname(name) === '' ? ['.yml', '.yaml'] : ['', '.yml', '.yaml']
    for (const ending of endings) {
      const path = join(dir, name + ending)
      if (reading.sources.kindOf(path) === 'file') return path
    }
  }
  return undefined
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
