import { readFileSync } from 'node:fs'
import type { OnProblem } from '../base/error.ts'
import type { Node } from '../syntax/node.ts'
import { checkCondition, checkText, checkTextFile } from '../vars/check.ts'
import { references, type Reference } from '../vars/references.ts'
import { containsTemplate } from '../vars/render.ts'
import { findLocal } from './lookup.ts'
import { listOf } from './settings.ts'
import type { Step } from './step.ts'

/** Keywords whose value is a condition. */
const CONDITIONS = ['until', 'failed_when', 'changed_when']

/** Returns everything that the texts of a task mention, after reporting those that cannot be read. */
export function mentionsOf(step: Step, onProblem: OnProblem): readonly Reference[] {
  const { when, keywords, environment } = step.settings
  const nodes: (readonly Reference[])[] = when.map(node => inCondition(node, onProblem))
  for (const [keyword, node] of keywords) {
    if (CONDITIONS.includes(keyword)) nodes.push(inCondition(node, onProblem))
    else if (keyword === 'loop') nodes.push(inLoop(node, onProblem))
    else nodes.push(inText(node, onProblem))
  }
  for (const node of [...environment, ...step.settings.notify]) nodes.push(inText(node, onProblem))
  if (step.name) nodes.push(inText(step.name, onProblem))
  return [...nodes.flat(), ...inArgs(step, onProblem)]
}

function inCondition(node: Node, onProblem: OnProblem): readonly Reference[] {
  checkCondition(node, onProblem)
  return references(node, 'condition')
}

function inText(node: Node, onProblem: OnProblem): readonly Reference[] {
  if (!containsTemplate(node)) return []
  checkText(node, onProblem)
  return references(node, 'value')
}

/** A bare text names the list; any other value holds it. */
function inLoop(node: Node, onProblem: OnProblem): readonly Reference[] {
  return node.kind === 'scalar' && !containsTemplate(node)
    ? inCondition(node, onProblem)
    : inText(node, onProblem)
}

function inArgs(step: Step, onProblem: OnProblem): readonly Reference[] {
  const { args, module } = step
  if (args.kind !== 'map') {
    const input = module.freeForm === undefined ? undefined : module.inputs?.[module.freeForm]
    return inArg(step, input, args, onProblem)
  }
  return args.entries.flatMap(({ key, value }) =>
    inArg(step, module.inputs?.[String(key.value)], value, onProblem),
  )
}

function inArg(
  step: Step,
  input: string | undefined,
  node: Node,
  onProblem: OnProblem,
): readonly Reference[] {
  if (input === 'condition') return listOf(node).flatMap(item => inCondition(item, onProblem))
  if (input === 'variable' && !containsTemplate(node)) return inCondition(node, onProblem)
  const own = inText(node, onProblem)
  return input === 'template' ? [...own, ...inTemplateFile(step, node, onProblem)] : own
}

function inTemplateFile(step: Step, node: Node, onProblem: OnProblem): readonly Reference[] {
  if (node.kind !== 'scalar' || typeof node.value !== 'string' || containsTemplate(node)) return []
  const path = findLocal(node.value, 'templates', step.settings.places)
  return path === undefined ? [] : checkTextFile(readFileSync(path, 'utf8'), path, onProblem)
}
