import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { modules } from '../../src/modules/registry.gen.ts'
import { ROOT } from '../support/source-tree.ts'
import { faults } from './support.ts'

/** Folders of files with mistakes in them. */
const WRONG = /^test\/(?:cli\/project\/wrong\.yml|playbook\/(?!accepts-)|inventory\/(?:names|refuses|says)-)/

function files(...patterns: readonly string[]): readonly string[] {
  const found = patterns.flatMap(pattern => globSync(pattern, { cwd: ROOT }))
  return [...new Set(found)].filter(path => !WRONG.test(path) && !path.includes('.msingi')).sort()
}

const PLAYBOOKS = files('playbooks/*.yml', 'test/{cli,playbook,live}/**/site.yml', 'test/cli/project/*.yml').filter(
  path => readFileSync(join(ROOT, path), 'utf8').includes('hosts:'),
)
const ROLES = files('roles/*/role.yml')
const TASKS = files('roles/*/tasks.yml', 'roles/*/tasks/*.yml')
const HANDLERS = files('roles/*/handlers.yml', 'roles/*/handlers/*.yml')
const INVENTORIES = files('inventory/*.yml', 'test/cli/project/inventory/*.yml', 'test/inventory/*/hosts.yml').filter(
  path => basename(dirname(path)) !== 'reads-every-file-of-a-folder',
)

describe('schema', () => {
  test.each([
    ['playbook', PLAYBOOKS],
    ['role', ROLES],
    ['tasks', TASKS],
    ['handlers', HANDLERS],
    ['inventory', INVENTORIES],
  ] as const)('%s fits every such file of the repository', (name, paths) => {
    const wrong = paths.flatMap(path => {
      const found = faults(name, readFileSync(join(ROOT, path), 'utf8'))
      return found.length > 0 ? [`${path}: ${found.join('; ')}`] : []
    })

    expect(paths.length).toBeGreaterThan(0)
    expect(wrong).toEqual([])
  })

  test('tasks fits the examples of every module', () => {
    const wrong = [...new Set(modules.values())].flatMap(({ name, examples }) =>
      examples.flatMap(example => faults('tasks', example).map(found => `${name}: ${found}`)),
    )

    expect(wrong).toEqual([])
  })
})
