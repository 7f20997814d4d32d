import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { splitWords } from '../../src/modules/_words.ts'

describe('modules/words', () => {
  test.each<[string, string[] | undefined]>([
    ['', []],
    ['  ls   -l\t/srv\n', ['ls', '-l', '/srv']],
    [`echo 'a b' "c d" e\\ f`, ['echo', 'a b', 'c d', 'e f']],
    [`printf '%s' "it's"`, ['printf', '%s', "it's"]],
    [`x=""y''z`, ['x=yz']],
    [`''`, ['']],
    [`awk '{print $1}' "\\$x \\"q\\" \\\\"`, ['awk', '{print $1}', '\\$x "q" \\']],
    ['a \\\n b', ['a', 'b']],
    [`echo 'open`, undefined],
    ['echo "open', undefined],
    ['echo open\\', undefined],
  ])('%j', (line, words) => {
    expect(splitWords(line)?.map(word => word.text)).toEqual(words)
  })

  test('knows what was quoted', () => {
    expect(splitWords(`find . -exec ls {} \\; | '|'`)?.map(word => word.isBare)).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
      true,
      false,
    ])
  })

  test('splits as sh does', () => {
    const piece = fc.oneof(
      fc.stringMatching(/^[a-z /.,:=+-]{0,6}$/),
      fc.stringMatching(/^[a-z "\\]{0,6}$/).map(text => `'${text}'`),
      fc.stringMatching(/^[a-z ']{0,6}$/).map(text => `"${text}"`),
      fc.constantFrom(' ', `\\ `, `\\'`, `\\"`, '"\\""', '"\\\\"'),
    )
    const lines = fc.sample(
      fc.array(piece, { maxLength: 8 }).map(pieces => pieces.join('')),
      { numRuns: 60, seed: 7 },
    )
    const script = lines.map(line => `for w in ${line}\ndo printf '<%s>' "$w"; done; echo`).join('\n')
    const seen = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).split('\n').slice(0, -1)

    expect(
      lines.map(line =>
        splitWords(line)
          ?.map(({ text }) => `<${text}>`)
          .join(''),
      ),
    ).toEqual(seen)
  })
})
