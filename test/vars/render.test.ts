import fc from 'fast-check'
import Handlebars from 'handlebars'
import { describe, expect, test } from 'vitest'
import { SourceError } from '../../src/base/error.ts'
import { Secret } from '../../src/base/secret.ts'
import { Unknown } from '../../src/base/unknown.ts'
import { Pending, PENDING } from '../../src/vars/pending.ts'
import { containsTemplate, isTemplate, render, renderText } from '../../src/vars/render.ts'
import { layer, problemOf, scalar, scopeOf, yaml } from './support.ts'

const PLAY = `
port: 80
name: web
empty: []
nginx: {port: 8080, hosts: [a, b]}
users:
  - {name: ann, groups: [adm, www], admin: true}
  - {name: bob, groups: [], admin: false}
`
const LATER = new Unknown('install nginx')
const scope = scopeOf({
  layers: [layer('play', PLAY)],
  host: {
    facts: { os: PENDING, arch: 'x86_64' },
    later: LATER,
    half: { known: 1, later: LATER },
    key: new Secret('hunter2'),
    answer: { rc: 0, stdout: '{{ port }}' },
  },
})

function text(template: string): unknown {
  return render(scalar(JSON.stringify(template)), scope)
}

describe('values', () => {
  test.each([
    ['{{ port }}', 80],
    ['{{port}}', 80],
    ['{{ nginx.hosts }}', ['a', 'b']],
    ['{{ users.[1].name }}', 'bob'],
    ['{{ empty }}', []],
    ['{{ nginx.hosts.length }}', 2],
    ['{{eq port 80}}', true],
    ["{{default nope 'x'}}", 'x'],
    ['{{default nope.deep 5}}', 5],
    ['{{default port 5}}', 80],
    ['{{ half }}', { known: 1, later: LATER }],
    ['{{default half 1}}', { known: 1, later: LATER }],
    ["{{get half 'known'}}", 1],
    ["{{join (keys half) ','}}", 'known,later'],
    [' {{ port }}', ' 80'],
    ['{{ port }}{{ port }}', '8080'],
    ['port={{{port}}}', 'port=80'],
    ['a \\{{ port }} b', 'a {{ port }} b'],
    ['{{{{raw}}}}{{ x }}{{{{/raw}}}}', '{{ x }}'],
    ['{{!-- nothing --}}', ''],
    ['<{{~ port ~}} >', '<80>'],
    ["{{ 'a<b' }}{{5}}{{true}}", 'a<b5true'],
    ['{{#if nginx}}y{{/if}}{{#if empty}}n{{else}}e{{/if}}', 'ye'],
    ['{{#unless empty}}none{{/unless}}', 'none'],
    ['{{#if (eq port 1)}}1{{else if (eq port 80)}}80{{else}}x{{/if}}', '80'],
    ['{{#with nginx}}{{port}}/{{../port}}/{{@root.name}}{{/with}}', '8080/80/web'],
    ['{{#each nginx.hosts}}{{@index}}{{this}}{{#unless @last}},{{/unless}}{{/each}}', '0a,1b'],
    [
      '{{#each users as |u i|}}{{i}}{{u.name}}{{#each u.groups}}:{{.}}@{{@../index}}{{else}}-{{/each}} {{/each}}',
      '0ann:adm@0:www@0 1bob- ',
    ],
    ['{{#each users}}{{#if admin}}{{name}}{{/if}}{{/each}}', 'ann'],
    ['{{#each (dict a=1 b=2)}}{{@key}}={{this}};{{/each}}', 'a=1;b=2;'],
    ['{{#each empty}}x{{else}}none{{/each}}', 'none'],
    ["{{indent 'a\nb' first=true width=1}}x", ' a\n bx'],
  ])('%s', (template, value) => {
    expect(text(template)).toEqual(value)
  })

  test('maps and lists are rendered to their depth, keys too', () => {
    const node = yaml('{a: [1, "{{ port }}"], "{{ name }}1": {b: "x{{ port }}", c: null}}')
    expect(render(node, scope)).toEqual({ a: [1, 80], web1: { b: 'x80', c: null } })
    expect(containsTemplate(node)).toBe(true)
    expect(containsTemplate(yaml('a: [1, {b: x}]'))).toBe(false)
  })

  test('a plain scalar keeps its type', () => {
    expect(render(yaml('[1, 1.5, true, null, "1", x]'), scope)).toEqual([1, 1.5, true, null, '1', 'x'])
    expect(isTemplate(scalar('plain'))).toBe(false)
  })

  test('only the branch that is taken is evaluated', () => {
    expect(
      text('{{#if (defined nope)}}{{nope}}{{else}}ok{{/if}} {{#if port}}a{{else}}{{facts.os}}{{/if}}'),
    ).toBe('ok a')
  })
})

describe('what comes from a host stays a value', () => {
  const hostile = fc.oneof(
    fc.constantFrom(
      '{{constructor}}',
      '{{lookup this "x"}}',
      '{{ port }}',
      '{{#each x}}',
      '__proto__',
      '{% raw %}',
      '${port}',
      'port == 80',
      '\\{{',
      '{{{{',
      '$&',
      '$1',
      '{{@root}}',
    ),
    fc.string(),
  )

  test('verbatim, in every way a text can take it', () => {
    fc.assert(
      fc.property(hostile, value => {
        const given = scopeOf({
          layers: [layer('play', 'alias: "{{ evil }}"\ndeep: {a: ["{{ evil }}"]}\nname: "[{{ evil }}]"')],
          host: { evil: value, map: Object.fromEntries([[value, value]]) },
        })
        const say = (template: string): unknown => render(scalar(JSON.stringify(template)), given)
        expect(say('{{ evil }}')).toBe(value)
        expect(say('<{{ alias }}>')).toBe(`<${value}>`)
        expect(say('{{ deep.a.[0] }}')).toBe(value)
        expect(say('{{ name }}')).toBe(`[${value}]`)
        expect(say('{{#each map}}{{@key}}{{this}}{{/each}}')).toBe(value + value)
        expect(say("{{replace 'x' 'x' evil}}")).toBe(value)
        expect(renderText('{{default evil "no"}}!', 'a.hbs', given)).toBe(`${value}!`)
      }),
    )
  })

  test('rendering what was rendered changes nothing', () => {
    expect(text('{{ answer.stdout }}')).toBe('{{ port }}')
    expect(text('{{ answer }}')).toEqual({ rc: 0, stdout: '{{ port }}' })
  })

  test.each([
    'constructor',
    'name.constructor',
    'nginx.__proto__',
    'nginx.toString',
    'users.map',
    '__proto__',
    'this.constructor',
  ])('there is no `%s`', path => {
    expect(problemOf(() => text(`{{ ${path} }}`))).toMatch(/^UNDEFINED_VAR/)
  })
})

describe('unknown, outstanding, secret', () => {
  test.each([
    '{{ later }}',
    'a {{ later }}',
    '{{ later.deep.er }}',
    '{{half.later}}!',
    '{{#if later}}a{{/if}}',
    '{{#each later}}a{{/each}}',
    '{{default later 1}}',
    '{{to_json half}}',
    '{{#each users}}{{name}}{{@root.later}}{{/each}}',
  ])('unknown: %s', template => {
    expect(text(template)).toBe(LATER)
  })

  test('an unknown of a list or map leaves the rest known', () => {
    expect(render(yaml('{a: "{{ later }}", b: "{{ port }}", c: ["x{{ later }}"]}'), scope)).toEqual({
      a: LATER,
      b: 80,
      c: [LATER],
    })
  })

  test.each([
    '{{ facts.os }}',
    'x{{ facts.os.family }}',
    '{{ facts }}',
    '{{to_json facts}}',
    '{{#if facts.os}}a{{/if}}',
    '{{default facts.os 1}}',
  ])('outstanding: %s', template => {
    expect(() => text(template)).toThrow(Pending)
    expect(() => text(template)).toThrow('os')
  })

  test('a text with a secret in it is a secret', () => {
    for (const [template, value] of [
      ['{{ key }}', 'hunter2'],
      ['pw={{ key }}\n', 'pw=hunter2\n'],
      ['{{b64encode key}}', 'aHVudGVyMg=='],
      ['{{#if port}}{{upper key}}{{/if}}', 'HUNTER2'],
      ['{{join (list port key)}}', '80hunter2'],
      ['{{length key}}', '7'],
    ] as const) {
      const found = text(template)
      expect(found).toBeInstanceOf(Secret)
      expect((found as Secret).reveal()).toBe(value)
      expect(String(found)).not.toContain('hunter2')
    }
    expect(text("{{eq key 'hunter2'}}")).toBe(true)
    const pair = text('{{default (dict a=key b=port) 1}}')
    expect(pair).toEqual({ a: expect.any(Secret) as unknown, b: expect.anything() as unknown })
    const file = renderText('pw {{key}}', 'pw.hbs', scope)
    expect(file).toBeInstanceOf(Secret)
  })

  test('an error about a secret does not tell it', () => {
    const run = (): unknown => text('{{int key}}')
    expect(problemOf(run)).toBe('BAD_VALUE 1:9+3')
    expect(run).not.toThrow('hunter2')
  })
})

describe('errors have their place', () => {
  test.each([
    ['{{ prot }}', 'UNDEFINED_VAR 1:10+4', 'did you mean `port` (play, play.yml:2:7)?'],
    ['a {{ nginx.prot }}', 'UNDEFINED_VAR 1:12+10', 'did you mean `nginx.port`?'],
    [
      '{{#each users}}{{port}}{{/each}}',
      'UNDEFINED_VAR 1:24+4',
      'write `@root.port` for the variable outside the block',
    ],
    ['{{upper nmae}}', 'UNDEFINED_VAR 1:15+4', 'did you mean `name` (play, play.yml:3:7)?'],
    ['{{ nginx }}!', 'BAD_TEMPLATE 1:7+11', undefined],
    ['{{#each port}}{{/each}}', 'BAD_TEMPLATE 1:10+4', undefined],
    ['{{ ../port }}', 'BAD_TEMPLATE 1:10+7', undefined],
    ['{{ @index }}', 'BAD_TEMPLATE 1:10+6', undefined],
    ['{{int name}}', 'BAD_VALUE 1:9+3', undefined],
    ["{{required nope 'say who'}}", 'BAD_VALUE 1:9+8', undefined],
    ['{{ this }}', 'BAD_TEMPLATE 1:10+4', undefined],
  ])('%s', (template, problem, hint) => {
    expect(problemOf(() => text(template))).toBe(problem)
    if (hint !== undefined) expect(() => text(template)).toThrow(expect.objectContaining({ hint }))
  })

  test('in a template file they are those of the file', () => {
    const file = 'listen {{ port }}\r\n\nname {{ nmae }};\n'
    expect(problemOf(() => renderText(file, 'site.conf.hbs', scope))).toBe('UNDEFINED_VAR 3:9+4')
    expect(() => renderText(file, 'site.conf.hbs', scope)).toThrow(
      expect.objectContaining({ at: expect.objectContaining({ file: 'site.conf.hbs' }) as unknown }),
    )
  })

  test('in a block scalar they are those of the line', () => {
    const node = yaml('a: |\n  one\n  two {{ prot }}\n')
    expect(problemOf(() => render(node, scope))).toBe('UNDEFINED_VAR 3:10+4')
  })

  test('the nearest name is related to its place', () => {
    try {
      text('{{ prot }}')
      expect.fail('nothing was wrong')
    } catch (error) {
      expect(error).toBeInstanceOf(SourceError)
      expect((error as SourceError).related).toMatchObject([{ file: 'play.yml', line: 2 }])
    }
  })
})

describe('the texts are those of Handlebars', () => {
  const context = {
    port: 80,
    name: 'web',
    empty: [],
    on: true,
    off: false,
    nil: null,
    nginx: { port: 8080, hosts: ['a', 'b'] },
    users: [
      { name: 'ann', groups: ['x'] },
      { name: 'bob', groups: [] },
    ],
  }
  test.each([
    'a {{port}} b\n',
    '{{#if on}}\n  yes\n{{else}}\n  no\n{{/if}}\ntail\n',
    '  {{#each users}}\n  - {{name}} {{@index}} {{@first}} {{@last}}\n  {{/each}}\nend',
    '{{#each nginx.hosts as |h i|}}{{h}}{{i}}{{../name}}{{/each}}',
    '{{#each users as |u|}}{{#each u.groups as |g|}}{{u.name}}{{g}}{{@../index}}{{/each}}{{/each}}',
    '{{#each nginx}}{{@key}};{{/each}}',
    '{{#with nginx}}{{port}} {{../port}} {{#if port}}{{../name}}{{/if}}{{/with}}',
    '{{#unless off}}a{{else}}b{{/unless}}{{#unless empty}}c{{/unless}}',
    '{{~#if on ~}}  x  {{~/if~}}  y',
    '{{#if nil}}a{{else if off}}b{{else if on}}c{{/if}}',
    '{{nil}}{{on}}{{{name}}}{{&name}}{{! c }}{{!-- }} --}}.',
    '{{#each empty}}a{{else}}b{{/each}}{{^if on}}c{{else}}d{{/if}}',
    '{{nginx.[port]}} {{this.port}} {{./port}} {{@root.nginx.port}}',
  ])('%j', template => {
    const given = scopeOf({ host: context })
    const theirs = Handlebars.compile(template, { noEscape: true, strict: true })(context)
    expect(renderText(template, 'x.hbs', given)).toBe(theirs)
  })
})
