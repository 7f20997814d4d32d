/** One word of a command line. */
export interface Word {
  readonly text: string
  /** No part of it was quoted. */
  readonly isBare: boolean
}

/**
 * Returns the words of a command line, split as a POSIX shell would, without any expansion; undefined where a quote is
 * not closed. Within double quotes a backslash stands for itself unless a quote or another one follows.
 */
export function splitWords(line: string): readonly Word[] | undefined {
  const words: Word[] = []
  // A word is a run of: escaped sign, '…', "…", or signs that are neither blank nor quote.
  const pattern = /(?:\s|\\\n)*((?:\\[^]|'[^']*'|"(?:\\[^]|[^"\\])*"|[^\s\\'"])+)/gy
  let end = 0
  for (const match of line.matchAll(pattern)) {
    end = match.index + match[0].length
    words.push(readWord(match[1] ?? ''))
  }
  return line.slice(end).trim() === '' ? words : undefined
}

function readWord(raw: string): Word {
  const text = raw.replaceAll(
    /\\([^])|'([^']*)'|"((?:\\[^]|[^"\\])*)"/g,
    (_, escaped?: string, single?: string, double?: string) => {
      if (escaped !== undefined) return escaped === '\n' ? '' : escaped
      return (
        single ?? (double ?? '').replaceAll(/\\(["\\\n])/g, (__, sign: string) => (sign === '\n' ? '' : sign))
      )
    },
  )
  return { text, isBare: !/[\\'"]/.test(raw) }
}
