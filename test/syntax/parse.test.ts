import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SourceError } from '../../src/base/error.ts'
import { asBoolean } from '../../src/syntax/boolean.ts'
import { get, type Node, nodeAt, plain, type ScalarNode } from '../../src/syntax/node.ts'
import { parseYaml } from '../../src/syntax/parse.ts'

function read(text: string): { node: Node | undefined; problems: string[] } {
  const found: SourceError[] = []
  const node = parseYaml(text, 'a.yml', problem => found.push(problem))
  return { node, problems: found.map(({ code, at }) => `${code} ${at.line}:${at.col}`) }
}

function scalar(text: string, ...path: (string | number)[]): ScalarNode {
  const { node, problems } = read(text)
  expect(problems).toEqual([])
  const found = node && nodeAt(node, path)
  if (found?.kind !== 'scalar') throw new Error('expected a scalar')
  return found
}

describe('syntax/parse values', () => {
  test.each([
    ['a: 0644', 644, '0644'],
    ['a: 0o644', '0o644', '0o644'],
    ['a: "0644"', '0644', '0644'],
    ['a: 0x1f', 31, '0x1f'],
    ['a: 1.10', 1.1, '1.10'],
    ['a: 12345678901234567890', '12345678901234567890', '12345678901234567890'],
    ['a: yes', 'yes', 'yes'],
    ['a: off', 'off', 'off'],
    ['a: true', true, 'true'],
    ['a: ~', null, '~'],
    ['a:', null, ''],
    ['a: 12:30:45', '12:30:45', '12:30:45'],
    ['a: 2026-01-01', '2026-01-01', '2026-01-01'],
    ['a: "x\\ty"', 'x\ty', 'x\ty'],
    ["a: 'it''s'", "it's", "it's"],
    ['a: |\n  x\n  y\n', 'x\ny\n', 'x\ny\n'],
    ['a: !!str 12', '12', '12'],
    ['\ufeffa: 1', 1, '1'],
  ])('%j', (text, value, spelling) => {
    const found = scalar(text, 'a')

    expect(found.value).toBe(value)
    expect(found.text).toBe(spelling)
  })

  test('quotes, block scalars and tags are told', () => {
    expect(scalar('a: "1"', 'a').quoted).toBe(true)
    expect(scalar('a: |\n  1\n', 'a').quoted).toBe(true)
    expect(scalar('a: 1', 'a').quoted).toBe(false)
    expect(scalar('a: !age |\n  abc\n', 'a').tag).toBe('!age')
  })

  test('aliases and merge keys are resolved; own keys win', () => {
    const { node, problems } = read(
      'base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\nuse:\n  <<: [*b, *m]\n  x: 9\n',
    )

    expect(problems).toEqual([])
    expect(node && plain(nodeAt(node, ['use']))).toEqual({ x: 9, y: 2, z: 4 })
  })

  test.each([
    ['true', true],
    ['yes', true],
    ['On', true],
    ['no', false],
    ['"off"', false],
    ['maybe', undefined],
    ['1', undefined],
    ['[true]', undefined],
  ])('asBoolean of %s is %s', (text, expected) => {
    const { node } = read(text)

    expect(node && asBoolean(node)).toBe(expected)
  })
})

describe('syntax/parse places', () => {
  const text = 'list:\n  - name: apt\n    when: "a\\tb {{ c }}"\n  - x\n'

  test('keys, scalars, maps and lists know where they stand', () => {
    const { node } = read(text)
    if (node?.kind !== 'map') throw new Error('expected a map')
    const list = get(node, 'list')
    const first = nodeAt(node, ['list', 0])

    expect(node.entries[0]?.key.at).toEqual({ file: 'a.yml', line: 1, col: 1, length: 4 })
    expect(list?.at).toMatchObject({ line: 2, col: 3 })
    expect(first.at).toMatchObject({ line: 2, col: 5 })
    expect(nodeAt(node, ['list', 0, 'name']).at).toEqual({ file: 'a.yml', line: 2, col: 11, length: 3 })
    expect(nodeAt(node, ['list', 1]).at).toEqual({ file: 'a.yml', line: 4, col: 5, length: 1 })
  })

  test.each<[string, string, string, number, number]>([
    ['plain', 'a: x {{ y }}\n', '{{', 1, 6],
    ['plain over lines', 'a: foo\n   bar\n\n   baz\n', 'baz', 4, 4],
    ['single quotes', "a: 'it''s {{ y }}'\n", '{{', 1, 11],
    ['double quotes', 'a: "x\\ty\\u00e9 {{ y }}"\n', '{{', 1, 16],
    ['double quotes over lines', 'a: "x\n   y\\\n   z"\n', 'z', 3, 4],
    ['literal', 'a: |\n  one\n    two\n\n  three\n', 'three', 5, 3],
    ['literal, indented text', 'a: |\n  one\n    two\n', 'two', 3, 5],
    ['literal with an indentation mark', 'a: |2-\n    one\n   two\n', 'two', 3, 4],
    ['literal after a comment, CRLF', 'a: | # c\r\n  one\r\n  two\r\n', 'two', 3, 3],
    ['folded', 'a: >\n  one\n  two\n\n  three\n', 'three', 5, 3],
    ['folded, on its second line', 'a: >\n  one\n  two\n', 'two', 3, 3],
    ['number', 'a: 0644\n', '44', 1, 6],
  ])('placeOf in %s', (_, yaml, needle, ...[line, col]) => {
    const found = scalar(yaml, 'a')

    expect(found.placeOf(found.text.indexOf(needle), needle.length)).toEqual({
      file: 'a.yml',
      line,
      col,
      length: needle.length,
    })
  })

  test('an emoji counts as two columns, as editors of UTF-16 do', () => {
    expect(scalar('a: "😀 \\U0001F600 x"\n', 'a').placeOf('😀 😀 '.length)).toMatchObject({
      line: 1,
      col: 19,
    })
  })
})

describe('syntax/parse problems', () => {
  test.each<[string, string, string[]]>([
    ['tab', 'a:\n\tb: 1\n', ['YAML_TAB 2:1']],
    ['tab before a key of a task', '- name: x\n\tapt:\n', ['YAML_TAB 2:1']],
    ['tab after spaces', 'a:\n - b\n \t- c\n', ['YAML_TAB 3:2']],
    ['tab after a dash', '-\ta: 1\n', ['YAML_TAB 1:2']],
    ['duplicate key', 'a: 1\nb: 2\na: 3\n', ['DUPLICATE_KEY 3:1']],
    [
      'duplicate keys in two places',
      'a: {b: 1, b: 2}\nc:\n  d: 1\n  d: 2\n',
      ['DUPLICATE_KEY 1:11', 'DUPLICATE_KEY 4:3'],
    ],
    ['same key as number and text', '1: a\n"1": b\n', ['DUPLICATE_KEY 2:1']],
    ['unquoted template', 'name: {{ foo }}\n', ['YAML_SYNTAX 1:7']],
    ['unquoted template with text behind', 'name: {{ foo }} bar\n', ['YAML_SYNTAX 1:7']],
    ['unquoted template in a list', '- {{ foo }}\n', ['YAML_SYNTAX 1:3']],
    ['colon in text', 'msg: foo: bar\n', ['YAML_SYNTAX 1:6']],
    ['bad indentation', 'a:\n  b: 1\n c: 2\n', ['YAML_SYNTAX 3:1']],
    ['list and map mixed', '- a\nb: 1\n', ['YAML_SYNTAX 2:1']],
    ['two documents', 'a: 1\n---\nb: 2\n', ['YAML_SYNTAX 2:1']],
    ['unknown alias', 'a: *x\n', ['YAML_SYNTAX 1:4']],
    ['bare star', 'hosts: *\n', ['YAML_SYNTAX 1:8']],
    ['alias inside its anchor', 'a: &a [*a]\n', ['YAML_SYNTAX 1:8']],
    ['reserved character', 'a: @foo\n', ['YAML_SYNTAX 1:4']],
    ['list as key', '? [a]\n: 1\n', ['YAML_SYNTAX 1:3']],
    ['unknown tag', 'a: !agee x\n', ['YAML_SYNTAX 1:4']],
    ['tag on a map', 'a: !age {b: 1}\n', ['YAML_SYNTAX 1:4']],
    ['merge of text', '<<: x\na: 1\n', ['YAML_SYNTAX 1:5']],
    ['wrong escape', 'a: "x\\qy"\n', ['YAML_SYNTAX 1:6']],
    ['quotes that are not closed', 'a: 1\nb: "foo\nc: 2\n', ['YAML_SYNTAX 2:4']],
    ['two mistakes', 'a: @foo\nb:\n\tc: 1\n', ['YAML_SYNTAX 1:4', 'YAML_TAB 3:1']],
  ])('%s', (_, text, expected) => {
    expect(read(text).problems).toEqual(expected)
  })

  test('the place of the first of two equal keys is related', () => {
    const found: SourceError[] = []

    parseYaml('a: 1\na: 2\n', 'a.yml', problem => found.push(problem))

    expect(found[0]?.related).toMatchObject([{ line: 1, col: 1 }])
  })

  test.each(['', '# only a comment\n', '---\n'])('%j is an empty document', text => {
    const { node, problems } = read(text)

    expect(problems).toEqual([])
    expect(node === undefined || plain(node) === null).toBe(true)
  })

  test('a few aliases cannot stand for billions of values', () => {
    const rows = Array.from({ length: 12 }, (_, i) =>
      i === 0 ? 'a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1]' : `a${i}: &a${i} [${`*a${i - 1}, `.repeat(9)}]`,
    )

    const { problems } = read(rows.join('\n'))

    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(/^YAML_SYNTAX/)
  })

  test('deep nesting is a problem, not a crash', () => {
    expect(read('['.repeat(20_000)).problems.length).toBeGreaterThan(0)
  })

  test('no text makes it throw, and every place lies inside the text', () => {
    const piece = fc.constantFrom(
      'a: ',
      '- ',
      '\n',
      '  ',
      '\t',
      '{{ x }}',
      '"',
      "'",
      '|',
      '>',
      '&a ',
      '*a',
      '!t ',
      '[',
      '{',
      ']',
      '}',
      ',',
      '#',
      ': ',
      'é',
      '\\',
      '---\n',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 25 }), pieces => {
        const text = pieces.join('')
        const lines = text.split('\n').length
        function check(line: number): void {
          expect(line).toBeGreaterThanOrEqual(1)
          expect(line).toBeLessThanOrEqual(lines + 1)
        }
        const node = parseYaml(text, 'a.yml', problem => check(problem.at.line))
        if (node)
          for (const found of scalarsOf(node))
            for (let i = 0; i <= found.text.length; i++) check(found.placeOf(i).line)
      }),
      { numRuns: 300 },
    )
  })
})

function scalarsOf(node: Node): ScalarNode[] {
  if (node.kind === 'scalar') return [node]
  if (node.kind === 'list') return node.items.flatMap(scalarsOf)
  return node.entries.flatMap(({ key, value }) => [key, ...scalarsOf(value)])
}
