import { SourceError } from '../base/error.ts'
import { Secret } from '../base/secret.ts'
import type { Span } from '../base/span.ts'
import { Unknown } from '../base/unknown.ts'
import { isTruthy } from './builtin.ts'
import { builtins } from './builtins.ts'
import { callBuiltin } from './call.ts'
import type { Names } from './names.ts'
import type { Block, Call, Expr, Path, Piece, Place, Put, Template } from './template-tree.ts'
import { undefinedName } from './undefined-name.ts'
import type { Resolution } from './value.ts'
import { follow, inspectDeep, isMap, kindOf, TouchedUnknown } from './value.ts'

/** What `this` is inside a block: undefined at the top, where names are those of the scope. */
interface Frame {
  readonly context: { readonly value: unknown } | undefined
  readonly loop: Readonly<Record<string, unknown>>
  readonly params: ReadonlyMap<string, unknown>
  readonly parent: Frame | undefined
}

const TOP: Frame = { context: undefined, loop: {}, params: new Map(), parent: undefined }

/** One rendering of one template in one scope. */
export class Evaluation {
  readonly #template: Template
  readonly #scope: Names
  readonly #touched: Secret[] = []

  constructor(template: Template, scope: Names) {
    this.#template = template
    this.#scope = scope
  }

  /** Returns the value of a template that is one expression and nothing else, or undefined for every other template. */
  sole(): { readonly value: unknown } | undefined {
    const [piece, ...more] = this.#template.pieces
    if (piece?.kind !== 'put' || more.length > 0) return undefined
    const value = this.#value(piece.expr, TOP)
    inspectDeep(value, nameOf(piece.expr))
    return { value }
  }

  /** @throws TouchedUnknown where anything that is needed cannot be known yet. */
  text(): string | Secret {
    const text = this.#pieces(this.#template.pieces, TOP)
    return this.#touched.length > 0 ? new Secret(text, this.#touched) : text
  }

  #pieces(pieces: readonly Piece[], frame: Frame): string {
    let text = ''
    for (const piece of pieces) text += this.#piece(piece, frame)
    return text
  }

  #piece(piece: Piece, frame: Frame): string {
    switch (piece.kind) {
      case 'text':
        return piece.text
      case 'put':
        return this.#put(piece, frame)
      case 'block':
        return this.#block(piece, frame)
    }
  }

  #put({ expr, at }: Put, frame: Frame): string {
    const value = this.#known(expr, frame)
    if (value instanceof Secret) {
      this.#touched.push(value)
      return value.reveal()
    }
    if (value === null || value === undefined) return ''
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return String(value)
    const name = nameOf(expr)
    throw new SourceError(
      'BAD_TEMPLATE',
      this.#span(at),
      `\`${name}\` is ${kindOf(value)}, a text can only take a text or a number`,
      {
        hint: Array.isArray(value)
          ? `write \`{{join ${name} ', '}}\` or \`{{to_json ${name}}}\``
          : `write \`{{to_json ${name}}}\` or name a part of it`,
      },
    )
  }

  #block(block: Block, frame: Frame): string {
    const value = this.#known(block.expr, frame)
    switch (block.block) {
      case 'if':
        return this.#pieces(isTruthy(value) ? block.body : block.other, frame)
      case 'unless':
        return this.#pieces(isTruthy(value) ? block.other : block.body, frame)
      case 'with':
        if (!isTruthy(value)) return this.#pieces(block.other, frame)
        return this.#pieces(block.body, below(frame, value, frame.loop, named(block.params, [value])))
      case 'each':
        return this.#each(block, value, frame)
    }
  }

  #each(block: Block, value: unknown, frame: Frame): string {
    const rows = rowsOf(value)
    if (!rows) {
      const message = `\`#each\` walks a list or a map, \`${nameOf(block.expr)}\` is ${kindOf(value)}`
      throw new SourceError('BAD_TEMPLATE', this.#span(block.at), message)
    }
    if (rows.length === 0) return this.#pieces(block.other, frame)
    let text = ''
    for (const [index, [key, item]] of rows.entries()) {
      const loop = { index, key, first: index === 0, last: index === rows.length - 1 }
      text += this.#pieces(block.body, below(frame, item, loop, named(block.params, [item, key])))
    }
    return text
  }

  /** Returns the value, which is then certainly known itself, though not all that lies inside it. */
  #known(expr: Expr, frame: Frame): unknown {
    const value = this.#value(expr, frame)
    if (value instanceof Unknown) throw new TouchedUnknown(value)
    return value
  }

  #value(expr: Expr, frame: Frame): unknown {
    switch (expr.kind) {
      case 'literal':
        return expr.value
      case 'call':
        return this.#call(expr, frame)
      case 'path': {
        const found = this.#resolve(expr, frame)
        if (found.found) return found.value
        throw this.#undefined(expr, frame, found.part, found)
      }
    }
  }

  #call(call: Call, frame: Frame): unknown {
    const builtin = builtins.get(call.name)
    if (!builtin)
      throw new SourceError('UNKNOWN_HELPER', this.#span(call.at), `unknown function \`${call.name}\``)
    const args = call.args.map((arg, index) =>
      index === 0 && builtin.guarded ? this.#valueIfAny(arg, frame) : this.#value(arg, frame),
    )
    return callBuiltin(
      call.name,
      builtin,
      args,
      message => new SourceError('BAD_VALUE', this.#span(call.at), message),
    )
  }

  #valueIfAny(expr: Expr, frame: Frame): unknown {
    if (expr.kind !== 'path') return this.#value(expr, frame)
    const found = this.#resolve(expr, frame)
    return found.found ? found.value : undefined
  }

  #resolve(path: Path, frame: Frame): Resolution {
    const { data, depth, scoped, parts } = path
    if (data === 'root') return this.#fromScope(path, parts)
    if (data !== undefined) return this.#fromLoop(path, data, frame)
    const [first = '', ...rest] = parts
    const given = depth === 0 && !scoped ? paramOf(frame, first) : undefined
    if (given) return follow(given.value, first, rest)
    const holder = climb(frame, depth)
    if (!holder)
      throw new SourceError(
        'BAD_TEMPLATE',
        this.#span(path.at),
        `\`${path.original}\` climbs out of the text`,
      )
    if (!holder.context) return this.#fromScope(path, parts)
    return follow(holder.context.value, 'this', parts)
  }

  #fromScope(path: Path, parts: readonly string[]): Resolution {
    const [root, ...rest] = parts
    if (root !== undefined) return this.#scope.resolve(root, rest)
    throw new SourceError(
      'BAD_TEMPLATE',
      this.#span(path.at),
      `\`${path.original}\` means nothing here, name a variable`,
    )
  }

  #fromLoop(path: Path, name: string, frame: Frame): Resolution {
    const loop = climb(frame, path.depth)?.loop
    if (loop && Object.hasOwn(loop, name)) return follow(loop[name], `@${name}`, path.parts)
    throw new SourceError(
      'BAD_TEMPLATE',
      this.#span(path.at),
      `\`${path.original}\` has a value only inside \`#each\``,
    )
  }

  #undefined(path: Path, frame: Frame, part: number, found: Resolution & { found: false }): SourceError {
    const at = this.#span(path.at)
    const [first = '', ...rest] = path.parts
    const isTop = path.data === 'root' || !climb(frame, path.depth)?.context
    const isParam = path.depth === 0 && !path.scoped && paramOf(frame, first) !== undefined
    if (isTop || isParam) return undefinedName(at, first, rest, found, this.#scope)
    const hint =
      this.#scope.has(first) && part === 0
        ? `write \`@root.${path.parts.join('.')}\` for the variable outside the block`
        : undefined
    const there =
      found.candidates.length > 0
        ? `, it has ${found.candidates
            .slice(0, 8)
            .map(name => `\`${name}\``)
            .join(', ')}`
        : ''
    const message = `\`${path.original}\` is undefined: \`this\` is ${found.holder} here${there}`
    return new SourceError('UNDEFINED_VAR', at, message, { hint })
  }

  #span({ offset, length }: Place): Span {
    return this.#template.placeOf(offset, length)
  }
}

function below(parent: Frame, value: unknown, loop: Frame['loop'], params: Frame['params']): Frame {
  return { context: { value }, loop, params, parent }
}

function climb(frame: Frame, depth: number): Frame | undefined {
  let found: Frame | undefined = frame
  for (let i = 0; i < depth; i++) found = found?.parent
  return found
}

function named(names: readonly string[], values: readonly unknown[]): Frame['params'] {
  return new Map(names.slice(0, values.length).map((name, index) => [name, values[index]]))
}

function paramOf(frame: Frame, name: string): { readonly value: unknown } | undefined {
  for (let at: Frame | undefined = frame; at; at = at.parent) {
    if (at.params.has(name)) return { value: at.params.get(name) }
  }
  return undefined
}

function rowsOf(value: unknown): readonly (readonly [key: string | number, item: unknown])[] | undefined {
  if (value === null || value === undefined) return []
  if (Array.isArray(value)) return value.map((item, index): [number, unknown] => [index, item])
  return isMap(value) ? Object.entries(value) : undefined
}

function nameOf(expr: Expr): string {
  if (expr.kind === 'path') return expr.original
  return expr.kind === 'call' ? `(${expr.name} …)` : String(expr.value)
}
