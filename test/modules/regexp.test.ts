import { describe, expect, test } from 'vitest'
import { expandMatch, matchLines, pythonPattern } from '../../src/modules/_regexp.ts'

describe('modules/_regexp', () => {
  test.each([
    ['^#?Port', '#Port 22', '#Port'],
    ['(?P<a>x+)-(?P=a)', 'xx-xx', 'xx-xx'],
    ['(?i)umask', 'UMASK', 'UMASK'],
    [String.raw`\Aa.b\Z`, 'a\rb', 'a\rb'],
    ['[]x]+', ']x', ']x'],
    ['[^]x]+', 'ab]', 'ab'],
    ['[[]main]', '[main]', '[main]'],
    ['a{,2}$', 'aaa', 'aa'],
    ['a(?#remark)b', 'ab', 'ab'],
    [String.raw`\bnet\.ipv4\b`, 'net.ipv4', 'net.ipv4'],
    ['{a}', '{a}', '{a}'],
  ])('%s finds in %j what Python finds', (pattern, line, found) => {
    expect(matchLines(pythonPattern(pattern), [line])[0]?.[0]).toBe(found)
  })

  test.each(['(?x)a b', '(a', 'a**', String.raw`\Qa\E`, '(?(1)a|b)'])('%s is refused', pattern => {
    expect(() => pythonPattern(pattern)).toThrow(SyntaxError)
  })

  test.each([
    [String.raw`\1=\g<2>`, 'a=b'],
    [String.raw`\g<all>!`, 'a b!'],
    [String.raw`\\1\t$1`, '\\1\t$1'],
  ])('%s is expanded as Python expands it', (line, expanded) => {
    const [match] = matchLines(pythonPattern(String.raw`(?=(\w) (\w))(?P<all>.*)`), ['a b'])

    expect(match && expandMatch(line, match)).toBe(expanded)
  })

  test('a group that is not there is refused', () => {
    const [match] = matchLines(pythonPattern('a'), ['a'])

    expect(() => match && expandMatch(String.raw`\1`, match)).toThrow(
      expect.objectContaining({ code: 'BAD_BACKREF' }),
    )
  })
})
