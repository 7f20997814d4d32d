import type { OnProblem } from '../base/error.ts'
import { SourceError } from '../base/error.ts'
import type { Node, ScalarNode } from '../syntax/node.ts'
import { notBoolean } from './condition.ts'
import { programOf } from './program.ts'
import type { Reference } from './references.ts'
import { templateReferences } from './references.ts'
import { templateOf, templateOfFile } from './template.ts'

/** Reports what is wrong with the templates anywhere in the node. */
export function checkText(node: Node, onProblem: OnProblem): void {
  switch (node.kind) {
    case 'scalar':
      if (node.tag === undefined && /\{[{%#]/.test(node.secret?.reveal() ?? String(node.value)))
        templateOf(node).problems.forEach(onProblem)
      return
    case 'list':
      for (const item of node.items) checkText(item, onProblem)
      return
    case 'map':
      for (const { key, value } of node.entries) {
        checkText(key, onProblem)
        checkText(value, onProblem)
      }
  }
}

/** Reports what is wrong with a template file; returns the variables it mentions. */
export function checkTextFile(text: string, file: string, onProblem: OnProblem): readonly Reference[] {
  const template = templateOfFile(text, file)
  template.problems.forEach(onProblem)
  return templateReferences(template)
}

/** Reports what is wrong with a condition: a CEL expression, a boolean, or a list of them. */
export function checkCondition(node: Node, onProblem: OnProblem): void {
  if (node.kind === 'map') {
    onProblem(
      new SourceError('BAD_CONDITION', node.at, 'a condition must be an expression, found a map', {
        hint: 'quote the expression',
      }),
    )
  } else if (node.kind === 'list') for (const item of node.items) checkCondition(item, onProblem)
  else if (typeof node.value === 'string') checkProgram(node, onProblem)
  else if (typeof node.value !== 'boolean') onProblem(notBoolean(node, node.value))
}

function checkProgram(node: ScalarNode, onProblem: OnProblem): void {
  const { problems, type } = programOf(node)
  problems.forEach(onProblem)
  if (problems.length === 0 && type !== 'bool' && !type.startsWith('dyn'))
    onProblem(
      new SourceError('NOT_BOOLEAN', node.at, `a condition must give true or false, this gives \`${type}\``),
    )
}
