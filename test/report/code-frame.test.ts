import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { SourceError } from '../../src/base/error.ts'
import type { Span } from '../../src/base/span.ts'
import { codeFrame, codeFrames } from '../../src/report/code-frame.ts'
import { paletteFor } from '../../src/report/palette.ts'

const text = 'a: 1\n  contnet: hello\n\tb: 2\n名前: 値が違う # x\n'

function textOf(file: string): string | undefined {
  return file === 'site.yml' ? text : undefined
}

function at(line: number, col: number, length = 1, file = 'site.yml'): Span {
  return { file, line, col, length }
}

describe('report/code-frame', () => {
  test('marks the place below the source line, then hint', () => {
    const problem = new SourceError('UNKNOWN_PARAM', at(2, 3, 7), '`contnet` is no parameter of `copy`', {
      hint: 'did you mean `content`?',
    })
    expect(codeFrame(problem, textOf)).toBe(
      [
        'error[UNKNOWN_PARAM] `contnet` is no parameter of `copy`',
        ' --> site.yml:2:3',
        '  |',
        '2 |   contnet: hello',
        '  |   ^^^^^^^',
        '  |',
        '  = help: did you mean `content`?',
      ].join('\n'),
    )
  })

  test.each([
    ['a tab before the place', at(3, 2, 1), '3 |   b: 2', '  |   ^'],
    ['wide characters before the place', at(4, 5, 4), '4 | 名前: 値が違う # x', '  |       ^^^^^^^^'],
    ['a place behind the end of the line', at(1, 9, 3), '1 | a: 1', '  |     ^'],
  ])('stands right with %s', (_case, span, source, mark) => {
    const lines = codeFrame(new SourceError('BAD_VALUE', span, 'no'), textOf).split('\n')
    expect(lines.slice(3, 5)).toEqual([source, mark])
  })

  test('a file that cannot be shown has its place only', () => {
    const problem = new SourceError('BAD_VALUE', at(2, 3, 7, 'secret.yml'), 'no')
    expect(codeFrame(problem, textOf)).toBe('error[BAD_VALUE] no\n --> secret.yml:2:3')
  })

  test('related places are shown with their lines', () => {
    const problem = new SourceError('DUPLICATE_KEY', at(2, 3, 7), 'again', { related: [at(1, 1, 1)] })
    expect(codeFrame(problem, textOf)).toContain('1 | a: 1\n  | -')
  })

  test('a long line is cut around the place', () => {
    const long = `${'x'.repeat(500)}HERE${'y'.repeat(500)}`
    const problem = new SourceError('BAD_VALUE', at(1, 501, 4), 'no')
    const [, , , source = '', mark = ''] = codeFrame(problem, () => long).split('\n')
    expect(source.length).toBeLessThan(110)
    expect(source.slice(mark.indexOf('^'), mark.lastIndexOf('^') + 1)).toBe('HERE')
  })

  test('control characters of the source are spelt out', () => {
    const problem = new SourceError('BAD_VALUE', at(1, 4, 1), 'odd \u001b[2J')
    const frame = codeFrame(problem, () => 'a: \u001b]0;x\u0007')
    expect(frame.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
    expect(frame).toContain(String.raw`a: \x1b]0;x\x07`)
  })

  test('all problems come sorted, each once, with a count', () => {
    const problems = [
      new SourceError('BAD_VALUE', at(3, 1, 1, 'b.yml'), 'three'),
      new SourceError('BAD_VALUE', at(10, 1, 1, 'a.yml'), 'two'),
      new SourceError('BAD_VALUE', at(9, 5, 1, 'a.yml'), 'one'),
      new SourceError('BAD_VALUE', at(9, 5, 1, 'a.yml'), 'one'),
    ]
    const told = codeFrames(problems, textOf)
    expect(told.match(/^error.*$/gm)).toEqual([
      'error[BAD_VALUE] one',
      'error[BAD_VALUE] two',
      'error[BAD_VALUE] three',
    ])
    expect(told).toContain('3 problems in 2 files')
  })

  test('colours change nothing but colours', () => {
    const problem = new SourceError('UNKNOWN_PARAM', at(2, 3, 7), 'no', { hint: 'h', related: [at(1, 1)] })
    const coloured = codeFrame(problem, textOf, paletteFor({ isTTY: true }, {}))
    expect(coloured).toContain('\u001b[31m')
    expect(stripVTControlCharacters(coloured)).toBe(codeFrame(problem, textOf))
  })
})

describe('report/palette', () => {
  test.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [false, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
    [true, { TERM: 'dumb' }, false],
  ])('terminal %s, environment %o: coloured %s', (isTTY, env, coloured) => {
    expect(paletteFor({ isTTY }, env).bad('x') !== 'x').toBe(coloured)
  })
})
