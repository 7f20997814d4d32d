import { globSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import type { LocalVars } from '../modules/_local.ts'
import { varsAt } from '../playbook/vars-at.ts'
import type { Node } from '../syntax/node.ts'
import { containsTemplate } from '../vars/render.ts'
import { findLocal } from './lookup.ts'
import type { Step } from './step.ts'

/**
 * Returns the variables of a file, or of the files of a folder in the order of their names.
 *
 * @throws SourceError where one cannot be read as a map of variables.
 */
export function readVars(path: string): LocalVars {
  const maps = varsAt(path)
  const names = maps.flatMap(({ vars }) => vars.entries.map(({ key }) => key.text))
  return { path, files: maps.map(({ file }) => file), names, maps }
}

/** Returns the names that a task may set by reading variables: of every file that its texts may come to. */
export function namesIncludedBy({ module, args, settings }: Step): readonly string[] {
  if (!module.includes) return []
  const given = (keys: readonly string[]): readonly Node[] =>
    args.kind === 'map'
      ? args.entries.filter(({ key }) => keys.includes(key.text)).map(({ value }) => value)
      : [args]
  const [under] = args.kind === 'map' ? given(['name']) : []
  if (under?.kind === 'scalar') return [under.text]
  const texts = given(['file', 'dir']).flatMap(node => (node.kind === 'scalar' ? [node] : []))
  return texts.flatMap(node =>
    candidates(node.text, containsTemplate(node), settings.places).flatMap(path => quietNames(path)),
  )
}

function candidates(name: string, isTemplate: boolean, places: readonly string[]): readonly string[] {
  const found = isTemplate ? undefined : findLocal(name, 'vars', places)
  if (!isTemplate) return found === undefined ? [] : [found]
  const pattern = name.replaceAll(/\{\{.*?\}\}/gs, '*')
  return isAbsolute(name)
    ? globSync(pattern)
    : places.flatMap(place =>
        [join(place, 'vars'), place].flatMap(cwd => globSync(pattern, { cwd }).map(path => join(cwd, path))),
      )
}

/** What is wrong with a file that may never be read is told when it is. */
function quietNames(path: string): readonly string[] {
  try {
    return readVars(path).names
  } catch {
    return []
  }
}
