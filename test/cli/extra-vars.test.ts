import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { SourceError } from '../../src/base/error.ts'
import { readExtraVars } from '../../src/cli/extra-vars.ts'
import { openSources } from '../../src/syntax/files.ts'
import { plain } from '../../src/syntax/node.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-vars-'))
writeFileSync(join(folder, 'vars.yml'), 'port: 80\nnames: [a, b]\n')
writeFileSync(join(folder, 'list.yml'), '- a\n')
afterAll(() => {
  rmSync(folder, { recursive: true })
})

function read(...values: readonly string[]) {
  const problems: SourceError[] = []
  const { layer, textOf } = readExtraVars(values, openSources(), problem => problems.push(problem))
  return { vars: layer && plain(layer.vars), problems, textOf, layer }
}

describe('cli/extra-vars', () => {
  test.each([
    [['a=1'], { a: '1' }],
    [['a=yes'], { a: 'yes' }],
    [['a=x=y: "z" \\ #'], { a: 'x=y: "z" \\ #' }],
    [['a='], { a: '' }],
    [['a:=1'], { a: 1 }],
    [['a:=[1, {"b": null}]'], { a: [1, { b: null }] }],
    [['{"a": 1, b: two}'], { a: 1, b: 'two' }],
    [['a=line\nbreak'], { a: 'line\nbreak' }],
    [['a=1', 'b=2', 'a:=3'], { a: 3, b: '2' }],
    [[`@${folder}/vars.yml`, 'port:=81'], { port: 81, names: ['a', 'b'] }],
  ])('%j sets %j', (values, vars) => {
    const found = read(...values)
    expect(found.vars).toEqual(vars)
    expect(found.problems).toEqual([])
  })

  test('without a value there is no layer', () => {
    expect(read().layer).toBeUndefined()
  })

  test.each([['a'], ['=x'], ['9a=x'], ['a:={'], ['a:=text']])('`-e %s` is refused', value => {
    expect(() => read(value)).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
  })

  test.each([
    [`@${folder}/list.yml`, 'BAD_VALUE', `${folder}/list.yml`, undefined],
    [`@${folder}/none.yml`, 'FILE_NOT_FOUND', `${folder}/none.yml`, undefined],
    ['{a: [}', 'YAML_SYNTAX', '-e 1', '{a: [}'],
  ])('%s is a problem with a place', (value, code, file, text) => {
    const { problems, textOf } = read(value)
    expect(problems.map(problem => [problem.code, problem.at.file])).toContainEqual([code, file])
    expect(textOf(file)).toBe(text)
  })
})
