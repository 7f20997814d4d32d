import type { ScalarNode } from './node.ts'
import { type ScalarStyle, sourceOffsets } from './offsets.ts'
import type { Places } from './place.ts'

export interface Written {
  readonly style: ScalarStyle
  /** Where it stands in the file, quotes or block header included. */
  readonly start: number
  readonly end: number
  /** What is spelt there, quotes and escapes resolved. */
  readonly text: string
  readonly value: unknown
  readonly tag?: string | undefined
}

/** Returns the scalar's node; places of single characters are worked out when they are asked for. */
export function scalarAt(places: Places, { style, start, end, text, value, tag }: Written): ScalarNode {
  let offsets: readonly number[] | undefined
  return {
    kind: 'scalar',
    value: exactValue(value, text),
    text,
    quoted: style !== 'plain',
    ...(tag === undefined ? undefined : { tag }),
    at: places.span(start, end),
    placeOf: (offset, length = 1) => {
      offsets ??= sourceOffsets(style, places.text.slice(start, end), text)
      const from = offsets[Math.min(offset, offsets.length - 1)] ?? 0
      const last = offsets[Math.min(offset + Math.max(length, 1) - 1, offsets.length - 1)] ?? from
      return places.span(start + from, start + last + 1)
    },
  }
}

/** Returns the null of a key or list item with nothing behind it. */
export function nothingAt(places: Places, offset: number): ScalarNode {
  const at = places.span(offset, offset + 1)
  return { kind: 'scalar', value: null, text: '', quoted: false, at, placeOf: () => at }
}

/** Numbers that JavaScript cannot hold exactly, and octals such as `0o644`, stay the text that was written. */
function exactValue(value: unknown, text: string): ScalarNode['value'] {
  if (typeof value === 'number') {
    if (text.startsWith('0o') || (Number.isInteger(value) && !Number.isSafeInteger(value))) return text
    return value
  }
  return typeof value === 'string' || typeof value === 'boolean' || value === null ? value : text
}
