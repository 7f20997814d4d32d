import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SourceError } from '../../src/base/error.ts'
import { loadInventory } from '../../src/inventory/load.ts'
import { loadPlaybook } from '../../src/playbook/load.ts'
import { openSources, type Sources } from '../../src/syntax/files.ts'
import { parseYaml } from '../../src/syntax/parse.ts'
import { MODULES } from './modules.ts'

const KEYS = [
  'hosts',
  'tasks',
  'block',
  'rescue',
  'name',
  'when',
  'vars',
  'roles',
  'role',
  'apt',
  'command',
  'args',
  'include_tasks',
  'import_role',
  'import_playbook',
  'handlers',
  'listen',
  'loop_control',
  'vars_files',
  'notify',
  'with_items',
  'all',
  'children',
  'ssh',
  'become',
  'frobnicate',
  'ansible_port',
  'web[1:3]',
  '[::1]',
]

const value = fc.letrec(tie => ({
  any: fc.oneof(
    { maxDepth: 6, depthSize: 'medium' },
    fc.constantFrom<unknown>(
      null,
      true,
      5,
      -1,
      '',
      'a',
      'a=b c',
      'x.yml',
      'site.yml',
      '{{ t }}',
      'a:b',
      '~[',
    ),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie('any'), { maxKeys: 5 }),
  ),
})).any

/** Every file holds the same text, so that includes lead back to it. */
function oneText(text: string): Sources {
  return {
    ...openSources(),
    read: () => text,
    textOf: () => text,
    parse: (file, onProblem) => parseYaml(text, file, onProblem),
    kindOf: path => (/\.ya?ml$/.test(path) ? 'file' : path.endsWith('_vars') ? undefined : 'directory'),
  }
}

describe('playbook and inventory', () => {
  test('whatever the files hold, nothing is thrown and every problem has a place', () => {
    fc.assert(
      fc.property(value, data => {
        const problems: SourceError[] = []
        const sources = oneText(JSON.stringify(data))

        loadPlaybook('site.yml', sources, problem => problems.push(problem), { knownModules: MODULES })
        loadInventory(['hosts.yml'], sources, problem => problems.push(problem))

        expect(problems.filter(({ at }) => at.line < 1 || at.col < 1 || at.length < 1)).toEqual([])
      }),
      { numRuns: Number(process.env['RUNS'] ?? 100) },
    )
  })
})
