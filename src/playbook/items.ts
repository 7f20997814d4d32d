import { get, type MapNode, type Node } from '../syntax/node.ts'
import { includeKeyOf, readInclude } from './include.ts'
import type { Block, Item } from './model.ts'
import { type Reading, readKeywords, report } from './reading.ts'
import { isNull, shown } from './shape.ts'
import { readName, readTask } from './task.ts'

const PARTS = ['block', 'rescue', 'always'] as const

/** Returns the tasks, blocks and includes of a list; an empty value is an empty list. */
export function readItems(list: Node | undefined, reading: Reading): readonly Item[] {
  if (list === undefined || isNull(list)) return []
  if (list.kind !== 'list') {
    const hint = list.kind === 'map' ? 'Begin each task with `- `.' : undefined
    report(reading, 'BAD_VALUE', list.at, `${shown(list)}, expected a list of tasks`, { hint })
    return []
  }
  return list.items.flatMap(node => readItem(node, reading) ?? [])
}

function readItem(node: Node, reading: Reading): Item | undefined {
  if (node.kind !== 'map') {
    const hint = 'Write the module as a key with its parameters below, such as `- apt: { name: cron }`.'
    report(reading, 'BAD_VALUE', node.at, `${shown(node)}, expected a task`, { hint })
    return undefined
  }
  if (PARTS.some(part => get(node, part) !== undefined)) return readBlock(node, reading)
  const include = includeKeyOf(node)
  return include === undefined ? readTask(node, reading) : readInclude(node, include, reading)
}

function readBlock(map: MapNode, reading: Reading): Block {
  if (get(map, 'block') === undefined) {
    const at =
      map.entries.find(({ key }) => key.value === 'rescue' || key.value === 'always')?.key.at ?? map.at
    report(reading, 'MISSING_KEYWORD', at, 'there is no `block` for this to belong to', {
      hint: 'Add `block:` with the tasks.',
    })
  }
  return {
    kind: 'block',
    at: map.at,
    name: readName(map, reading),
    body: readItems(get(map, 'block'), reading),
    rescue: readItems(get(map, 'rescue'), reading),
    always: readItems(get(map, 'always'), reading),
    keywords: readKeywords(reading, 'block', map, ['name', ...PARTS]),
  }
}
