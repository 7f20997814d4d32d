import { didYouMean } from '../base/nearest.ts'
import { asBoolean } from '../syntax/boolean.ts'
import { get, type MapNode, type Node } from '../syntax/node.ts'
import { insteadOf, PROMPT_KEYS } from './keywords.ts'
import type { Prompt } from './model.ts'
import { type Reading, report } from './reading.ts'
import { isTemplate, shown } from './shape.ts'

/** Returns the variables that `vars_prompt` asks for, after reporting entries that ask for none. */
export function readPrompts(list: Node | undefined, reading: Reading): readonly Prompt[] {
  if (list?.kind !== 'list') return []
  return list.items.flatMap(item => readPrompt(item, reading) ?? [])
}

function readPrompt(node: Node, reading: Reading): Prompt | undefined {
  if (node.kind !== 'map') {
    const hint = 'Write `- name: NAME`, and `prompt:` below it.'
    report(reading, 'BAD_VALUE', node.at, `${shown(node)}, expected a variable to ask for`, { hint })
    return undefined
  }
  checkKeys(node, reading)
  const name = get(node, 'name')
  if (name === undefined) {
    const hint = 'Add `name:` with the variable.'
    report(reading, 'MISSING_KEYWORD', node.at, 'this prompt names no variable', { hint })
  }
  if (name?.kind !== 'scalar' || PROMPT_KEYS['name']?.(name) !== undefined) return undefined
  const initial = get(node, 'default')
  return {
    at: name.at,
    name,
    question: textOf(get(node, 'prompt')) ?? name.text,
    initial: initial?.kind === 'scalar' && initial.value !== null ? initial.text : undefined,
    isPrivate: booleanOf(get(node, 'private')) ?? true,
    isConfirmed: booleanOf(get(node, 'confirm')) ?? false,
  }
}

/** What is asked is the same for all hosts, so that nothing of it can depend on variables. */
function checkKeys(map: MapNode, reading: Reading): void {
  for (const { key, value } of map.entries) {
    const word = String(key.value)
    const shape = Object.hasOwn(PROMPT_KEYS, word) ? PROMPT_KEYS[word] : undefined
    const wrong = shape?.(value)
    if (shape === undefined) {
      const hint = insteadOf(word, 'play') ?? didYouMean(word, Object.keys(PROMPT_KEYS))
      report(reading, 'UNKNOWN_KEYWORD', key.at, `\`${word}\` is no keyword of a prompt`, { hint })
    } else if (wrong) {
      report(reading, 'BAD_VALUE', wrong.at, `\`${word}\` is ${wrong.message}`, { hint: wrong.hint })
    } else if (isTemplate(value)) {
      report(reading, 'BAD_VALUE', value.at, `\`${word}\` is a template, expected the value itself`)
    }
  }
}

function textOf(node: Node | undefined): string | undefined {
  return node?.kind === 'scalar' && node.value !== null ? node.text : undefined
}

function booleanOf(node: Node | undefined): boolean | undefined {
  return node === undefined ? undefined : asBoolean(node)
}
