import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { SourceError } from '../base/error.ts'
import type { MapNode } from '../syntax/node.ts'
import { parseYaml } from '../syntax/parse.ts'

/** Files of a folder that are read as variables. */
const READABLE = /\.(ya?ml|json)$|(^|\/)[^./]+$/

/**
 * Returns the variables of a file, or of each file of a folder and below, in the order of their paths.
 *
 * @throws SourceError where one cannot be read as a map of variables.
 */
export function varsAt(path: string): readonly { readonly file: string; readonly vars: MapNode }[] {
  const files = statSync(path).isDirectory() ? filesIn(path) : [path]
  return files.map(file => ({ file, vars: readVarsFile(file) }))
}

function filesIn(folder: string): readonly string[] {
  return globSync('**/*', { cwd: folder, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .filter(file => READABLE.test(file))
    .sort()
}

function readVarsFile(file: string): MapNode {
  const node = parseYaml(readFileSync(file, 'utf8'), file, problem => {
    throw problem
  })
  const at = { file, line: 1, col: 1, length: 1 }
  if (node === undefined || (node.kind === 'scalar' && node.value === null))
    return { kind: 'map', entries: [], at }
  if (node.kind === 'map') return node
  throw new SourceError('BAD_VALUE', node.at, `a ${node.kind} found, expected a map of variables`)
}
