import { describe, expect, test } from 'vitest'
import { keywordSchemas, type Level, PROMPT_KEYS, shapeOf } from '../../src/playbook/keywords.ts'
import type { Shape } from '../../src/playbook/shape.ts'
import { shapeOfHosts } from '../../src/playbook/shape.ts'
import { PARAM_KEYS, SIGNATURE_KEYS } from '../../src/playbook/signature.ts'
import { plain } from '../../src/syntax/node.ts'
import { parseYaml } from '../../src/syntax/parse.ts'
import { judgeOf } from './support.ts'

const SAMPLES = [
  'word',
  'two words',
  '"{{ x }}"',
  '"a {{ x }} b"',
  '""',
  '" "',
  '~',
  '0',
  '7',
  '-1',
  '1.5',
  '"7"',
  '"1.5"',
  '"-1"',
  '30%',
  '"30 %"',
  '10m',
  '1h30m',
  '512M',
  '2 GiB',
  'true',
  'false',
  'Yes',
  '"OFF"',
  'auto',
  'sudo',
  'linear',
  'ssh',
  'string',
  'sorted',
  'reconnect',
  '[]',
  '[word]',
  '[1, 30%]',
  '[true]',
  '[[a]]',
  '["{{ x }}", two words]',
  '[{ a: b }]',
  '[{ name: a }]',
  '{}',
  '{ a: b }',
  '{ a-b: c }',
  '{ 1: c }',
]

const LEVELS: readonly Level[] = ['play', 'import_playbook', 'role', 'block', 'task', 'handler', 'include', 'import']

const shapes: (readonly [string, Shape])[] = [
  ...LEVELS.flatMap(level =>
    Object.keys(keywordSchemas(level)).map(word => [`${level}.${word}`, shapeOf(level, word) as Shape] as const),
  ),
  ...Object.entries(PROMPT_KEYS).map(([key, shape]) => [`prompt.${key}`, shape] as const),
  ...Object.entries(SIGNATURE_KEYS).map(([key, shape]) => [`role.yml.${key}`, shape] as const),
  ...Object.entries(PARAM_KEYS).map(([key, shape]) => [`param.${key}`, shape] as const),
  ['play.hosts', shapeOfHosts],
]

/** What stands inside an entry of `vars_prompt` is judged by the grammar one by one. */
const DEEPER = new Set(['play.vars_prompt'])

describe('the schemas and the grammar say the same', () => {
  test.each(shapes.filter(([title]) => !DEEPER.has(title)))('%s', (_, shape) => {
    const judge = judgeOf(shape.schema)
    const disagreed = SAMPLES.filter(text => {
      const node = parseYaml(text, 'a.yml', problem => {
        throw problem
      })
      return node !== undefined && (shape(node) === undefined) !== judge(plain(node))
    })

    expect(disagreed).toEqual([])
  })
})
