/** A value behind `!age |` or `!vault |`: its header up to the line's end, the lines of its block, and their indentation. */
const SEALED_BLOCK = /(!(?:age|vault)[ \t]+\|[-+]?[ \t]*\n)((?:([ \t]+)\S.*\n?)(?:\3.*\n?|[ \t]*\n)*)/g

/** Tells whether single encrypted values stand in a text. */
export function holdsSealedValues(text: string): boolean {
  SEALED_BLOCK.lastIndex = 0
  return SEALED_BLOCK.test(text)
}

/** Returns the text with each encrypted value put anew, as age encrypts it; all else stays as it is. */
export function resealValues(text: string, reseal: (sealed: string) => string): string {
  return text.replaceAll(SEALED_BLOCK, (_, _header: string, block: string, indent: string) => {
    const fresh = reseal(
      block
        .split('\n')
        .map(line => line.trim())
        .join('\n'),
    )
    return `!age |\n${indented(fresh, indent)}`
  })
}

/** Returns an encrypted text as the value of a key. */
export function sealedEntry(name: string, sealed: string): string {
  return `${name}: !age |\n${indented(sealed, '  ')}`
}

function indented(sealed: string, indent: string): string {
  return `${sealed.trimEnd().replaceAll(/^/gm, indent)}\n`
}
