import type { Node } from '../syntax/node.ts'
import type { Item, Task } from './model.ts'
import { type Reading, report } from './reading.ts'

/** Returns the handlers of a list; those of an included file stand in the place of the include. */
export function readHandlers(list: Node | undefined, reading: Reading): readonly Task[] {
  const inside: Reading = { ...reading, level: 'handler' }
  return inside.readItems(list, inside).flatMap(item => handlersOf(item, inside))
}

function handlersOf(item: Item, reading: Reading): readonly Task[] {
  if (item.kind === 'task') return [item]
  if (item.kind === 'include' && item.content?.kind === 'tasks' && item.keywords.size === 0) {
    return item.content.items.flatMap(inner => handlersOf(inner, reading))
  }
  const isBroken = item.kind === 'include' && item.content === undefined && !item.target.text.includes('{{')
  if (!isBroken) {
    const found = item.kind === 'block' ? 'a block' : `\`${item.key}\` with keywords or a template`
    const hint = 'Write the handlers one by one, each with the keywords it needs.'
    report(reading, 'BAD_VALUE', item.at, `${found} among the handlers, expected a task`, { hint })
  }
  return []
}
