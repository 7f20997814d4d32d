import type { ASTNode, ParseResult } from '@marcbachmann/cel-js'
import { Environment } from '@marcbachmann/cel-js'
import type { Builtin } from './builtin.ts'
import { arity, textOf } from './builtin.ts'
import { builtins } from './builtins.ts'
import { callBuiltin } from './call.ts'
import { toCel, toPlain, Watch } from './cel-value.ts'
import { matches } from './pattern.ts'
import { own } from './value.ts'

/** Names that CEL keeps for its namespaces; a variable of that name cannot be reached from a condition. */
export const CEL_NAMESPACES: ReadonlySet<string> = new Set(['google', 'cel', 'optional'])

/**
 * Names that CEL keeps for its types, which people give to variables. They mean the variable, except beside
 * `type(…)`; the spelling that CEL sees is as long as the name, so that every offset stays what it was.
 */
const TYPE_WORDS: ReadonlyMap<string, string> = new Map(
  'string bool int uint double map list bytes null_type type'
    .split(' ')
    .map(word => [word, `_${word.slice(1)}`]),
)
const TYPE_NAMES: ReadonlyMap<string, string> = new Map([...TYPE_WORDS].map(([word, own]) => [own, word]))

/** Returns whether a name in a parsed expression means a type: it stands beside `type(…)`. */
export function isTypeName(name: string): boolean {
  return TYPE_WORDS.has(name)
}

/** Returns the variable that a name in a parsed expression means. */
export function variableOf(name: string): string {
  return TYPE_NAMES.get(name) ?? name
}

/** The key under which an evaluation's watch travels; no expression can spell it. */
const WATCH = ' watch'

/** A function that cannot work with its arguments; whoever evaluates knows the place. */
export class FailedCall extends Error {
  readonly range: { readonly start: number; readonly end: number }

  constructor({ start, end }: ASTNode, message: string) {
    super(message)
    this.range = { start, end }
  }
}

/** The names an expression sees, as CEL asks for them. */
export class CelNames extends Map<string, unknown> {
  readonly #find: (name: string) => unknown
  readonly #watch: Watch

  constructor(find: (name: string) => unknown, watch: Watch) {
    super()
    this.#find = find
    this.#watch = watch
  }

  override get(name: string): unknown {
    if (name === WATCH) return this.#watch
    const variable = variableOf(name)
    return toCel(this.#find(variable), variable, this.#watch)
  }
}

let environment: Environment | undefined

/**
 * Returns the expression, parsed.
 * @throws CEL's ParseError where it cannot be read.
 */
export function parseCel(text: string): ParseResult {
  environment ??= newEnvironment()
  const parsed = environment.parse(text)
  const own = withOwnNames(text, parsed.ast)
  return own === text ? parsed : environment.parse(own)
}

/** Returns the parts of an expression directly below it. */
export function operands(ast: ASTNode): readonly ASTNode[] {
  switch (ast.op) {
    case 'value':
    case 'id':
      return []
    case '.':
    case '.?':
      return [ast.args[0]]
    case 'call':
      return ast.args[1]
    case 'rcall':
      return [ast.args[1], ...ast.args[2]]
    case 'map':
      return ast.args.flat()
    case '!_':
    case '-_':
      return [ast.args]
    default:
      return ast.args
  }
}

/**
 * CEL's own `has` fails where a part before the last is missing and takes no bare name, and its `matches` tries any
 * pattern on any text. Ours stand under names of the same length.
 */
function withOwnNames(text: string, ast: ASTNode): string {
  let own = text
  const put = (offset: number, name: string): void => {
    own = own.slice(0, offset) + name + own.slice(offset + name.length)
  }
  const walk = (node: ASTNode, isType: boolean): void => {
    const word = node.op === 'id' && !isType ? TYPE_WORDS.get(node.args) : undefined
    if (word !== undefined && !text.includes(word)) put(node.start, word)
    if (node.op === 'call' && node.args[0] === 'has') put(node.start, 'HAS')
    if (node.op === 'rcall' && node.args[0] === 'matches' && node.args[2].length === 1)
      put(text.lastIndexOf('matches', node.args[2][0]?.start), 'MATCHES')
    const parts = operands(node)
    const besideType = isType || parts.some(isTypeCall)
    for (const part of parts) walk(part, besideType && (part.op === 'id' || part.op === 'list'))
  }
  walk(ast, false)
  return own
}

function isTypeCall(node: ASTNode): boolean {
  return node.op === 'call' && node.args[0] === 'type'
}

function newEnvironment(): Environment {
  const made = new Environment({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits: { maxDepth: 60, maxAstNodes: 2000 },
  })
  made.registerFunction('HAS(ast): bool', macro('has', builtin('defined'), 'bool'))
  made.registerFunction('dyn.MATCHES(ast): bool', matcher)
  for (const [name, found] of builtins) {
    const [least, most] = arity(found)
    if (found.celHasIt || found.open) continue
    for (let count = least; count <= most; count++) {
      const params = Array.from({ length: count }, () => 'ast').join(', ')
      made.registerFunction(`${name}(${params}): dyn`, macro(name, found, 'dyn'))
    }
  }
  made.registerOperator('int == double', (a: bigint, b: number) => Number(a) === b)
  for (const [sign, apply] of Object.entries(MIXED)) {
    made.registerOperator(`int ${sign} double: double`, (a: bigint, b: number) => apply(Number(a), b))
    made.registerOperator(`double ${sign} int: double`, (a: number, b: bigint) => apply(a, Number(b)))
  }
  return made
}

/** YAML does not tell `2` from `2.0`, so whole and other numbers mix freely. */
const MIXED: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
}

/** `text.matches(pattern)`, with pattern and text bounded. */
function matcher({ ast, args, receiver }: MacroCall) {
  const [pattern] = args
  const parts = receiver && pattern ? [receiver, pattern] : []
  return {
    async: false,
    typeCheck: (checker: Checker, _macro: unknown, context: unknown) => {
      for (const part of parts) checker.check(part, context)
      return checker.getType('bool')
    },
    evaluate: (evaluator: Evaluator, _macro: unknown, context: CelContext) => {
      const values = parts.map(part => toPlain(evaluator.run(part, context)))
      return called('matches', MATCHES, values, ast, watchOf(context))
    },
  }
}

const MATCHES: Builtin = {
  params: ['text', 'pattern'],
  about: 'Whether the pattern is found in the text.',
  call: (text, pattern) => matches(textOf(text, 'the text'), textOf(pattern, 'the pattern')),
  examples: [],
}

interface MacroCall {
  readonly ast: ASTNode
  readonly receiver?: ASTNode | null
  readonly args: readonly ASTNode[]
}

interface Checker {
  readonly check: (ast: ASTNode, context: unknown) => unknown
  readonly getType: (name: string) => unknown
}

interface Evaluator {
  readonly run: (ast: ASTNode, context: CelContext) => unknown
}

interface CelContext {
  readonly getValue: (name: string) => unknown
}

/** All our functions are macros: only those see where they stand and what the evaluation has met. */
function macro(name: string, found: Builtin, type: 'bool' | 'dyn') {
  return ({ ast, args }: MacroCall) => ({
    async: false,
    typeCheck: (checker: Checker, _macro: unknown, context: unknown) => {
      for (const arg of args) checker.check(arg, context)
      return checker.getType(type)
    },
    evaluate: (evaluator: Evaluator, _macro: unknown, context: CelContext) => {
      const watch = watchOf(context)
      const values = args.map((arg, index) => {
        if (index === 0 && found.guarded) return ifThere(arg, evaluator, context)
        return toPlain(evaluator.run(arg, context))
      })
      return called(name, found, values, ast, watch)
    },
  })
}

function called(
  name: string,
  found: Builtin,
  values: readonly unknown[],
  ast: ASTNode,
  watch: Watch,
): unknown {
  const result = callBuiltin(name, found, values, message => new FailedCall(ast, message))
  return toCel(result, name, watch)
}

function watchOf(context: CelContext): Watch {
  const watch = context.getValue(WATCH)
  return watch instanceof Watch ? watch : new Watch()
}

/** Returns the value, or undefined where its name or key is not there. */
function ifThere(arg: ASTNode, evaluator: Evaluator, context: CelContext): unknown {
  const path = namedPath(arg)
  if (path) return toPlain(path.parts.reduce(part, context.getValue(path.root)))
  try {
    return toPlain(evaluator.run(arg, context))
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Names and dots need no evaluation, which would report what is missing at some cost. */
function namedPath(ast: ASTNode): { readonly root: string; readonly parts: readonly string[] } | undefined {
  if (ast.op === 'id') return { root: ast.args, parts: [] }
  const left = ast.op === '.' ? namedPath(ast.args[0]) : undefined
  return left && ast.op === '.' ? { root: left.root, parts: [...left.parts, ast.args[1]] } : undefined
}

function part(value: unknown, key: string): unknown {
  return value instanceof Map ? value.get(key) : own(value, key)
}

/** Tells a name or key that is not there from everything else that can go wrong. */
export function isMissing(error: unknown): boolean {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return code === 'unknown_variable' || code === 'no_such_key' || code === 'index_out_of_bounds'
}

function builtin(name: string): Builtin {
  const found = builtins.get(name)
  if (!found) throw new Error(`\`${name}\` is not in the table of functions`)
  return found
}
