import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../support/source-tree.ts'

interface Settings {
  readonly 'yaml.schemas': Readonly<Record<string, readonly string[]>>
}

const settings = JSON.parse(readFileSync(join(ROOT, '.vscode/settings.json'), 'utf8')) as Settings
const matched = Object.entries(settings['yaml.schemas']).flatMap(([schema, patterns]) =>
  patterns.flatMap(pattern => globSync(pattern, { cwd: ROOT })).map(path => ({ path, schema })),
)

test('editor settings name schemas that are there', () => {
  const names = Object.keys(settings['yaml.schemas'])

  expect(names.map(name => name.replace('./', ''))).toEqual(
    names.flatMap(name => globSync(name, { cwd: ROOT })),
  )
})

test('editor settings give every playbook, role and inventory one schema', () => {
  const paths = globSync(['playbooks/*.yml', 'inventory/*.yml', 'roles/*/*.yml', 'roles/*/tasks/*.yml'], {
    cwd: ROOT,
  })

  expect(matched.map(({ path }) => path).sort()).toEqual(paths.sort())
})
