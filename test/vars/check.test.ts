import { describe, expect, test } from 'vitest'
import type { SourceError } from '../../src/base/error.ts'
import { checkCondition, checkText, checkTextFile } from '../../src/vars/check.ts'
import type { Reference } from '../../src/vars/references.ts'
import { references } from '../../src/vars/references.ts'
import { scalar, shown, yaml } from './support.ts'

function problems(check: (onProblem: (problem: SourceError) => void) => unknown): readonly SourceError[] {
  const found: SourceError[] = []
  check(problem => found.push(problem))
  return found
}

function mentions(found: readonly Reference[]): readonly string[] {
  return found.map(({ root, path, guarded }) => [root, ...path].join('.') + (guarded ? '?' : ''))
}

describe('texts', () => {
  test.each([
    ["{{ x | default('y') }}", 'BAD_TEMPLATE 1:12+1', "write `{{default x 'y'}}`"],
    ["{{ x | join(',') }}", 'BAD_TEMPLATE 1:12+1', undefined],
    ['{{ x | upper }}', 'BAD_TEMPLATE 1:12+1', 'write `{{upper x}}`'],
    ['{% if x %}a{% endif %}', 'BAD_TEMPLATE 1:7+10', 'write `{{#if x}}…{{else}}…{{/if}}`'],
    ['a {%- for x in y %}', 'BAD_TEMPLATE 1:9+17', 'write `{{#each list as |item|}}…{{/each}}`'],
    ['{# old #}', 'BAD_TEMPLATE 1:7+9', 'write `{{!-- … --}}`'],
    ['{{ list[0] }}', 'BAD_TEMPLATE 1:10+1', 'write `{{list.[0]}}`'],
    ["{{ map['key'] }}", 'BAD_TEMPLATE 1:10+1', 'write `{{map.[key]}}`'],
    ['{{ a + 1 }}', 'BAD_TEMPLATE 1:12+1', 'write `{{add a 1}}`'],
    ['{{ a == 1 }}', 'BAD_TEMPLATE 1:12+1', 'write `{{eq a 1}}`'],
    ["{{ 'a' if b else 'c' }}", 'BAD_TEMPLATE 1:10+3', "write `{{ternary b 'a' 'c'}}`"],
    ['{{ aa if b else c }}', 'UNKNOWN_HELPER 1:10+2', 'write `{{ternary b aa c}}`'],
    ['{{ xyz and b }}', 'UNKNOWN_HELPER 1:10+3', 'write `{{and xyz b}}`'],
    ['{{ a/b }}', 'BAD_TEMPLATE 1:10+3', undefined],
    ['{{.Names}}', 'BAD_TEMPLATE 1:9+1', 'write `\\{{` where the text shall keep its braces'],
    ['x {{ y', 'BAD_TEMPLATE 1:9+2', undefined],
    ['{{#if x}}a', 'BAD_TEMPLATE 1:7+9', undefined],
    ['{{#if x}}a{{/each}}', 'BAD_TEMPLATE 1:10+1', undefined],
    ['{{else}}', 'BAD_TEMPLATE 1:7+8', undefined],
    ['{{uper x}}', 'UNKNOWN_HELPER 1:9+4', 'did you mean `upper`?'],
    ['{{upper (lwer x)}}', 'UNKNOWN_HELPER 1:16+4', 'did you mean `lower`?'],
    ['{{#x}}a{{/x}}', 'UNKNOWN_HELPER 1:10+1', undefined],
    ['{{#eahc x}}a{{/eahc}}', 'UNKNOWN_HELPER 1:10+4', 'did you mean `each`?'],
    ['{{upper x y}}', 'BAD_TEMPLATE 1:9+5', 'write it as `upper(text)`'],
    ['{{#if a b}}{{/if}}', 'BAD_TEMPLATE 1:10+2', undefined],
    ['{{upper text=x more=y}}', 'BAD_TEMPLATE 1:22+6', undefined],
    ['{{> part}}', 'BAD_TEMPLATE 1:7+10', undefined],
    ['{{* deco}}', 'BAD_TEMPLATE 1:7+10', undefined],
    ['{{@idx}}', 'BAD_TEMPLATE 1:9+4', undefined],
  ])('%s', (text, problem, hint) => {
    const [first] = problems(onProblem => {
      checkText(scalar(JSON.stringify(text)), onProblem)
    })
    expect(first && shown(first)).toBe(problem)
    if (hint !== undefined) expect(first?.hint).toBe(hint)
  })

  test.each([
    'plain',
    'curl -w "%{http_code}"',
    '${#array[@]}',
    '{%d}',
    '\\{{.Names}}',
    '{{{{raw}}}}{{.Names}}{{{{/raw}}}}',
    '{{ x }}',
    "{{default x 'y'}}",
  ])('sound: %s', text => {
    expect(
      problems(onProblem => {
        checkText(scalar(JSON.stringify(text)), onProblem)
      }),
    ).toEqual([])
  })

  test('all problems of a tree are told, and what is `!unsafe` is left alone', () => {
    const node = yaml(
      'a: "{{ x | y }}"\nb: ["{{uper x}} {{lwer y}}"]\nc: !unsafe "{{ x | y }}"\n"{{ z | y }}": 1\n',
    )
    const found = problems(onProblem => {
      checkText(node, onProblem)
    })
    expect(found.map(shown)).toEqual([
      'BAD_TEMPLATE 1:10+1',
      'UNKNOWN_HELPER 2:8+4',
      'UNKNOWN_HELPER 2:19+4',
      'BAD_TEMPLATE 4:7+1',
    ])
  })

  test('a file is checked with its own places', () => {
    const text = 'a\n{{#each users}}\n{{uper name}} {{../port}} {{name}}\n{{/each}}\n{{default gone 1}}'
    let mentioned: readonly Reference[] = []
    const found = problems(onProblem => {
      mentioned = checkTextFile(text, 'x.conf.hbs', onProblem)
    })
    expect(found.map(shown)).toEqual(['UNKNOWN_HELPER 3:3+4'])
    expect(found[0]?.at.file).toBe('x.conf.hbs')
    expect(mentions(mentioned)).toEqual(['users', 'port', 'gone?'])
    expect(mentioned[1]?.at).toMatchObject({ file: 'x.conf.hbs', line: 3, col: 17, length: 7 })
  })
})

describe('conditions', () => {
  test.each([
    ['x is defined', 'BAD_CONDITION 1:9+2', 'write `defined(x)`'],
    ['x.y is not defined', 'BAD_CONDITION 1:11+2', 'write `!defined(x.y)`'],
    ['x is changed', 'BAD_CONDITION 1:9+2', 'write `x.changed`'],
    ['x is not failed', 'BAD_CONDITION 1:9+2', 'write `!x.failed`'],
    ['not x', 'BAD_CONDITION 1:11+1', 'write `!x`'],
    ['x and y', 'BAD_CONDITION 1:9+3', 'write `&&`'],
    ['x or y', 'BAD_CONDITION 1:9+2', 'write `||`'],
    ["'a' not in x", 'BAD_CONDITION 1:11+3', "write `!('a' in x)`"],
    ['x == True', 'BAD_CONDITION 1:12+4', 'write `true`'],
    ['x != None', 'BAD_CONDITION 1:12+4', 'write `null`'],
    ['{{ x }}', 'BAD_CONDITION 1:12+1', 'write `x`: a condition needs no braces'],
    ['x | length > 0', 'BAD_CONDITION 1:9+1', 'write `size(x)`'],
    ["x | default('a') == 'b'", 'BAD_CONDITION 1:9+1', "write `default(x, 'a')`"],
    ['x = 1', 'BAD_CONDITION 1:9+1', 'write `==`'],
    ["x is version('1.2', '>=')", 'BAD_CONDITION 1:9+2', "write `version(x, '>=', '1.2')`"],
    ['x ==', 'BAD_CONDITION 1:11+1', undefined],
    ['"abc', 'BAD_CONDITION 1:7+5', undefined],
    ['', 'BAD_CONDITION 1:6+2', undefined],
    ['uper(x) == "A"', 'UNKNOWN_HELPER 1:7+7', 'did you mean `upper`?'],
    ['sise(x) == 1', 'UNKNOWN_HELPER 1:7+7', 'did you mean `size`?'],
    ['upper(x, y)', 'BAD_CONDITION 1:7+11', undefined],
    ['1 + 1', 'NOT_BOOLEAN 1:6+7', undefined],
    ['"a"', 'NOT_BOOLEAN 1:6+7', undefined],
    ['size(x)', 'NOT_BOOLEAN 1:6+9', undefined],
    ['x && "a"', 'NOT_BOOLEAN 1:7+9', undefined],
    ['1 < "a"', 'BAD_CONDITION 1:7+8', undefined],
  ])('%s', (text, problem, hint) => {
    const [first] = problems(onProblem => {
      checkCondition(scalar(JSON.stringify(text)), onProblem)
    })
    expect(first && shown(first)).toBe(problem)
    if (hint !== undefined) expect(first?.hint).toBe(hint)
  })

  test.each([
    'x',
    'x.y == 1',
    'has(x.y)',
    'has(x)',
    'true',
    'x.matches("a")',
    'x in [1, "a"]',
    'size(x) > 0 || !y',
    'type(x) == string',
  ])('sound: %s', text => {
    expect(
      problems(onProblem => {
        checkCondition(scalar(JSON.stringify(text)), onProblem)
      }),
    ).toEqual([])
  })

  test('lists and other kinds of nodes', () => {
    const found = problems(onProblem => {
      checkCondition(yaml('- x and y\n- true\n- 5\n- {a: 1}\n- z'), onProblem)
    })
    expect(found.map(({ code, at }) => `${code} ${at.line}`)).toEqual([
      'BAD_CONDITION 1',
      'NOT_BOOLEAN 3',
      'BAD_CONDITION 4',
    ])
  })
})

describe('what is mentioned', () => {
  test.each([
    ['{{ a.b.c }} {{d}}', ['a.b.c', 'd']],
    ['{{default a.b c}}', ['a.b?', 'c']],
    ['{{#if (defined a)}}{{a}}{{/if}}', ['a?', 'a']],
    [
      '{{#each xs as |x i|}}{{x.y}}{{i}}{{this.z}}{{../w}}{{@root.v.u}}{{else}}{{e}}{{/each}}',
      ['xs', 'w', 'v.u', 'e'],
    ],
    ['{{#with a}}{{b}}{{#if c}}{{../d}}{{/if}}{{/with}}', ['a', 'd']],
    ['{{#each a}}{{#each b}}{{../../c}}{{../d}}{{/each}}{{/each}}', ['a', 'c']],
    ["{{join (list a 'x' 5) sep}}", ['a', 'sep']],
    ['{{get a key fallback=b}}', ['a', 'key', 'b']],
    ['no template', []],
  ])('%s', (text, names) => {
    expect(mentions(references(scalar(JSON.stringify(text)), 'value'))).toEqual(names)
  })

  test.each([
    ['a.b.c == d', ['a.b.c', 'd']],
    ['a["b"][0].c', ['a.b.0.c']],
    ['a[b].c', ['a', 'b']],
    ['has(a.b) && defined(c) && default(d.e, f)', ['a.b?', 'c?', 'd.e?', 'f']],
    ['xs.exists(x, x.y == z) && x', ['xs', 'z', 'x']],
    ['a.map(b, b + c)', ['a', 'c']],
    ['cel.bind(a, b, a + c) == 1', ['b', 'c']],
    ['a.startsWith(b) ? [c, {"k": d}] == e : !f', ['a', 'b', 'c', 'd', 'e', 'f']],
    ['type(a) == int && list == string', ['a', 'list', 'string']],
    ['size(a.b) > 0', ['a.b']],
  ])('%s', (text, names) => {
    expect(mentions(references(scalar(JSON.stringify(text)), 'condition'))).toEqual(names)
  })

  test('a tree is walked, and every mention has its place', () => {
    const found = references(yaml('a: "x {{ b.c }}"\n"{{ k }}": [1, "{{ d }}"]\n'), 'value')
    expect(mentions(found)).toEqual(['b.c', 'k', 'd'])
    expect(found.map(({ at }) => `${at.line}:${at.col}+${at.length}`)).toEqual(['1:10+3', '2:5+1', '2:20+1'])
    const [first] = references(scalar('xx && y.z'), 'condition').slice(1)
    expect(first?.at).toMatchObject({ col: 12, length: 3 })
  })
})
