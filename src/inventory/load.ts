import { readdirSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { type OnProblem, SourceError } from '../base/error.ts'
import { showSpan } from '../base/span.ts'
import type { Sources } from '../syntax/files.ts'
import type { MapNode, ScalarNode } from '../syntax/node.ts'
import { type Ancestry, ancestryOf } from './ancestry.ts'
import { type Draft, groupOf, type HostDraft, type Layer, openDraft } from './draft.ts'
import type { Group, Host, Inventory, VarLayer } from './model.ts'
import { reachOf } from './reach.ts'
import { isNull, readHostList, readInventoryFile, shown } from './read.ts'

/**
 * Returns the inventory of several sources, each a YAML file, a folder of them, or a list of hosts with commas (`web1,`).
 * What they say about one group or host adds up; `group_vars/` and `host_vars/` lie beside each file. Problems go to
 * `onProblem`, each once, and nothing is thrown.
 */
export function loadInventory(wanted: readonly string[], sources: Sources, onProblem: OnProblem): Inventory {
  const seen = new Set<string>()
  const once: OnProblem = problem => {
    const id = `${problem.code} ${showSpan(problem.at)} ${problem.message}`
    if (!seen.has(id)) onProblem(problem)
    seen.add(id)
  }
  const draft = openDraft()
  const dirs = new Set<string>()
  for (const source of wanted) readSource(source, draft, dirs, sources, once)
  return finish(draft, [...dirs], sources, once)
}

function readSource(
  source: string,
  draft: Draft,
  dirs: Set<string>,
  sources: Sources,
  onProblem: OnProblem,
): void {
  const kind = sources.kindOf(source)
  if (kind === undefined && source.includes(',')) readHostList(hostList(source), draft, onProblem)
  else if (kind === 'directory') {
    dirs.add(source)
    for (const path of inventoryFiles(source, sources)) readFile(path, draft, sources, onProblem)
  } else {
    dirs.add(dirname(source))
    readFile(source, draft, sources, onProblem)
  }
}

/** Places inside a host list count from the beginning of the option's value. */
function hostList(source: string): ScalarNode[] {
  return [...source.matchAll(/[^,\s]+/g)].map(({ 0: text, index }): ScalarNode => {
    const placeOf: ScalarNode['placeOf'] = (offset, length = 1) => ({
      file: '-i',
      line: 1,
      col: index + offset + 1,
      length,
    })
    return { kind: 'scalar', value: text, text, quoted: true, at: placeOf(0, text.length), placeOf }
  })
}

function inventoryFiles(dir: string, sources: Sources): string[] {
  return list(dir).flatMap(name => {
    const path = join(dir, name)
    if (name.startsWith('.') || name.endsWith('~') || name === 'group_vars' || name === 'host_vars') return []
    if (sources.kindOf(path) === 'directory') return inventoryFiles(path, sources)
    return ['.yml', '.yaml', ''].includes(extname(name)) ? [path] : []
  })
}

function readFile(file: string, draft: Draft, sources: Sources, onProblem: OnProblem): void {
  draft.files.push(file)
  const text = sources.read(file, onProblem)
  if (text === undefined) return
  const firstLine = /^\s*(?:[#;].*\n\s*)*(.*)/.exec(text)?.[1] ?? ''
  if (/^\[[\w:.-]+\]\s*(?:[#;].*)?$/.test(firstLine)) {
    const hint = 'Convert it: `ansible-inventory -i FILE --list --yaml`.'
    const line = text.slice(0, text.indexOf(firstLine)).split('\n').length
    const at = { file, line, col: 1, length: firstLine.length }
    onProblem(new SourceError('BAD_INVENTORY', at, 'an inventory in INI form, expected YAML', { hint }))
    return
  }
  const node = sources.parse(file, onProblem)
  if (node && !isNull(node)) readInventoryFile(node, draft, onProblem)
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir).sort()
  } catch {
    return []
  }
}

function finish(draft: Draft, dirs: readonly string[], sources: Sources, onProblem: OnProblem): Inventory {
  const ancestry = ancestryOf(draft, onProblem)
  const grouped = new Set(
    [...draft.groups.values()].filter(group => group.name !== 'all').flatMap(group => [...group.hosts]),
  )
  for (const name of draft.hosts.keys()) if (!grouped.has(name)) groupOf(draft, 'ungrouped').hosts.add(name)
  for (const group of draft.groups.values())
    group.layers.push(...varsBeside('group_vars', group.name, dirs, sources, onProblem))
  const memberships = new Map<string, Set<string>>()
  for (const group of draft.groups.values()) {
    for (const host of group.hosts) {
      const groups = memberships.get(host) ?? new Set(['all'])
      memberships.set(host, groups)
      for (const name of ancestry.lineage(group.name)) groups.add(name)
    }
  }
  const hosts = new Map<string, Host>()
  for (const host of draft.hosts.values()) {
    host.layers.push(...varsBeside('host_vars', host.name, dirs, sources, onProblem))
    hosts.set(
      host.name,
      hostFrom(host, [...(memberships.get(host.name) ?? [])].sort(ancestry.compare), draft, onProblem),
    )
  }
  return {
    files: draft.files,
    hosts,
    groups: groupsFrom(draft, ancestry),
    localhost: implicitLocalhost(draft, dirs, sources, onProblem),
  }
}

function hostFrom(host: HostDraft, groups: readonly string[], draft: Draft, onProblem: OnProblem): Host {
  const ofGroups = groups.flatMap(name =>
    (draft.groups.get(name)?.layers ?? []).map(layer => ({ name, layer })),
  )
  const layers: VarLayer[] = []
  for (const { name, layer } of ofGroups) {
    if (layer.vars) layers.push({ level: 'group', origin: `group ${name}`, vars: layer.vars })
  }
  for (const { vars } of host.layers) {
    if (vars) layers.push({ level: 'host', origin: `host ${host.name}`, vars })
  }
  const all = [...ofGroups.map(({ layer }) => layer), ...host.layers]
  return {
    name: host.name,
    at: host.at,
    groups,
    layers,
    reach: reachOf(host.name, host.port, all, onProblem),
  }
}

/** The controller itself; it belongs to `all` only as far as variables go. */
function implicitLocalhost(
  draft: Draft,
  dirs: readonly string[],
  sources: Sources,
  onProblem: OnProblem,
): Host {
  const at = { file: draft.files[0] ?? '-i', line: 1, col: 1, length: 1 }
  const layers = varsBeside('host_vars', 'localhost', dirs, sources, onProblem)
  const host = hostFrom({ name: 'localhost', at, port: undefined, layers }, ['all'], draft, () => undefined)
  return { ...host, reach: { ...host.reach, connection: 'local', host: 'localhost' } }
}

function groupsFrom(draft: Draft, { parents, children }: Ancestry): Map<string, Group> {
  const groups = new Map<string, Group>()
  for (const { name, hosts } of draft.groups.values()) {
    groups.set(name, {
      name,
      parents: parents.get(name) ?? [],
      children: children.get(name) ?? [],
      hosts: [...hosts],
    })
  }
  return groups
}

/** Returns the variables of `group_vars/NAME.yml`, `.yaml`, `NAME` or the files of the folder `NAME/`, in order of names. */
function varsBeside(
  folder: 'group_vars' | 'host_vars',
  name: string,
  dirs: readonly string[],
  sources: Sources,
  onProblem: OnProblem,
): Layer[] {
  const layers: Layer[] = []
  for (const dir of dirs) {
    const base = join(dir, folder, name)
    for (const path of [base, `${base}.yml`, `${base}.yaml`]) {
      const kind = sources.kindOf(path)
      const files = kind === 'directory' ? varsFilesIn(path, sources) : kind === 'file' ? [path] : []
      for (const file of files) {
        const vars = readVars(file, sources, onProblem)
        if (vars) layers.push({ vars, settings: undefined })
      }
    }
  }
  return layers
}

function varsFilesIn(dir: string, sources: Sources): string[] {
  return list(dir).flatMap(name => {
    const path = join(dir, name)
    if (name.startsWith('.') || name.endsWith('~')) return []
    if (sources.kindOf(path) === 'directory') return varsFilesIn(path, sources)
    return ['.yml', '.yaml', ''].includes(extname(name)) ? [path] : []
  })
}

function readVars(file: string, sources: Sources, onProblem: OnProblem): MapNode | undefined {
  const node = sources.parse(file, onProblem)
  if (node === undefined || isNull(node)) return undefined
  if (node.kind === 'map') return node
  onProblem(new SourceError('BAD_INVENTORY', node.at, `${shown(node)}, expected a map of variables`))
  return undefined
}
