import type { Span } from '../base/span.ts'
import type { Resolution } from './value.ts'

/** What texts and conditions need of a scope. */
export interface Names {
  has(name: string): boolean
  /** Returns what a dotted path leads to; only the part of a variable that is asked for is rendered. */
  resolve(root: string, parts: readonly string[]): Resolution
  names(): Iterable<string>
  /** Returns where the variable that counts was set. */
  origin(name: string): Origin | undefined
  /** Returns the value of a scalar with a tag, such as an encrypted one; undefined where nobody can open it. */
  readonly open: ((sealed: Sealed) => unknown) | undefined
}

export interface Origin {
  readonly origin: string
  readonly at?: Span
}

/** A scalar with a YAML tag. */
export interface Sealed {
  readonly value: string | number | boolean | null
  readonly tag?: string
  readonly at: Span
}
