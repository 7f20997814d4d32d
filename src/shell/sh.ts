import type { Secret } from '../base/secret.ts'

/**
 * A piece of POSIX sh. Only the `sh` tag and the functions of this file make one, so every hole in it is quoted;
 * being a class, it cannot be mistaken for a string at run time either.
 */
export class Sh {
  readonly text: string

  private constructor(text: string) {
    this.text = text
  }

  /** For this file alone: the one way from text to script. */
  static made(this: void, text: string): Sh {
    return new Sh(text)
  }

  toString(): string {
    return this.text
  }
}

/** What may stand in a hole of the `sh` tag: a string becomes one quoted word, a list several, `Sh` stands as it is. */
export type Hole = string | number | Sh | readonly string[]

/** A secret in a command line would show in `ps`; this makes the compiler refuse it by name. */
type NotSecret<H> = H extends Secret ? never : H

const SAFE_WORD = /^[A-Za-z0-9_@%+:,./-]+$/

/** Makes a script from a template literal; holes are quoted. */
export function sh<const H extends readonly Hole[]>(
  text: TemplateStringsArray,
  ...holes: { [K in keyof H]: NotSecret<H[K]> }
): Sh {
  let script = text[0] ?? ''
  holes.forEach((hole, index) => {
    script += fill(hole) + (text[index + 1] ?? '')
  })
  return Sh.made(script)
}

function fill(hole: Hole): string {
  if (hole instanceof Sh) return hole.text
  if (typeof hole === 'number') return quote(String(hole))
  if (typeof hole === 'string') return quote(hole)
  return hole.map(quote).join(' ')
}

/**
 * Returns the text quoted as one word of POSIX sh.
 *
 * @throws RangeError on a NUL byte, which no word of a shell can hold.
 */
export function quote(word: string): string {
  if (word.includes('\0')) throw new RangeError('a shell word cannot hold a NUL byte')
  if (SAFE_WORD.test(word)) return word
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}

/** Joins finished pieces of script, one a line; `false` and `undefined` are left out. */
export function lines(...pieces: readonly (Sh | false | undefined)[]): Sh {
  return Sh.made(
    pieces
      .filter(piece => piece instanceof Sh)
      .map(piece => piece.text)
      .join('\n'),
  )
}
