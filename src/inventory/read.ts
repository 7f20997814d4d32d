import { type OnProblem, SourceError } from '../base/error.ts'
import { didYouMean } from '../base/nearest.ts'
import { type Entry, get, type MapNode, type Node, type ScalarNode } from '../syntax/node.ts'
import { type Draft, type GroupDraft, groupOf, hostOf, type Layer } from './draft.ts'
import { expandHosts } from './range.ts'

/** Keys of a group. */
export const GROUP_KEYS: readonly string[] = ['hosts', 'vars', 'children', 'ssh', 'connection', 'become']

/** Keys that say how hosts are reached, beside `vars` of a group and among the variables of a host. */
export const SETTINGS: readonly string[] = ['ssh', 'connection', 'become']

interface Reading {
  readonly draft: Draft
  readonly onProblem: OnProblem
}

/** Adds what an inventory file in Ansible's shape says: groups by name, each with `hosts`, `vars` and `children`. */
export function readInventoryFile(root: Node, draft: Draft, onProblem: OnProblem): void {
  const reading: Reading = { draft, onProblem }
  if (root.kind !== 'map') {
    const hint = 'Begin with `all:` and put `hosts:` below it.'
    report(reading, 'BAD_INVENTORY', root.at, `${shown(root)}, expected a map of groups`, { hint })
    return
  }
  for (const { key, value } of root.entries) {
    const name = String(key.value)
    if (GROUP_KEYS.includes(name) || name === 'plugin') {
      const hint =
        name === 'plugin' ? 'Write the hosts out.' : `Put \`${name}:\` below \`all:\` or another group.`
      report(reading, 'BAD_INVENTORY', key.at, `\`${name}\` where the name of a group is expected`, { hint })
    } else readGroup(key, value, undefined, reading)
  }
}

/** Adds hosts that are named on the command line. */
export function readHostList(names: readonly ScalarNode[], draft: Draft, onProblem: OnProblem): void {
  const all = groupOf(draft, 'all')
  for (const name of names) readHost(name, undefined, all, { draft, onProblem })
}

function report(reading: Reading, ...problem: ConstructorParameters<typeof SourceError>): void {
  reading.onProblem(new SourceError(...problem))
}

function readGroup(key: ScalarNode, body: Node, parent: GroupDraft | undefined, reading: Reading): void {
  const name = String(key.value)
  if (!/^[^\s,:&!*~?@[\]]+$/.test(name)) {
    const hint = 'Use letters, digits, `_`, `-` and `.`.'
    report(reading, 'BAD_INVENTORY', key.at, `\`${name}\` cannot be the name of a group`, { hint })
    return
  }
  const group = groupOf(reading.draft, name)
  if (parent && !parent.children.has(name)) parent.children.set(name, key.at)
  if (isNull(body)) return
  if (body.kind !== 'map') {
    const hint = 'Write `hosts:` below it, and the hosts below that.'
    report(reading, 'BAD_INVENTORY', body.at, `the group \`${name}\` is ${shown(body)}, expected a map`, {
      hint,
    })
    return
  }
  for (const entry of body.entries) checkGroupKey(entry, name, reading)
  group.layers.push({ vars: varsOf(get(body, 'vars'), reading), settings: settingsOf(body) })
  for (const { key: word, value } of body.entries) {
    if (word.value === 'hosts') {
      for (const [host, vars] of namesIn(value, 'hosts', reading)) readHost(host, vars, group, reading)
    } else if (word.value === 'children') {
      for (const [child, below] of namesIn(value, 'children', reading)) {
        readGroup(child, below ?? nullAt(child), group, reading)
      }
    }
  }
}

function checkGroupKey({ key }: Entry, group: string, reading: Reading): void {
  const word = String(key.value)
  if (GROUP_KEYS.includes(word)) return
  const hint =
    didYouMean(word, GROUP_KEYS) ??
    'Put variables below `vars:`, groups below `children:`, hosts below `hosts:`.'
  report(reading, 'UNKNOWN_KEYWORD', key.at, `\`${word}\` is no keyword of the group \`${group}\``, { hint })
}

/** Returns names with what stands below each; a list or a single word is a list of names. */
function namesIn(
  node: Node | undefined,
  word: string,
  reading: Reading,
): readonly (readonly [ScalarNode, Node | undefined])[] {
  if (node === undefined || isNull(node)) return []
  if (node.kind === 'map') return node.entries.map(({ key, value }) => [key, value] as const)
  const items = node.kind === 'list' ? node.items : [node]
  return items.flatMap(item => {
    if (item.kind === 'scalar' && item.value !== null && typeof item.value !== 'boolean')
      return [[item, undefined] as const]
    report(reading, 'BAD_INVENTORY', item.at, `\`${word}\` holds ${shown(item)}, expected a name`, {
      hint: 'Write `name:`.',
    })
    return []
  })
}

function readHost(key: ScalarNode, body: Node | undefined, group: GroupDraft, reading: Reading): void {
  const found = expandHosts(key.text)
  if ('message' in found) {
    report(reading, 'BAD_RANGE', key.placeOf(found.offset, found.length), found.message)
    return
  }
  const bad = found.names.find(name => !/^[^\s,!&*?~@/[\]{}]+$/.test(name))
  if (bad !== undefined) {
    const hint = 'Name one host, or a range such as `web[01:20]`.'
    report(reading, 'BAD_INVENTORY', key.at, `\`${bad}\` cannot be the name of a host`, { hint })
    return
  }
  const layer = hostLayer(body, reading)
  for (const name of found.names) {
    group.hosts.add(name)
    const host = hostOf(reading.draft, name, key.at)
    host.port ??= found.port
    if (layer) host.layers.push(layer)
  }
}

function hostLayer(body: Node | undefined, reading: Reading): Layer | undefined {
  if (body === undefined || isNull(body)) return undefined
  if (body.kind !== 'map') {
    report(reading, 'BAD_INVENTORY', body.at, `${shown(body)}, expected the variables of a host`, {
      hint: 'Write a map below the host.',
    })
    return undefined
  }
  const vars = body.entries.filter(({ key }) => !SETTINGS.includes(String(key.value)))
  return { vars: vars.length > 0 ? { ...body, entries: vars } : undefined, settings: settingsOf(body) }
}

function settingsOf(body: MapNode): MapNode | undefined {
  const entries = body.entries.filter(({ key }) => SETTINGS.includes(String(key.value)))
  return entries.length > 0 ? { ...body, entries } : undefined
}

function varsOf(node: Node | undefined, reading: Reading): MapNode | undefined {
  if (node === undefined || isNull(node)) return undefined
  if (node.kind === 'map') return node
  report(reading, 'BAD_INVENTORY', node.at, `\`vars\` is ${shown(node)}, expected a map of variables`)
  return undefined
}

function nullAt(key: ScalarNode): ScalarNode {
  return { ...key, value: null, text: '' }
}

export function isNull(node: Node): boolean {
  return node.kind === 'scalar' && node.value === null
}

/** Returns a node in the words of a message. */
export function shown(node: Node): string {
  if (node.kind !== 'scalar') return node.kind === 'map' ? 'a map' : 'a list'
  return node.value === null ? 'nothing' : `\`${node.text.split('\n', 1)[0] ?? ''}\``
}
