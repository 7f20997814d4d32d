import type { SourceError } from '../base/error.ts'
import type { Span } from '../base/span.ts'

/** An expression between braces. Offsets count characters of the text. */
export type Expr = Literal | Path | Call

interface Literal {
  readonly kind: 'literal'
  readonly value: string | number | boolean | null | undefined
}

export interface Path {
  readonly kind: 'path'
  /** `@root`, `@index`, `@key`, `@first`, `@last`. */
  readonly data: string | undefined
  /** How many `../` stand before. */
  readonly depth: number
  /** Begins with `this` or `.`: never a block parameter. */
  readonly scoped: boolean
  readonly parts: readonly string[]
  readonly original: string
  readonly at: Place
}

export interface Call {
  readonly kind: 'call'
  readonly name: string
  readonly args: readonly Expr[]
  readonly at: Place
}

export interface Place {
  readonly offset: number
  readonly length: number
}

export type Piece = Text | Put | Block

interface Text {
  readonly kind: 'text'
  readonly text: string
}

export interface Put {
  readonly kind: 'put'
  readonly expr: Expr
  readonly at: Place
}

export interface Block {
  readonly kind: 'block'
  readonly block: 'if' | 'unless' | 'each' | 'with'
  readonly expr: Expr
  /** Names given with `as |item index|`. */
  readonly params: readonly string[]
  readonly body: readonly Piece[]
  readonly other: readonly Piece[]
  readonly at: Place
}

/** A template, parsed once. Nothing in it was taken from a value: only the text of project files gets here. */
export interface Template {
  readonly pieces: readonly Piece[]
  /** What is wrong with it; a template with problems is never rendered. */
  readonly problems: readonly SourceError[]
  readonly placeOf: (offset: number, length?: number) => Span
}
