import { describe, expect, test } from 'vitest'
import { BadArgument } from '../../src/vars/builtin.ts'
import { firstMatch, matches, replaceMatches } from '../../src/vars/pattern.ts'

describe('patterns', () => {
  test.each([
    ['^a+$', 'aaaa', true],
    ['^b$', 'a\nb\nc', true],
    ['a-b\\_c', 'a-b_c', true],
    ['^.$', '💧', true],
    ['x+y', 'a long text in which nothing of the kind occurs', false],
    ['k.nd\\b', 'a long text in which something of the kind occurs', true],
  ])('%s on %j', (pattern, text, found) => {
    expect(matches(text, pattern)).toBe(found)
  })

  test('groups and replacements', () => {
    expect(firstMatch('a very long line with uid=33(www)', 'uid=(\\d+)')?.[1]).toBe('33')
    expect(replaceMatches('key = value ; and some more text', '(\\w+) = (\\w+)', '$2 = $1')).toBe(
      'value = key ; and some more text',
    )
  })

  test('a search that would not end is ended', () => {
    const start = performance.now()
    expect(() => matches(`${'a'.repeat(60)}!`, '^(a+)+$')).toThrow(BadArgument)
    expect(() => matches('ab'.repeat(20_000), '^(.*a){9}.*c$')).toThrow(BadArgument)
    expect(performance.now() - start).toBeLessThan(6000)
    expect(matches('and the next one is tried as before', 'nex+t')).toBe(true)
  })

  test('pattern and text have a greatest length', () => {
    expect(() => matches('', 'a'.repeat(1001))).toThrow(BadArgument)
    expect(() => matches('a'.repeat(262_145), 'a')).toThrow(BadArgument)
    expect(() => matches('', '(a')).toThrow(BadArgument)
  })
})
