import { describe, expect, test } from 'vitest'
import type { Change } from '../../src/base/result.ts'
import { Secret } from '../../src/base/secret.ts'
import { Unknown } from '../../src/base/unknown.ts'
import { changeText, valueText } from '../../src/report/change-text.ts'
import { PLAIN_PALETTE } from '../../src/report/palette.ts'

function told(change: Partial<Change>, diff = false): readonly string[] {
  return changeText({ kind: 'mode', what: '/x', before: null, after: null, ...change }, diff, PLAIN_PALETTE)
}

describe('report/change-text', () => {
  test.each<[Partial<Change>, string]>([
    [{ before: '0644', after: '0600' }, 'mode /x: 0644 → 0600'],
    [{ kind: 'install', after: '1.2' }, 'install /x: absent → 1.2'],
    [{ kind: 'remove', before: '1.2' }, 'remove /x: 1.2 → absent'],
    [{ kind: 'restart', what: 'nginx' }, 'restart nginx'],
    [{ kind: 'run', what: 'ls', after: 'run' }, 'run ls'],
    [{ before: ['a'], after: ['a', 'b'] }, 'mode /x: [a] → [a, b]'],
    [{ before: '', after: false }, 'mode /x: "" → false'],
    [{ before: new Secret('hunter2'), after: new Secret('hunter3') }, 'mode /x: ‹secret›'],
    [{ before: null, after: new Unknown('Install') }, 'mode /x: absent → ‹unknown until Install›'],
    [{ before: 'ext4', after: null, destroys: true }, 'mode /x: ext4 → absent (destroys data)'],
    [{ before: 'a\nb\n', after: 'a\nc\n' }, 'mode /x: +1 −1 lines'],
    [{ before: null, after: 'a\nb\n' }, 'mode /x: absent → +2 −0 lines'],
    [{ before: 'a\nb\n', after: null }, 'mode /x: +0 −2 lines'],
  ])('%j', (change, line) => {
    expect(told(change)).toEqual([line])
  })

  test('with diff the lines follow, with what stands around them', () => {
    const before = Array.from({ length: 20 }, (_, index) => `line ${index}\n`).join('')
    const lines = told({ before, after: before.replace('line 9', 'other') }, true)
    expect(lines.slice(1)).toEqual([
      '@@ -7,7 +7,7 @@',
      ' line 6',
      ' line 7',
      ' line 8',
      '-line 9',
      '+other',
      ' line 10',
      ' line 11',
      ' line 12',
    ])
  })

  test('a text against a secret shows no line of the secret', () => {
    expect(told({ before: 'a\nb\n', after: new Secret('hunter2\nx\n') }, true).join('\n')).not.toContain(
      'hunter2',
    )
  })

  test('a very long diff is cut and says so', () => {
    const after = Array.from({ length: 900 }, (_, index) => `${index}\n`).join('')
    const lines = told({ before: 'x\ny\n', after }, true)
    expect(lines.length).toBeLessThan(210)
    expect(lines.at(-1)).toMatch(/^… \d+ more lines$/)
  })

  test('texts that differ too much are not compared line by line', () => {
    const text = (seed: number): string =>
      Array.from({ length: 5000 }, (_, index) => `${(index * 7919 + seed) % 100_003}\n`).join('')
    expect(told({ before: text(1), after: text(2) }, true)).toEqual(['mode /x: another text'])
  })

  test.each([
    [undefined, 'absent'],
    [{ a: 1 }, '{"a":1}'],
    [[], '[]'],
    ['x'.repeat(500), `${'x'.repeat(119)}…`],
    [42, '42'],
  ])('%j reads %s', (value, text) => {
    expect(valueText(value)).toBe(text)
  })
})
