import { readdirSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { type OnProblem, SourceError } from '../base/error.ts'
import { showSpan } from '../base/span.ts'
import type { Sources } from '../syntax/files.ts'
import type { MapNode, ScalarNode } from '../syntax/node.ts'
import { type Ancestry, ancestryOf } from './ancestry.ts'
import { type Draft, groupOf, type HostDraft, hostOf, type Layer, openDraft } from './draft.ts'
import type { Addition, Group, Host, Inventory, VarLayer } from './model.ts'
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
    const id = idOf(problem)
    if (!seen.has(id)) onProblem(problem)
    seen.add(id)
  }
  return { ...read(wanted, [], sources, once), grown: grow }

  function grow(additions: readonly Addition[], onNew: OnProblem): Inventory {
    const isOld = (problem: SourceError): boolean => seen.has(idOf(problem))
    return { ...read(wanted, additions, sources, problem => isOld(problem) || onNew(problem)), grown: grow }
  }
}

function idOf({ code, at, message }: SourceError): string {
  return `${code} ${showSpan(at)} ${message}`
}

function read(
  wanted: readonly string[],
  additions: readonly Addition[],
  sources: Sources,
  onProblem: OnProblem,
): Inventory {
  const loading: Loading = { draft: openDraft(), dirs: new Set(), sources, onProblem }
  for (const source of wanted) readSource(source, loading)
  for (const addition of additions) add(addition, loading.draft)
  return finish(loading)
}

/** Keys that say how a host is reached, and are no variables. */
const SETTINGS = ['ssh', 'connection', 'become']

function add({ host, at, groups, parents, vars }: Addition, draft: Draft): void {
  const [settings, own] = [true, false].map(wanted => ({
    ...vars,
    entries: vars.entries.filter(({ key }) => SETTINGS.includes(key.text) === wanted),
  }))
  hostOf(draft, host, at).layers.push({ vars: own, settings })
  for (const name of groups) {
    groupOf(draft, name).hosts.add(host)
    for (const parent of parents) groupOf(draft, parent).children.set(name, at)
  }
}

interface Loading {
  readonly draft: Draft
  /** Folders that may hold `group_vars/` and `host_vars/`. */
  readonly dirs: Set<string>
  readonly sources: Sources
  readonly onProblem: OnProblem
}

function readSource(source: string, loading: Loading): void {
  const { draft, dirs, sources, onProblem } = loading
  const kind = sources.kindOf(source)
  if (kind === undefined && source.includes(',')) readHostList(hostList(source), draft, onProblem)
  else if (kind === 'directory') {
    dirs.add(source)
    for (const path of inventoryFiles(source, sources)) readFile(path, loading)
  } else {
    dirs.add(dirname(source))
    readFile(source, loading)
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

/** What may lie in an inventory's folder besides inventories. */
const NOT_INVENTORY = new Set(['group_vars', 'host_vars', 'known_hosts'])

function inventoryFiles(dir: string, sources: Sources): string[] {
  return list(dir).flatMap(name => {
    const path = join(dir, name)
    if (name.startsWith('.') || name.endsWith('~') || NOT_INVENTORY.has(name)) return []
    if (sources.kindOf(path) === 'directory') return inventoryFiles(path, sources)
    return ['.yml', '.yaml', ''].includes(extname(name)) ? [path] : []
  })
}

function readFile(file: string, { draft, sources, onProblem }: Loading): void {
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

function finish(loading: Loading): Inventory {
  const { draft } = loading
  const ancestry = ancestryOf(draft, loading.onProblem)
  fillUngrouped(draft)
  for (const group of draft.groups.values())
    group.layers.push(...varsBeside('group_vars', group.name, loading))
  const groupsOf = memberships(draft, ancestry)
  const hosts = new Map<string, Host>()
  for (const host of draft.hosts.values()) {
    host.layers.push(...varsBeside('host_vars', host.name, loading))
    hosts.set(host.name, hostFrom(host, groupsOf.get(host.name) ?? ['all'], loading))
  }
  checkIdleSettings(hosts, loading)
  return {
    files: draft.files,
    hosts,
    groups: groupsFrom(draft, ancestry),
    prepared: preparedGroups(loading),
    localhost: implicitLocalhost(loading),
  }
}

function preparedGroups({ dirs }: Loading): readonly string[] {
  const names = [...dirs].flatMap(dir => list(join(dir, 'group_vars')))
  return [...new Set(names.map(name => name.replace(/\.ya?ml$/, '')))].filter(name => !/^\.|~$/.test(name))
}

/** Settings of a group without hosts are read by nobody, and would be wrong on the day it gets its first host. */
function checkIdleSettings(hosts: ReadonlyMap<string, Host>, { draft, onProblem }: Loading): void {
  const used = new Set([...hosts.values()].flatMap(host => host.groups))
  for (const { name, layers } of draft.groups.values()) {
    if (used.has(name)) continue
    const at = { file: '', line: 1, col: 1, length: 1 }
    const settings = layers.map(layer => ({ vars: undefined, settings: layer.settings }))
    reachOf({ name, at, port: undefined, layers: [] }, settings, onProblem)
  }
}

function fillUngrouped(draft: Draft): void {
  const grouped = new Set<string>()
  for (const { name, hosts } of draft.groups.values()) {
    if (name !== 'all') for (const host of hosts) grouped.add(host)
  }
  const ungrouped = groupOf(draft, 'ungrouped')
  for (const name of draft.hosts.keys()) if (!grouped.has(name)) ungrouped.hosts.add(name)
}

/** Returns for each host all its groups, weakest first. */
function memberships(draft: Draft, ancestry: Ancestry): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>()
  for (const group of draft.groups.values()) {
    for (const host of group.hosts) {
      const groups = found.get(host) ?? new Set(['all'])
      found.set(host, groups)
      for (const name of ancestry.lineage(group.name)) groups.add(name)
    }
  }
  return new Map([...found].map(([host, groups]) => [host, [...groups].sort(ancestry.compare)]))
}

function hostFrom(host: HostDraft, groups: readonly string[], { draft, onProblem }: Loading): Host {
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
  const groupLayers = ofGroups.map(({ layer }) => layer)
  return { name: host.name, at: host.at, groups, layers, reach: reachOf(host, groupLayers, onProblem) }
}

/** The controller itself; it belongs to `all` only as far as variables go. */
function implicitLocalhost(loading: Loading): Host {
  const at = { file: loading.draft.files[0] ?? '-i', line: 1, col: 1, length: 1 }
  const layers = varsBeside('host_vars', 'localhost', loading)
  const silent: Loading = { ...loading, onProblem: () => undefined }
  const host = hostFrom({ name: 'localhost', at, port: undefined, layers }, ['all'], silent)
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

/** How files of variables end; the encrypted ones come last and so win. */
const SUFFIXES = ['.yml', '.yaml', '.age.yml', '.age.yaml'] as const

/** Returns the variables of `group_vars/NAME.yml`, `.yaml`, `NAME`, encrypted ones, or the files of the folder `NAME/`, in order of names. */
function varsBeside(folder: 'group_vars' | 'host_vars', name: string, loading: Loading): Layer[] {
  const { dirs, sources, onProblem } = loading
  const layers: Layer[] = []
  for (const dir of dirs) {
    const base = join(dir, folder, name)
    for (const path of [base, ...SUFFIXES.map(suffix => `${base}${suffix}`)]) {
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
