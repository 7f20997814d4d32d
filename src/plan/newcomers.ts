import type { Addition, Inventory } from '../inventory/model.ts'
import { paramNames } from '../modules/module.ts'
import type { Play } from '../playbook/model.ts'
import type { MapNode, Node } from '../syntax/node.ts'
import { containsTemplate } from '../vars/render.ts'
import { listOf } from './settings.ts'
import type { PlannedPlay, Step } from './step.ts'

/** What tasks of the plays so far may add to the inventory, as far as their texts tell. */
export interface Newcomers {
  readonly isAny: boolean
  /** The inventory with all of it at once: whatever no host has in it, no host will have. */
  readonly inventory: Inventory
}

/** A task that adds hosts or memberships, and the play it stands in. */
export interface Adding {
  readonly play: PlannedPlay
  readonly step: Step
}

/** Returns what may have come to exist once the tasks are done. */
export function newcomers(
  adding: readonly Adding[],
  everyPlay: readonly Play[],
  inventory: Inventory,
): Newcomers {
  if (adding.length === 0 || inventory.grown === undefined) return { isAny: false, inventory }
  const names = adding.flatMap(({ step }) => namesIn(step))
  const patterns = names.map(patternOf)
  const known = new Set([
    ...inventory.groups.keys(),
    ...(inventory.prepared ?? []),
    ...everyPlay.flatMap(termsOf),
  ])
  const additions = adding.flatMap(({ play, step }) => additionsOf(step, play, [...known]))
  const grown = inventory.grown(additions, () => undefined)
  return {
    isAny: true,
    inventory: { ...grown, mayCome: name => patterns.some(pattern => pattern.test(name)) },
  }
}

/** Names in the pattern of a play's hosts. */
function termsOf({ hosts }: Play): readonly string[] {
  return listOf(hosts)
    .flatMap(node => (node.kind === 'scalar' ? node.text.split(/[,:&!\s]+/) : []))
    .filter(text => text !== '')
}

/** Returns the names of variables that a task gives to hosts it adds. */
export function varsAddedBy({ module, args }: Step): readonly string[] {
  if (!module.adds || args.kind !== 'map') return []
  const own = paramNames(module) ?? []
  return args.entries.map(({ key }) => key.text).filter(name => !own.includes(name))
}

/** Parameters that name groups, groups above them, and hosts. */
const GROUPS = ['groups', 'group', 'groupname', 'key']
const PARENTS = ['parents']
const HOSTS = ['name', 'host', 'hostname']

function namesIn(step: Step): readonly string[] {
  return textsIn(step, [...GROUPS, ...PARENTS, ...HOSTS])
}

/** A name that is a template stands for every group it may come to, of those that there are, that have variables waiting, or that some play names; a host that has none yet is called by it. */
function additionsOf(step: Step, play: PlannedPlay, known: readonly string[]): readonly Addition[] {
  const spelt = (texts: readonly string[]): readonly string[] =>
    texts.flatMap(text => (text.includes('{{') ? known.filter(name => patternOf(text).test(name)) : [text]))
  const hosts = step.module.name === 'group_by' ? play.hosts : textsIn(step, HOSTS)
  const parents = step.module.name === 'group_by' ? textsIn(step, PARENTS) : []
  const none: MapNode = { kind: 'map', entries: [], at: step.at }
  const groups = spelt(textsIn(step, GROUPS)).filter(name => name !== 'all')
  return hosts.map(host => ({ host, at: step.at, groups, parents: spelt(parents), vars: none }))
}

function textsIn({ args, module }: Step, keys: readonly string[]): readonly string[] {
  const found: readonly Node[] =
    args.kind === 'map'
      ? args.entries.filter(({ key }) => keys.includes(key.text)).map(({ value }) => value)
      : module.freeForm !== undefined && keys.includes(module.freeForm)
        ? [args]
        : []
  return found.flatMap(listOf).flatMap(node => {
    if (node.kind !== 'scalar') return []
    return containsTemplate(node) ? [node.text] : node.text.split(',').map(part => part.trim())
  })
}

/** Whatever stands in the place of a template. */
function patternOf(name: string): RegExp {
  const parts = name
    .split(/\{\{.*?\}\}/s)
    .map(part => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join('.*')}$`, 's')
}
