import type { SourceCode } from '../base/error.ts'
import { SourceError } from '../base/error.ts'
import { didYouMean } from '../base/nearest.ts'
import { arity, signature } from './builtin.ts'
import { builtins } from './builtins.ts'
import { templateHint } from './jinja.ts'
import type { Block, Call, Expr, Path, Piece, Place, Template } from './template-tree.ts'

const BLOCKS: readonly string[] = ['if', 'unless', 'each', 'with']
const DATA: readonly string[] = ['root', 'index', 'key', 'first', 'last']

type Statement = hbs.AST.Statement
type Target = hbs.AST.PathExpression | hbs.AST.Literal

/**
 * Turns Handlebars' syntax tree into ours and checks it on the way: only known functions, the right number of
 * arguments, nothing of Handlebars that we do not offer.
 */
export class TemplateReader {
  readonly problems: SourceError[] = []
  readonly #starts: readonly number[]
  readonly #placeOf: Template['placeOf']
  readonly #text: string

  constructor(text: string, starts: readonly number[], placeOf: Template['placeOf']) {
    this.#text = text
    this.#starts = starts
    this.#placeOf = placeOf
  }

  program(program: hbs.AST.Program | undefined): readonly Piece[] {
    return (program?.body ?? []).flatMap(statement => this.#piece(statement) ?? [])
  }

  #piece(statement: Statement): Piece | readonly Piece[] | undefined {
    if (isContent(statement)) return { kind: 'text', text: statement.value }
    if (isMustache(statement)) return this.#put(statement)
    if (isBlock(statement)) return this.#block(statement)
    if (statement.type === 'CommentStatement') return undefined
    const what = statement.type.startsWith('Partial') ? 'partials' : 'decorators'
    this.#refuse('BAD_TEMPLATE', this.#place(statement), `${what} are not offered`)
    return undefined
  }

  #put(statement: hbs.AST.MustacheStatement): Piece | undefined {
    const expr = this.#called(statement)
    return expr && { kind: 'put', expr, at: this.#place(statement) }
  }

  #block(statement: hbs.AST.BlockStatement): Piece | readonly Piece[] | undefined {
    const at = this.#place(statement.path)
    const name = statement.path.original
    const body = this.program(statement.program)
    const other = this.program(statement.inverse)
    if (name === 'raw') return body
    if (!isBlockName(name)) {
      this.#refuse('UNKNOWN_HELPER', at, `unknown block \`#${name}\``, blockHint(name, statement))
      return undefined
    }
    const [first, ...more] = statement.params
    if (!first || more.length > 0) {
      this.#refuse('BAD_TEMPLATE', at, `\`#${name}\` takes one value, found ${statement.params.length}`)
      return undefined
    }
    const expr = this.#expr(first)
    const params = statement.program?.blockParams ?? []
    return expr && { kind: 'block', block: name, expr, params, body, other, at }
  }

  /** A mustache or a bracketed call: with arguments a function, without a value. */
  #called(node: hbs.AST.MustacheStatement | hbs.AST.SubExpression): Expr | undefined {
    const pairs = pairsOf(node)
    if (node.params.length === 0 && pairs.length === 0 && node.type === 'MustacheStatement')
      return this.#expr(node.path)
    const at = this.#place(node.path)
    const name = nameOf(node.path)
    const builtin = builtins.get(name)
    if (!builtin) {
      this.#unknownFunction(node.path, name, at)
      return undefined
    }
    const args = builtin.open ? this.#openArguments(name, pairs, at) : this.#arguments(name, node, at)
    return args && { kind: 'call', name, args, at }
  }

  #unknownFunction(path: Target, name: string, at: Place): void {
    const jinja = templateHint(this.#text, at.offset)
    if (path.type !== 'PathExpression') {
      this.#refuse('BAD_TEMPLATE', at, `\`${name}\` is a value, nothing can follow it`, jinja)
      return
    }
    const hint = didYouMean(name, builtins.keys()) ?? jinja ?? 'see `docs/functions.md` for what there is'
    this.#refuse('UNKNOWN_HELPER', at, `unknown function \`${name}\``, hint)
  }

  #arguments(
    name: string,
    node: hbs.AST.MustacheStatement | hbs.AST.SubExpression,
    at: Place,
  ): Expr[] | undefined {
    const builtin = builtins.get(name)
    if (!builtin) return undefined
    const slots: (hbs.AST.Expression | undefined)[] = [...node.params]
    for (const pair of pairsOf(node)) {
      const index = builtin.params.findIndex(param => param.replace(/[?…]$/, '') === pair.key)
      if (index < 0 || slots[index] !== undefined) {
        this.#refuse(
          'BAD_TEMPLATE',
          this.#place(pair),
          `\`${name}\` has no place for \`${pair.key}=\``,
          signature(name, builtin),
        )
        return undefined
      }
      slots[index] = pair.value
    }
    const [least, most] = arity(builtin)
    const given = slots.length
    if (given < least || given > most) {
      const hint = `write it as \`${signature(name, builtin)}\``
      this.#refuse(
        'BAD_TEMPLATE',
        at,
        `\`${name}\` takes ${least === most ? least : `${least} to ${most}`} values, found ${given}`,
        hint,
      )
      return undefined
    }
    return this.#all(Array.from(slots, slot => slot ?? undefined))
  }

  #openArguments(name: string, pairs: readonly hbs.AST.HashPair[], at: Place): Expr[] | undefined {
    const values = this.#all(pairs.map(pair => pair.value))
    if (!values) return undefined
    if (pairs.length === 0) this.#refuse('BAD_TEMPLATE', at, `\`${name}\` takes \`key=value\` pairs`)
    return pairs.flatMap((pair, index) => [{ kind: 'literal', value: pair.key }, values[index] ?? NOTHING])
  }

  #all(nodes: readonly (hbs.AST.Expression | undefined)[]): Expr[] | undefined {
    const exprs = nodes.map(node => (node ? this.#expr(node) : NOTHING))
    return exprs.includes(undefined) ? undefined : exprs.filter(expr => expr !== undefined)
  }

  #expr(node: hbs.AST.Expression): Expr | undefined {
    if (isPath(node)) return this.#path(node)
    if (isSubExpression(node)) return this.#called(node)
    return node.type === 'UndefinedLiteral' ? NOTHING : { kind: 'literal', value: literalOf(node) }
  }

  #path(node: hbs.AST.PathExpression): Path | undefined {
    const at = this.#place(node)
    const { original, depth, parts } = node
    if (/[^./]\//.test(original)) {
      this.#refuse(
        'BAD_TEMPLATE',
        at,
        `\`${original}\` is no name`,
        'write `{{div a b}}` to divide, `a.b` to look inside',
      )
      return undefined
    }
    const name = parts[0] ?? ''
    if (node.data && !DATA.includes(name)) {
      this.#refuse('BAD_TEMPLATE', at, `unknown \`@${name}\``, didYouMean(name, DATA))
      return undefined
    }
    const scoped = /^(\.|this\b)/.test(original)
    const data = node.data ? name : undefined
    return { kind: 'path', data, depth, scoped, parts: node.data ? parts.slice(1) : parts, original, at }
  }

  #place({ loc }: hbs.AST.Node): Place {
    const offset = this.#offset(loc.start)
    return { offset, length: Math.max(1, this.#offset(loc.end) - offset) }
  }

  #offset({ line, column }: hbs.AST.Position): number {
    return (this.#starts[line - 1] ?? 0) + column
  }

  #refuse(code: SourceCode, at: Place, message: string, hint?: string): void {
    this.problems.push(new SourceError(code, this.#placeOf(at.offset, at.length), message, { hint }))
  }
}

const NOTHING: Expr = { kind: 'literal', value: undefined }

function blockHint(name: string, { params }: hbs.AST.BlockStatement): string | undefined {
  if (params.length > 0) return didYouMean(name, BLOCKS)
  return `write \`{{#if ${name}}}\` for a choice, \`{{#each ${name}}}\` for a list`
}

function isBlockName(name: string): name is Block['block'] {
  return BLOCKS.includes(name)
}

function nameOf(target: Target): Call['name'] {
  const original: unknown = Reflect.get(target, 'original')
  return typeof original === 'string' || typeof original === 'number' ? String(original) : ''
}

/** Without `key=value` pairs Handlebars leaves the hash out, whatever its types say. */
function pairsOf(node: { readonly hash: hbs.AST.Hash | undefined }): readonly hbs.AST.HashPair[] {
  return node.hash?.pairs ?? []
}

function literalOf(node: hbs.AST.Expression): string | number | boolean | null {
  const value: unknown = Reflect.get(node, 'value')
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}

function isContent(node: Statement): node is hbs.AST.ContentStatement {
  return node.type === 'ContentStatement'
}

function isMustache(node: Statement): node is hbs.AST.MustacheStatement {
  return node.type === 'MustacheStatement'
}

function isBlock(node: Statement): node is hbs.AST.BlockStatement {
  return node.type === 'BlockStatement'
}

function isPath(node: hbs.AST.Expression): node is hbs.AST.PathExpression {
  return node.type === 'PathExpression'
}

function isSubExpression(node: hbs.AST.Expression): node is hbs.AST.SubExpression {
  return node.type === 'SubExpression'
}
