import type { ASTNode } from '@marcbachmann/cel-js'
import { EvaluationError } from '@marcbachmann/cel-js'
import { SourceError } from '../base/error.ts'
import { didYouMean } from '../base/nearest.ts'
import type { Span } from '../base/span.ts'
import { Unknown } from '../base/unknown.ts'
import type { Node, ScalarNode } from '../syntax/node.ts'
import { CEL_NAMESPACES, CelNames, FailedCall, isMissing, operands, variableOf } from './cel.ts'
import { fromCel, Watch } from './cel-value.ts'
import { BadArgument } from './builtin.ts'
import type { Names } from './names.ts'
import { plainWords, programOf, staticPath } from './program.ts'
import { undefinedName } from './undefined-name.ts'
import { keysOf, kindOf, TouchedUnknown } from './value.ts'

/**
 * Returns whether the condition holds: a CEL expression, a boolean, or a list of them that must all hold. False beats
 * unknown, and nothing after a false is looked at.
 * @throws SourceError where it is wrong or its result is no boolean; Pending where an answer is outstanding.
 */
export function holds(condition: Node | boolean | Unknown, scope: Names): boolean | Unknown {
  if (typeof condition === 'boolean' || condition instanceof Unknown) return condition
  if (condition.kind === 'list') return allHold(condition.items, scope)
  if (condition.kind === 'map')
    throw new SourceError('BAD_CONDITION', condition.at, 'a condition must be an expression, found a map')
  if (typeof condition.value === 'boolean') return condition.value
  if (typeof condition.value !== 'string') throw notBoolean(condition, condition.value)
  const value = evaluate(condition, scope)
  if (typeof value === 'boolean' || value instanceof Unknown) return value
  throw notBoolean(condition, value)
}

/**
 * Returns what a CEL expression gives, as plain data.
 * @throws SourceError where it is wrong or names something undefined; Pending where an answer is outstanding.
 */
export function evaluate(expression: ScalarNode, scope: Names): unknown {
  if (typeof expression.value !== 'string') return expression.value
  const { parsed, problems } = programOf(expression)
  const [problem] = problems
  if (problem || !parsed) throw problem ?? new Error('an expression without problems was not parsed')
  const watch = new Watch()
  const names = new CelNames(name => lookup(name, scope), watch)
  try {
    return fromCel(parsed(names), watch)
  } catch (error) {
    if (error instanceof TouchedUnknown) return watch.unknown ?? error.unknown
    throw translate(error, { node: expression, ast: parsed.ast, scope, watch })
  }
}

/** Returns the error for a value that should have been true or false. */
export function notBoolean(node: ScalarNode, value: unknown): SourceError {
  const text = String(node.value)
  const hint =
    typeof value === 'string'
      ? `compare it, \`${text} == "…"\`, or write \`bool(${text})\``
      : value === null
        ? `write \`${text} != null\``
        : `compare it, \`${text} > 0\` or \`size(${text}) > 0\``
  return new SourceError(
    'NOT_BOOLEAN',
    node.at,
    `a condition must give true or false, found ${kindOf(value)}`,
    { hint },
  )
}

function allHold(items: readonly Node[], scope: Names): boolean | Unknown {
  let unknown: Unknown | undefined
  for (const item of items) {
    const verdict = holds(item, scope)
    if (verdict === false) return false
    if (verdict instanceof Unknown) unknown ??= verdict
  }
  return unknown ?? true
}

function lookup(name: string, scope: Names): unknown {
  const found = scope.resolve(name, [])
  return found.found ? found.value : undefined
}

function translate(error: unknown, expression: Expression): unknown {
  const { node, ast, scope, watch } = expression
  if (error instanceof BadArgument) return new SourceError('BAD_VALUE', node.at, error.message)
  if (!(error instanceof EvaluationError || error instanceof FailedCall)) return error
  const { start, end } = error.range ?? { start: 0, end: String(node.value).length }
  const at = node.placeOf(start, Math.max(1, end - start))
  if (error instanceof EvaluationError && isMissing(error)) return missingKey(error, at, expression)
  if (watch.secret) return new SourceError('BAD_VALUE', at, 'this cannot be worked out with that secret')
  if (error instanceof FailedCall) return new SourceError('BAD_VALUE', at, error.message)
  const word = wordTaken(ast, scope)
  if (word !== undefined) {
    const hint = 'give the variable another name'
    return new SourceError('BAD_CONDITION', at, `\`${word}\` is a word of CEL here, not the variable`, {
      hint,
    })
  }
  const isBoolean = error.code === 'invalid_logical_operand' || error.code === 'invalid_condition_type'
  const hint = /overload: string \+|\+ string/.test(plainWords(error.summary))
    ? 'write `string(x)` to join a number to a text'
    : undefined
  return new SourceError(isBoolean ? 'NOT_BOOLEAN' : 'BAD_CONDITION', at, plainWords(error.summary), { hint })
}

function missingKey(error: EvaluationError, at: Span, { node, ast, scope }: Expression): SourceError {
  const path = error.node && staticPath(error.node)
  if (path?.length === 1 && !bindings(ast).has(path[0])) return missingName(at, path[0], scope)
  if (!path) return new SourceError('UNDEFINED_VAR', at, plainWords(error.summary))
  const [root, ...parts] = path
  const span = error.node ? node.placeOf(error.node.start, error.node.end - error.node.start) : at
  if (bindings(ast).has(root))
    return new SourceError('UNDEFINED_VAR', span, `\`${path.join('.')}\` is undefined`)
  const found = scope.resolve(root, parts)
  if (!found.found) return undefinedName(span, root, parts, found, scope)
  const hint = didYouMean(parts.at(-1) ?? '', keysOf(found.value))
  return new SourceError('UNDEFINED_VAR', span, plainWords(error.summary), { hint })
}

interface Expression {
  readonly node: ScalarNode
  readonly ast: ASTNode
  readonly scope: Names
  readonly watch: Watch
}

/** Returns the names that the expression binds itself: `x` of `list.exists(x, …)`. */
function bindings(ast: ASTNode): ReadonlySet<string> {
  const own =
    ast.op === 'rcall' && ast.args[2].length > 1 && ast.args[2][0]?.op === 'id'
      ? [variableOf(ast.args[2][0].args)]
      : []
  return new Set([...own, ...operands(ast).flatMap(operand => [...bindings(operand)])])
}

function missingName(at: Span, name: string, scope: Names): SourceError {
  return undefinedName(at, name, [], { found: false, part: -1, candidates: [], holder: '' }, scope)
}

function wordTaken(ast: ASTNode, scope: Names): string | undefined {
  if (ast.op === 'id') return CEL_NAMESPACES.has(ast.args) && scope.has(ast.args) ? ast.args : undefined
  for (const operand of operands(ast)) {
    const found = wordTaken(operand, scope)
    if (found !== undefined) return found
  }
  return undefined
}
