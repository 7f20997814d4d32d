import type { ASTNode, ParseResult, TypeError as TypeProblem } from '@marcbachmann/cel-js'
import { ParseError } from '@marcbachmann/cel-js'
import { SourceError } from '../base/error.ts'
import { didYouMean } from '../base/nearest.ts'
import type { ScalarNode } from '../syntax/node.ts'
import { builtins } from './builtins.ts'
import { isTypeName, operands, parseCel, variableOf } from './cel.ts'
import { conditionHint, PYTHON_WORDS } from './jinja.ts'

/** An expression of a project file, parsed once. */
export interface Program {
  readonly parsed: ParseResult | undefined
  readonly problems: readonly SourceError[]
  /** CEL's type of the result: `bool`, `int`, `dyn` … */
  readonly type: string
}

const programs = new WeakMap<ScalarNode, Program>()

/** Returns the scalar's text as an expression, parsed the first time it is asked for. */
export function programOf(node: ScalarNode): Program {
  const known = programs.get(node)
  if (known) return known
  const program = read(node)
  programs.set(node, program)
  return program
}

/** Returns the dotted path that an expression spells out, or undefined where it is anything else. */
export function staticPath(ast: ASTNode): readonly [root: string, ...parts: string[]] | undefined {
  if (ast.op === 'id') return isTypeName(ast.args) ? undefined : [variableOf(ast.args)]
  if (ast.op === '.' || ast.op === '.?') return longer(ast.args[0], ast.args[1])
  if (ast.op !== '[]' && ast.op !== '[?]') return undefined
  const [left, index] = ast.args
  if (index.op !== 'value') return undefined
  const key = index.args
  return typeof key === 'string' || typeof key === 'bigint' ? longer(left, String(key)) : undefined
}

function longer(left: ASTNode, part: string): readonly [string, ...string[]] | undefined {
  const path = staticPath(left)
  return path && [...path, part]
}

function read(node: ScalarNode): Program {
  const text = String(node.value)
  try {
    const parsed = parseCel(text)
    const problems = [...badWords(node, parsed.ast)]
    const checked = parsed.check()
    if (!checked.valid && problems.length === 0) problems.push(typeProblem(node, text, checked.error))
    return { parsed, problems, type: checked.type ?? 'dyn' }
  } catch (cause) {
    if (!(cause instanceof ParseError)) throw cause
    return { parsed: undefined, problems: [syntaxProblem(node, text, cause)], type: 'dyn' }
  }
}

function syntaxProblem(node: ScalarNode, text: string, cause: ParseError): SourceError {
  const { start, end } = cause.range ?? { start: 0, end: text.length }
  const hint = conditionHint(text)
  if (text.trim() === '')
    return new SourceError('BAD_CONDITION', node.at, 'the condition is empty', {
      hint: 'write `true` or an expression',
    })
  const what =
    start >= text.length
      ? 'the expression ends too early'
      : `\`${text.slice(start, Math.max(end, start + 1))}\` cannot stand here`
  return new SourceError('BAD_CONDITION', node.placeOf(start, Math.max(1, end - start)), what, {
    hint,
    cause,
  })
}

function typeProblem(
  node: ScalarNode,
  text: string,
  cause: ParseError | TypeProblem | undefined,
): SourceError {
  const { start, end } = cause?.range ?? { start: 0, end: text.length }
  const at = node.placeOf(start, Math.max(1, end - start))
  const name =
    cause?.code === 'no_matching_overload' ? /^(\w+)\(/.exec(text.slice(start, end))?.[1] : undefined
  if (name !== undefined && !builtins.has(name) && !CEL_FUNCTIONS.includes(name)) {
    const hint =
      didYouMean(name, [...builtins.keys(), ...CEL_FUNCTIONS]) ?? 'see `docs/functions.md` for what there is'
    return new SourceError('UNKNOWN_HELPER', at, `unknown function \`${name}\``, { hint, cause })
  }
  const code =
    cause?.code === 'invalid_logical_operand' || cause?.code === 'invalid_condition_type'
      ? 'NOT_BOOLEAN'
      : 'BAD_CONDITION'
  return new SourceError(code, at, plainWords(cause?.summary ?? 'the expression is wrong'), {
    hint: conditionHint(text),
    cause,
  })
}

const CEL_FUNCTIONS: readonly string[] = [
  'has',
  'size',
  'int',
  'double',
  'string',
  'bool',
  'bytes',
  'type',
  'dyn',
  'timestamp',
  'duration',
  'uint',
]

/** Returns CEL's message as ours are: a lower-case fragment with the values in backticks, our own names restored. */
export function plainWords(summary: string): string {
  const ours = summary
    .replaceAll('MATCHES', 'matches')
    .replaceAll('HAS', 'has')
    .replaceAll(/dyn<(\w+)>/g, '$1')
    .replaceAll(/'([^']*)'/g, '`$1`')
  return ours.charAt(0).toLowerCase() + ours.slice(1)
}

/** Finds `True` and its like, which CEL would take for names of variables. */
function* badWords(node: ScalarNode, ast: ASTNode): Generator<SourceError> {
  if (ast.op === 'id') {
    const word = PYTHON_WORDS.get(ast.args)
    if (word !== undefined) {
      const at = node.placeOf(ast.start, ast.args.length)
      yield new SourceError('BAD_CONDITION', at, `unknown word \`${ast.args}\``, {
        hint: `write \`${word}\``,
      })
    }
  }
  for (const operand of operands(ast)) yield* badWords(node, operand)
}
