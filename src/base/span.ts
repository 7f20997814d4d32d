/** A place in a file the user wrote. Lines and columns count from 1. */
export interface Span {
  readonly file: string
  readonly line: number
  readonly col: number
  /** Number of characters the place covers on its first line; at least 1. */
  readonly length: number
}

/** Returns `file:line:col`, the form every message uses. */
export function showSpan(at: Span): string {
  return `${at.file}:${at.line}:${at.col}`
}
