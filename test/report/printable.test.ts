import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cells, clip, pad, printable, printableLine, printableJson } from '../../src/report/printable.ts'

describe('report/printable', () => {
  test.each([
    ['plain text\twith\ttabs\nand lines', 'plain text\twith\ttabs\nand lines'],
    ['\u001b[1;31mred\u001b[0m', 'red'],
    ['\u001b]0;title\u0007', String.raw`\x1b]0;title\x07`],
    ['\u001b[2J\u001b[H', String.raw`\x1b[2J\x1b[H`],
    ['\u009b31mx', String.raw`\x9b31mx`],
    ['10%\r20%\r\ndone', '10%\n20%\ndone'],
    ['a\u202eb\u2066c\u2028d', String.raw`a\u202eb\u2066c\u2028d`],
    ['\ud800', '\ufffd'],
    ['\n[0m', '\n[0m'],
  ])('%j is shown as %j', (text, shown) => {
    expect(printable(text)).toBe(shown)
  })

  test('whatever comes, nothing a terminal would act on goes out', () => {
    const anything = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(anything, text => {
        expect(printable(text).replace(/[\n\t]/g, '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u)
        expect(printableLine(text)).not.toMatch(/\p{Cc}/u)
      }),
    )
  })

  test('a clipped text is never wider than asked', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 0, max: 30 }), (text, width) => {
        expect(cells(clip(printableLine(text), width))).toBeLessThanOrEqual(width)
      }),
    )
  })

  test.each([
    ['abc', 3],
    ['名前', 4],
    ['e\u0301', 1],
    ['🚀', 2],
  ])('%s takes %i cells', (text, width) => {
    expect(cells(text)).toBe(width)
    expect(cells(pad(text, 10))).toBe(10)
  })
})

test('json means the same and holds nothing that a terminal acts on', () => {
  const value = { text: '\u009b2J\u202ertl\u2028\ufeff\u007f\n ñ 日本' }
  const json = printableJson(JSON.stringify(value))
  expect(JSON.parse(json)).toEqual(value)
  // oxlint-disable-next-line no-control-regex
  expect(json).not.toMatch(/[\u007f-\u009f\u2028\u202e\ufeff]/)
  expect(json).toContain('ñ 日本')
})
