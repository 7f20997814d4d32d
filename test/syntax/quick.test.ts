import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Node } from '../../src/syntax/node.ts'
import { parseFully } from '../../src/syntax/parse.ts'
import { placesOf } from '../../src/syntax/place.ts'
import { parseQuick } from '../../src/syntax/quick.ts'

/** The tree as data, the place of every character included. */
function shape(node: Node | undefined): unknown {
  if (node === undefined) return undefined
  const at = `${node.at.line}:${node.at.col}+${node.at.length}`
  if (node.kind === 'list') return { at, items: node.items.map(shape) }
  if (node.kind === 'map')
    return { at, entries: node.entries.map(({ key, value }) => [shape(key), shape(value)]) }
  const { value, text, quoted } = node
  const places = Array.from({ length: text.length + 1 }, (_, i) => {
    const { line, col } = node.placeOf(i)
    return `${line}:${col}`
  })
  return { at, value, text, quoted, places: places.join(' ') }
}

function compare(text: string): 'read' | 'left' {
  const places = placesOf('a.yml', text)
  const quick = parseQuick(places)
  if (quick === undefined) return 'left'
  const problems: string[] = []
  const full = parseFully(places, problem => problems.push(`${problem.code} ${problem.message}`))
  expect({ text, problems, tree: shape(quick) }).toEqual({ text, problems: [], tree: shape(full) })
  return 'read'
}

describe('syntax/quick', () => {
  test.each([
    "a: 1\nb:\n  - x\n  - y: z # c\n    k: \"q\\n\"\n  -\n  - - n\n    - m\nc: { d: [e, f g], h: 'i''' }\n",
    '---\n# comment\n- name: Install\n  apt: name=cron state=present\n  when: a == "b" && c\n\n- debug: {}\n',
    'a: |\n  x\n\n    y\n  z\n\n\nb: |- # c\n  k\n',
    'a:\n- b\n- c:\nd:   # nothing\n',
    'a: -1\nb: 1.5e3\nc: 0o17\nd: 0x1F\ne: .5\nf: ~\ng: NULL\nh: True\ni: 1.10\nj: 99999999999999999999\nk: .inf\n',
    'url: http://x:80/y#z\ntime: 10:30\n"quoted key": a b  c   # d\n\'1\': x\n',
  ])('reads %j as the full parser does', text => {
    expect(compare(text)).toBe('read')
  })

  test.each([
    '',
    '# only a comment\n',
    'a: &x 1\n',
    'a: !t 1\n',
    'a: >\n  x\n',
    'a: x\n  y\n',
    'a: {{ x }}\n',
    'a: b: c\n',
    'a: 1\na: 2\n',
    'a:\n\t- b\n',
    'a: 1\n---\nb: 2\n',
    'a:\n  b: 1\n c: 2\n',
    'a: "x\n',
    '? a\n: b\n',
    'a: |2\n   x\n',
    'a: [1,\n  2]\n',
    'text\n',
  ])('leaves %j to the full parser', text => {
    expect(compare(text)).toBe('left')
  })

  test('every case of this project is read alike, and nearly every good one quickly', () => {
    const root = join(import.meta.dirname, '..')
    const files = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile() && /\.ya?ml$/.test(entry.name))
      .map(entry => join(entry.parentPath, entry.name))
    const seen = files.map(file => compare(readFileSync(file, 'utf8')))

    expect(seen.filter(how => how === 'read').length).toBeGreaterThan(seen.length / 2)
  })

  test('what it reads, it reads as the full parser does', () => {
    const word = fc.constantFrom(
      'a',
      'b c',
      'key',
      '1',
      '0644',
      '-1',
      '1.0',
      'true',
      'no',
      '~',
      '"q"',
      '"q\\n"',
      "'s'",
      "'it''s'",
      '',
      'x:y',
      'h#i',
      '{a: b}',
      '[a, b c]',
      '{ }',
      '[1,]',
      '|',
      '|-',
      '{{ t }}',
      '$x',
      '-',
      '- d',
      '.5',
      '/p.q',
    )
    const line = fc.tuple(
      fc.constantFrom('', '  ', '    ', '- ', '  - ', '    - ', '- - ', '   '),
      fc.constantFrom('', 'a: ', 'b: ', 'c:', 'd e : ', '"k": ', '# '),
      word,
      fc.constantFrom('', '', '', ' ', ' # c', ' : ', ','),
    )
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 9 }), fc.boolean(), (lines, ends) => {
        const how = compare(lines.map(parts => parts.join('')).join('\n') + (ends ? '\n' : ''))
        expect(['read', 'left']).toContain(how)
      }),
      { numRuns: Number(process.env['RUNS'] ?? 1000) },
    )
  })
})
