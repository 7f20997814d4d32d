/** How a scalar is written. */
export type ScalarStyle = 'plain' | 'single' | 'double' | 'literal' | 'folded'

/**
 * Returns for every character of a scalar's value the offset of the character in the file that it comes from. One
 * element more than the value has characters: the last is where the scalar ends.
 *
 * @param raw - the scalar as it stands in the file, quotes or block header included
 */
export function sourceOffsets(style: ScalarStyle, raw: string, value: string): readonly number[] {
  switch (style) {
    case 'plain':
      return alignFlow(raw, { from: 0, to: raw.length, style }, value)
    case 'single':
    case 'double':
      return alignFlow(raw, { from: 1, to: raw.length - 1, style }, value)
    case 'literal':
    case 'folded':
      return alignBlock(raw, value)
  }
}

interface Inner {
  readonly from: number
  readonly to: number
  readonly style: ScalarStyle
}

function alignFlow(raw: string, { from, to, style }: Inner, value: string): number[] {
  const offsets: number[] = []
  let at = from
  while (offsets.length < value.length && at < to) {
    const step = breakAt(raw, at, to) ?? escapeAt(raw, at, style) ?? { source: 1, value: 1 }
    for (let i = 0; i < step.value; i++) offsets.push(at)
    at += step.source
  }
  return padded(offsets, value.length, Math.min(at, to))
}

/** How many characters of the file give how many characters of the value. */
interface Step {
  readonly source: number
  readonly value: number
}

/** A line break with the blanks around it gives one blank; further breaks stay breaks. */
function breakAt(raw: string, at: number, to: number): Step | undefined {
  const char = raw[at]
  if (char !== ' ' && char !== '\t' && char !== '\n' && char !== '\r') return undefined
  let end = at
  let breaks = 0
  while (end < to && ' \t\r\n'.includes(raw[end] ?? '')) {
    if (raw[end] === '\n') breaks++
    end++
  }
  return breaks === 0 ? undefined : { source: end - at, value: Math.max(1, breaks - 1) }
}

function escapeAt(raw: string, at: number, style: ScalarStyle): Step | undefined {
  if (style === 'single' && raw.startsWith("''", at)) return { source: 2, value: 1 }
  if (style !== 'double' || raw[at] !== '\\') return undefined
  const joined = /^\\[ \t]*\r?\n[ \t]*/.exec(raw.slice(at, at + 400))
  if (joined) return { source: joined[0].length, value: 0 }
  const digits = { x: 2, u: 4, U: 8 }[raw[at + 1] ?? ''] ?? 0
  const isPair = digits === 8 && Number.parseInt(raw.slice(at + 2, at + 10), 16) > 0xffff
  return { source: 2 + digits, value: isPair ? 2 : 1 }
}

/** Walks value and body side by side; the body's indentation and the breaks that folding swallowed are stepped over. */
function alignBlock(raw: string, value: string): number[] {
  const offsets: number[] = []
  let at = raw.indexOf('\n') + 1
  const indent = blockIndent(raw.slice(at), value)
  at += skipIndent(raw, at, indent)
  while (offsets.length < value.length && at < raw.length) {
    const char = raw[at]
    if (char === '\r') {
      at++
      continue
    }
    const wanted = value[offsets.length]
    if (char === wanted || (char === '\n' && wanted === ' ')) offsets.push(at)
    else if (char !== '\n') break
    at++
    if (char === '\n') at += skipIndent(raw, at, indent)
  }
  return padded(offsets, value.length, at)
}

function blockIndent(body: string, value: string): number {
  const first = body.split('\n').find(line => line.trim() !== '') ?? ''
  const valueFirst = value.split('\n').find(line => line.trim() !== '') ?? ''
  const spaces = first.length - first.trimStart().length
  return spaces - (valueFirst.length - valueFirst.trimStart().length)
}

function skipIndent(raw: string, at: number, indent: number): number {
  let skipped = 0
  while (skipped < indent && raw[at + skipped] === ' ') skipped++
  return skipped
}

function padded(offsets: number[], length: number, end: number): number[] {
  while (offsets.length <= length) offsets.push(end)
  return offsets
}
