/** Colours and other renditions that programs print: escape, bracket, numbers, m. */
const RENDITION = /(\p{Cc})\[[\d;:]*m/gu

/**
 * What could move a cursor, retitle a window, ring, or reorder text: control characters of both sets, the marks that
 * change a text's direction, line and paragraph separators.
 */
const DANGEROUS = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\ufeff]/gu

/**
 * Returns text that came from a host or a file so that a terminal can show it and nothing else: line breaks and tabs
 * stay, carriage returns become line breaks, colours go, everything else that a terminal would act on is spelt out, as `\x1b`.
 */
export function printable(text: string): string {
  return text
    .toWellFormed()
    .replace(RENDITION, (whole, control) => (control === '\u001b' ? '' : whole))
    .replace(/\r+\n|\r/g, '\n')
    .replace(DANGEROUS, spelled)
}

/** Returns JSON with all that a terminal would act on written as escapes of JSON; it means the same. */
export function printableJson(json: string): string {
  return json.replace(DANGEROUS, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Returns the text as one line of printable characters; line breaks are spelt `\n`. */
export function printableLine(text: string): string {
  return printable(text)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('\t', '  ')
}

function spelled(character: string): string {
  if (character === '\n' || character === '\t') return character
  const code = character.charCodeAt(0)
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`
}

/** Characters that take two cells: East Asian wide forms and pictures. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u
/** Marks that stand on the character before, and joiners. */
const WIDTHLESS = /^[\p{Mn}\p{Me}\p{Cf}]/u

/** Returns how many cells of a terminal the printable text takes. */
export function cells(text: string): number {
  let count = 0
  for (const character of text) count += cellsOf(character)
  return count
}

function cellsOf(character: string): number {
  if (character < '\u0300') return 1
  if (WIDTHLESS.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}

/** Returns the text cut to that many cells; what was cut is marked with `…`. */
export function clip(text: string, width: number): string {
  if (text.length <= width / 2 || cells(text) <= width) return text
  let kept = ''
  let used = 0
  for (const character of text) {
    const size = cellsOf(character)
    if (used + size > width - 1) break
    kept += character
    used += size
  }
  return width < 1 ? '' : `${kept}…`
}

/** Returns the text filled up with spaces to that many cells. */
export function pad(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const fill = ' '.repeat(Math.max(0, width - cells(text)))
  return side === 'left' ? text + fill : fill + text
}
