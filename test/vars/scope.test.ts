import { describe, expect, test } from 'vitest'
import { Secret } from '../../src/base/secret.ts'
import { Unknown } from '../../src/base/unknown.ts'
import { Pending, PENDING } from '../../src/vars/pending.ts'
import type { Layer } from '../../src/vars/scope.ts'
import { LEVELS, Scope } from '../../src/vars/scope.ts'
import { layer, problemOf, scopeOf } from './support.ts'

const WEAKEST_FIRST = ['role defaults', 'group', 'host', 'play', 'task', 'data', 'extra', 'local'] as const
type Source = (typeof WEAKEST_FIRST)[number]

function setBy(sources: readonly Source[]): Scope {
  const layers = sources.flatMap((source): Layer[] =>
    source === 'data' || source === 'local' ? [] : [layer(source, `x: ${source}`)],
  )
  return scopeOf({
    layers,
    host: sources.includes('data') ? { x: 'data' } : {},
    local: sources.includes('local') ? { x: 'local' } : {},
  })
}

const pairs = WEAKEST_FIRST.flatMap((weak, index) =>
  WEAKEST_FIRST.slice(index + 1).map((strong): [Source, Source] => [weak, strong]),
)

describe('precedence', () => {
  test.each(pairs)('%s gives way to %s', (weak, strong) => {
    expect(setBy([weak, strong]).value('x')).toBe(strong)
    expect(setBy([strong, weak]).value('x')).toBe(strong)
  })

  test('among layers of one level the later wins', () => {
    const layers = [layer('group', 'x: all'), layer('group', 'x: web'), layer('role defaults', 'x: role')]
    expect(scopeOf({ layers }).value('x')).toBe('web')
  })

  test('explain names the winner and every loser, strongest first', () => {
    const scope = scopeOf({
      layers: [
        layer('group', 'x: "{{ y }}"', 'group web'),
        layer('play', 'y: 1\nx: "{{ y }}!"', 'play site'),
      ],
      host: { x: 'measured' },
    })
    const found = scope.explain('x')
    expect(found?.winner).toMatchObject({ level: 'run', value: 'measured' })
    expect(found?.losers).toMatchObject([
      { level: 'play', origin: 'play site', value: '{{ y }}!', at: { file: 'play.yml', line: 2, col: 4 } },
      { level: 'group', origin: 'group web', value: '{{ y }}', at: { file: 'group.yml', line: 1, col: 4 } },
    ])
    expect(scope.explain('y')?.winner.value).toBe(1)
    expect(scope.explain('z')).toBeUndefined()
  })

  test('names lists every name once', () => {
    const scope = scopeOf({ layers: [layer('play', 'a: 1\nb: 2')], host: { b: 3, c: 4 }, local: { d: 5 } })
    expect([...scope.names()].sort()).toEqual(['a', 'b', 'c', 'd'])
    expect(scope.has('a')).toBe(true)
    expect(scope.has('constructor')).toBe(false)
    expect(scope.has('__proto__')).toBe(false)
  })

  test('the table of levels is the one that is documented', () => {
    expect(LEVELS).toEqual(['role defaults', 'group', 'host', 'play', 'task', 'extra'])
  })
})

describe('lazy values', () => {
  test('a template of a weak level sees the strong levels', () => {
    const layers = [
      layer('role defaults', 'url: "http://{{ name }}:{{ port }}"\nport: 80'),
      layer('host', 'name: db1\nport: 8080'),
    ]
    expect(scopeOf({ layers }).value('url')).toBe('http://db1:8080')
  })

  test('one key of a map may use another key of the same map', () => {
    const scope = scopeOf({
      layers: [layer('play', 'app: {port: 80, url: "x:{{ app.port }}", bad: "{{ nope }}"}')],
    })
    expect(scope.resolve('app', ['url'])).toEqual({ found: true, value: 'x:80' })
    expect(problemOf(() => scope.value('app'))).toMatch(/^UNDEFINED_VAR/)
  })

  test('a circle is shown as a chain', () => {
    const scope = scopeOf({ layers: [layer('play', 'a: "{{ b }}"\nb: "x{{ c.d }}"\nc: {d: "{{ a }}"}')] })
    expect(problemOf(() => scope.value('a'))).toBe('RECURSIVE_VAR 1:4+9')
    expect(() => scope.value('a')).toThrow('`a` → `b` → `c.d` → `a`')
    expect(problemOf(() => scope.value('b'))).toMatch(/^RECURSIVE_VAR/)
  })

  test('a variable that needs itself is a circle', () => {
    const layers = [layer('group', 'path: /bin'), layer('play', 'path: "{{ path }}:/sbin"')]
    expect(problemOf(() => scopeOf({ layers }).value('path'))).toBe('RECURSIVE_VAR 1:7+18')
  })

  test('an undefined name in a variable is placed where the variable is set', () => {
    const scope = scopeOf({ layers: [layer('group', 'a: 1\nb:\n  - "x {{ prot }}"\nport: 1')] })
    expect(problemOf(() => scope.value('b'))).toBe('UNDEFINED_VAR 3:11+4')
  })

  test('null, false and the empty text are values', () => {
    const scope = scopeOf({ layers: [layer('play', 'a: null\nb: false\nc: ""')] })
    expect(['a', 'b', 'c'].map(name => scope.value(name))).toEqual([null, false, ''])
  })

  test('a value with a tag is what opens it', () => {
    const scope = new Scope({
      layers: [layer('group', 'a: !age abc\nb: !unsafe "{{ a }}"')],
      hostData: new Map(),
      localData: new Map(),
      open: ({ tag, value }) => (tag === '!age' ? new Secret(`open ${String(value)}`) : undefined),
    })
    expect(scope.value('a')).toBeInstanceOf(Secret)
    expect(scope.value('b')).toBe('{{ a }}')
  })
})

describe('data', () => {
  test('an outstanding value stops whoever touches it, and nobody else', () => {
    const scope = scopeOf({ host: { facts: { os: PENDING, arch: 'x86_64' }, r: PENDING } })
    expect(scope.resolve('facts', ['arch'])).toEqual({ found: true, value: 'x86_64' })
    for (const run of [() => scope.resolve('facts', ['os', 'family']), () => scope.value('facts')]) {
      expect(run).toThrow(Pending)
      expect(run).toThrow('facts.os')
    }
    expect(() => scope.value('r')).toThrow(Pending)
  })

  test('what lies behind an unknown is unknown', () => {
    const unknown = new Unknown('install nginx')
    const scope = scopeOf({ host: { r: unknown, s: { a: unknown } } })
    expect(scope.resolve('r', ['stat', 'exists'])).toEqual({ found: true, value: unknown })
    expect(scope.value('s')).toEqual({ a: unknown })
  })

  test('only own keys are followed', () => {
    const scope = scopeOf({ host: { m: JSON.parse('{"__proto__": 1, "a": "text"}') as unknown, l: ['a'] } })
    expect(scope.resolve('m', ['__proto__'])).toEqual({ found: true, value: 1 })
    for (const path of [['constructor'], ['toString'], ['a', 'length'], ['a', 'constructor']])
      expect(scope.resolve('m', path).found).toBe(false)
    for (const path of [['map'], ['-1'], ['01'], ['1'], ['constructor']])
      expect(scope.resolve('l', path).found).toBe(false)
    expect(scope.resolve('l', ['0'])).toEqual({ found: true, value: 'a' })
    expect(scope.resolve('l', ['length'])).toEqual({ found: true, value: 1 })
  })
})
