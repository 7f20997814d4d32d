import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Secret } from '../../src/base/secret.ts'
import { Unknown } from '../../src/base/unknown.ts'
import { evaluate, holds } from '../../src/vars/condition.ts'
import { Pending, PENDING } from '../../src/vars/pending.ts'
import { layer, problemOf, scalar, scopeOf, yaml } from './support.ts'

const PLAY = `
port: 80
ratio: 1.5
name: web
flag: true
count: "3"
list: [a, b, 1]
type: web
nginx: {port: 8080, url: "http://{{ name }}:{{ port }}"}
users: [{name: ann, admin: true}, {name: bob, admin: false}]
`
const FIRST = new Unknown('first')
const SECOND = new Unknown('second')
const scope = scopeOf({
  layers: [layer('play', PLAY)],
  host: {
    facts: { os: PENDING, arch: 'x86_64', memory: 2048 },
    first: FIRST,
    second: SECOND,
    half: { known: 1, later: FIRST },
    key: new Secret('hunter2'),
    answer: { rc: 0, changed: true, stat: { exists: false }, stdout: 'ok', lines: [] },
    big: 2 ** 53 + 2,
  },
  local: { item: { name: 'x' } },
})

function when(expression: string): unknown {
  return holds(scalar(JSON.stringify(expression)), scope)
}

describe('what holds', () => {
  test.each([
    ['flag', true],
    ['!flag', false],
    ['port == 80', true],
    ['port == 80.0', true],
    ['port < 80.5 && port > 79', true],
    ['ratio * 2 == 3.0', true],
    ['port * 1.5 == 120', true],
    ['2.0 == 2 && 2 == 2.0 && 2 != 2.5 && 2.5 != 2', true],
    ['port % 7 == 3', true],
    ['nginx.port in [8080, 8081]', true],
    ['nginx["port"] == 8080', true],
    ['nginx.url == "http://web:80"', true],
    ['"a" in list && 1 in list && !("z" in list)', true],
    ['size(list) == 3 && list.size() == 3', true],
    ['"port" in nginx', true],
    ['name.startsWith("w") && name.endsWith("b") && name.contains("e")', true],
    ['name.matches("^w.b$")', true],
    ['name.matches("b$") && !name.matches(r"^\\\\d+$")', true],
    ['answer.rc == 0 && answer.changed', true],
    ['has(answer.stat) && !answer.stat.exists', true],
    ['has(answer.nope)', false],
    ['has(answer.nope.deep)', false],
    ['has(nope.deep)', false],
    ['has(nope)', false],
    ['defined(answer.stat.exists)', true],
    ['defined(nope) || defined(answer.nope)', false],
    ['defined(users[1].name) && !defined(users[2].name)', true],
    ['default(nope, 5) == 5', true],
    ['default(answer.rc, 5) == 0', true],
    ['users.exists(u, u.admin) && !users.all(u, u.admin)', true],
    ['users.filter(u, u.admin).map(u, u.name) == ["ann"]', true],
    ['list == ["a", "b", 1]', true],
    ['nginx == {"port": 8080, "url": "http://web:80"}', true],
    ['type == "web"', true],
    ['type(port) == int && type(name) != int', true],
    ['int(count) == 3', true],
    ['string(port) + "/tcp" == "80/tcp"', true],
    ['flag ? port == 80 : false', true],
    ['answer.nope == null || true', true],
    ['item.name == "x"', true],
    ['facts.arch == "x86_64" && facts.memory >= 2048', true],
    ['size(facts) == 3', true],
    ['"arch" in facts', true],
    ['facts.?kernel.orValue("none") == "none"', true],
    ['upper(name) == "WEB" && contains(list, "a")', true],
    ['version("1.10", ">", "1.9")', true],
    ['eq(list, list) && key == "hunter2"', true],
    ['true', true],
  ])('%s', (expression, result) => {
    expect(when(expression)).toBe(result)
  })

  test('a boolean is a condition, and a list holds where all of it does', () => {
    expect(holds(yaml('true'), scope)).toBe(true)
    expect(holds(false, scope)).toBe(false)
    expect(holds(yaml('[flag, true, port == 80]'), scope)).toBe(true)
    expect(holds(yaml('[flag, port == 81, nope]'), scope)).toBe(false)
    expect(holds(yaml('[]'), scope)).toBe(true)
  })

  test('a value comes back as plain data', () => {
    const value = (expression: string): unknown => evaluate(scalar(JSON.stringify(expression)), scope)
    expect(value('port + 1')).toBe(81)
    expect(value('nginx')).toEqual({ port: 8080, url: 'http://web:80' })
    expect(value('list + [port]')).toEqual(['a', 'b', 1, 80])
    expect(value('{"a": [port]}')).toEqual({ a: [80] })
    expect(value('users.map(u, {"n": u.name})')).toEqual([{ n: 'ann' }, { n: 'bob' }])
    expect(value('half')).toEqual({ known: 1, later: FIRST })
    expect(value('answer.stat.exists')).toBe(false)
    expect(evaluate(scalar('5'), scope)).toBe(5)
  })
})

describe('unknown, outstanding, secret', () => {
  test.each([
    ['first', FIRST],
    ['first && second', FIRST],
    ['second || first', SECOND],
    ['first.rc == 0', FIRST],
    ['!first', FIRST],
    ['flag && first', FIRST],
    ['first && flag', FIRST],
    ['half.later == 1', FIRST],
    ['first in list', FIRST],
    ['size(first) > 0', FIRST],
    ['upper(first) == "A"', FIRST],
    ['default(first, 1) == 1', FIRST],
    ['defined(first.stat)', FIRST],
    ['to_json(half) == ""', FIRST],
    ['list.exists(x, x == first)', FIRST],
    ['first ? true : true', FIRST],
    ['false && first', false],
    ['first && false', false],
    ['true || first', true],
    ['first || true', true],
    ['half.known == 1', true],
    ['"known" in half', true],
    ['size(half) == 2', true],
    ['defined(half) && length(half) == 2 && contains(keys(half), "later")', true],
    ['get(half, "known") == 1', true],
    ['get(half, "later") == 1', FIRST],
    ['default(half, {}).known == 1', true],
    ['list.exists(x, x == first) || flag', true],
    ['{"a": first}.a == 1', FIRST],
  ])('unknown: %s', (expression, result) => {
    expect(when(expression)).toBe(result)
  })

  test('in a list false beats unknown and the first unknown is told', () => {
    expect(holds(yaml('[first, second]'), scope)).toBe(FIRST)
    expect(holds(yaml('[first, flag]'), scope)).toBe(FIRST)
    expect(holds(yaml('[first, port == 1]'), scope)).toBe(false)
  })

  test.each([
    'facts.os == "Debian"',
    'facts.os.family == "Debian"',
    'flag && facts.os == "x"',
    'default(facts.os, 1) == 1',
    'defined(facts.os)',
    'to_json(facts) == ""',
    'get(facts, "os") == ""',
    'first([facts.os]) == 1',
  ])('outstanding: %s', expression => {
    expect(() => when(expression)).toThrow(Pending)
    expect(() => when(expression)).toThrow('os')
  })

  test('an outstanding value inside what comes back stops it too', () => {
    for (const expression of ['facts', '[facts]', '{"a": facts}', 'default(facts, 1)'])
      expect(() => evaluate(scalar(JSON.stringify(expression)), scope)).toThrow(Pending)
    expect(when('defined(facts)')).toBe(true)
  })

  test('an error about a secret does not tell it', () => {
    for (const expression of [
      'bool(key)',
      'int(key) == 1',
      'cidr_prefix(key) == 1',
      'name.matches("(" + key)',
      'key < 1',
    ]) {
      expect(problemOf(() => when(expression))).toMatch(/^BAD_VALUE/)
      expect(() => when(expression)).not.toThrow('hunter2')
    }
  })

  test('what a secret goes into is secret, but for the answer yes or no', () => {
    const value = (expression: string): unknown => evaluate(scalar(JSON.stringify(expression)), scope)
    expect(when('key == "hunter2" && size(key) == 7')).toBe(true)
    for (const expression of [
      'key',
      'key + "!"',
      'size(key)',
      'upper(key)',
      '[key]',
      '{"a": key}',
      'b64encode(key)',
    ]) {
      const found = JSON.stringify(value(expression))
      expect(found, expression).toContain('‹secret›')
      expect(found, expression).not.toContain('hunter2')
    }
  })
})

describe('errors have their place', () => {
  test.each([
    ['prot == 80', 'UNDEFINED_VAR 1:7+4', 'did you mean `port` (play, play.yml:2:7)?'],
    ['flag && nginx.prot == 1', 'UNDEFINED_VAR 1:15+10', 'did you mean `nginx.port`?'],
    ['nginx["prot"] == 1', 'UNDEFINED_VAR 1:7+15', 'did you mean `nginx.port`?'],
    ['users[9].name == "x"', 'UNDEFINED_VAR 1:7+8', undefined],
    ['users.exists(u, u.nme == "x")', 'UNDEFINED_VAR 1:23+5', undefined],
    ['users.exists(map, map.nme == 1)', 'UNDEFINED_VAR 1:25+7', undefined],
    ['name', 'NOT_BOOLEAN 1:6+6', undefined],
    ['port + 1', 'NOT_BOOLEAN 1:6+10', undefined],
    ['flag && name', 'NOT_BOOLEAN 1:7+4', undefined],
    ['port < name', 'BAD_CONDITION 1:7+11', undefined],
    ['name + port == "x"', 'BAD_CONDITION 1:7+11', 'write `string(x)` to join a number to a text'],
    ['int("x") == 1', 'BAD_CONDITION 1:7+10', undefined],
    ['port / 0 == 1', 'BAD_CONDITION 1:7+8', undefined],
    ['name.matches("(a")', 'BAD_VALUE 1:7+20', undefined],
    ['9007199254740993 == 1 ? 1 : 9007199254740993', 'BAD_VALUE 1:6+46', undefined],
    ['cidr_prefix(name) == 1', 'BAD_VALUE 1:7+17', undefined],
  ])('%s', (expression, problem, hint) => {
    expect(problemOf(() => when(expression))).toBe(problem)
    if (hint !== undefined) expect(() => when(expression)).toThrow(expect.objectContaining({ hint }))
  })

  test('a value that is neither true nor false is refused', () => {
    expect(problemOf(() => holds(scalar('5'), scope))).toBe('NOT_BOOLEAN 1:6+1')
    expect(problemOf(() => holds(scalar('null'), scope))).toBe('NOT_BOOLEAN 1:6+4')
    expect(problemOf(() => holds(yaml('a: 1'), scope))).toMatch(/^BAD_CONDITION/)
  })
})

test('what comes from a host is never an expression', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.constantFrom('true', 'flag', '" || true || "', '1 == 1', '{{ flag }}', '__proto__'),
        fc.string(),
      ),
      value => {
        const given = scopeOf({
          layers: [layer('play', 'flag: true')],
          host: { evil: value, map: Object.fromEntries([[value, 1]]) },
        })
        const check = (expression: string): unknown => holds(scalar(JSON.stringify(expression)), given)
        expect(problemOf(() => check('evil'))).toMatch(/^NOT_BOOLEAN/)
        expect(check(`evil == ${JSON.stringify('never this')}`)).toBe(false)
        expect(check('evil in map && size(map) == 1 && map[evil] == 1')).toBe(true)
        expect(evaluate(scalar('evil'), given)).toBe(value)
      },
    ),
  )
})
