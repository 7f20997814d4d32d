import type { ASTNode } from '@marcbachmann/cel-js'
import type { Span } from '../base/span.ts'
import type { Node, ScalarNode } from '../syntax/node.ts'
import { builtins } from './builtins.ts'
import { CEL_NAMESPACES, operands, variableOf } from './cel.ts'
import { programOf, staticPath } from './program.ts'
import { isTemplate } from './render.ts'
import { templateOf } from './template.ts'
import type { Block, Expr, Path, Piece, Template } from './template-tree.ts'

/** A variable that a text or condition mentions. */
export interface Reference {
  readonly root: string
  /** What is asked of it, as far as the text says: `['os', 'family']` of `facts.os.family`. */
  readonly path: readonly string[]
  readonly at: Span
  /** It stands inside `default`, `defined` or `has` and may be undefined. */
  readonly guarded: boolean
}

/** Returns the variables that a value or a condition mentions, in order; texts that cannot be read mention nothing. */
export function references(node: Node, as: 'value' | 'condition'): readonly Reference[] {
  switch (node.kind) {
    case 'scalar':
      return as === 'value' ? ofText(node) : ofCondition(node)
    case 'list':
      return node.items.flatMap(item => references(item, as))
    case 'map':
      return node.entries.flatMap(({ key, value }) => [...ofText(key), ...references(value, as)])
  }
}

/** Returns the variables that a template mentions. */
export function templateReferences(template: Template): readonly Reference[] {
  return inPieces(template.pieces, { template, depth: 0, params: new Set() })
}

function ofText(node: ScalarNode): readonly Reference[] {
  return isTemplate(node) ? templateReferences(templateOf(node)) : []
}

function ofCondition(node: ScalarNode): readonly Reference[] {
  if (typeof node.value !== 'string') return []
  const { parsed } = programOf(node)
  return parsed ? inExpression(parsed.ast, { node, bound: new Set(), guarded: false }) : []
}

interface Inside {
  readonly template: Template
  /** How many blocks around change what `this` is; at 0 names are variables. */
  readonly depth: number
  readonly params: ReadonlySet<string>
}

function inPieces(pieces: readonly Piece[], inside: Inside): readonly Reference[] {
  return pieces.flatMap(piece => {
    if (piece.kind === 'text') return []
    if (piece.kind === 'put') return inExpr(piece.expr, inside, false)
    return inBlock(piece, inside)
  })
}

function inBlock(block: Block, inside: Inside): readonly Reference[] {
  const changes = block.block === 'each' || block.block === 'with'
  const params = new Set([...inside.params, ...block.params])
  const body = changes ? { ...inside, depth: inside.depth + 1, params } : inside
  return [
    ...inExpr(block.expr, inside, false),
    ...inPieces(block.body, body),
    ...inPieces(block.other, inside),
  ]
}

function inExpr(expr: Expr, inside: Inside, guarded: boolean): readonly Reference[] {
  switch (expr.kind) {
    case 'literal':
      return []
    case 'path':
      return ofPath(expr, inside, guarded)
    case 'call': {
      const guards = builtins.get(expr.name)?.guarded ?? false
      return expr.args.flatMap((arg, index) => inExpr(arg, inside, guards && index === 0))
    }
  }
}

function ofPath(path: Path, { template, depth, params }: Inside, guarded: boolean): readonly Reference[] {
  const [root, ...rest] = path.parts
  const isTop = path.data === 'root' || (path.data === undefined && path.depth === depth)
  const isParam = root !== undefined && path.depth === 0 && !path.scoped && params.has(root)
  if (root === undefined || !isTop || isParam) return []
  const at = template.placeOf(path.at.offset, path.at.length)
  return [{ root, path: rest, at, guarded }]
}

interface Within {
  readonly node: ScalarNode
  /** Names bound by `list.exists(x, …)` and its like. */
  readonly bound: ReadonlySet<string>
  readonly guarded: boolean
}

const BINDING: readonly string[] = ['all', 'exists', 'exists_one', 'map', 'filter', 'bind']

function inExpression(ast: ASTNode, within: Within): readonly Reference[] {
  const path = staticPath(ast)
  if (path) return ofStaticPath(path, ast, within)
  const below = (part: ASTNode, more: Partial<Within> = {}): readonly Reference[] =>
    inExpression(part, { ...within, guarded: false, ...more })
  if (ast.op === 'call') {
    const [name, args] = ast.args
    const guards = name === 'HAS' || (builtins.get(name)?.guarded ?? false)
    return args.flatMap((arg, index) => below(arg, { guarded: guards && index === 0 }))
  }
  if (ast.op === 'rcall') {
    const [name, receiver, args] = ast.args
    const variable = BINDING.includes(name) && args[0]?.op === 'id' ? variableOf(args[0].args) : undefined
    if (variable === undefined) return operands(ast).flatMap(part => below(part))
    const bound = new Set([...within.bound, variable])
    return [...below(receiver), ...args.slice(1).flatMap(arg => below(arg, { bound }))]
  }
  return operands(ast).flatMap(part => below(part))
}

function ofStaticPath(
  [root, ...path]: readonly [string, ...string[]],
  ast: ASTNode,
  { node, bound, guarded }: Within,
): readonly Reference[] {
  if (bound.has(root) || CEL_NAMESPACES.has(root)) return []
  const at = node.placeOf(ast.start, Math.max(1, ast.end - ast.start))
  return [{ root, path, at, guarded }]
}
