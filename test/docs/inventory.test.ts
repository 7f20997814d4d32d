import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { SourceError } from '../../src/base/error.ts'
import { loadInventory } from '../../src/inventory/load.ts'
import { REACH_SCHEMAS } from '../../src/inventory/reach.ts'
import { openSources } from '../../src/syntax/files.ts'
import { ROOT } from '../support/source-tree.ts'

const page = readFileSync(join(ROOT, 'docs/inventory.md'), 'utf8')

test('every setting of a host has a row on the page about inventories', () => {
  const rows = [...page.matchAll(/^\| `(\w+)` /gm)].map(([, name]) => name ?? '')

  const settings = [...Object.keys(REACH_SCHEMAS.ssh), ...Object.keys(REACH_SCHEMAS.own)]
  expect(settings.filter(name => !rows.includes(name))).toEqual([])
})

test('the inventory on the page is one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'msingi-page-'))
  const file = join(folder, 'hosts.yml')
  writeFileSync(file, /```yaml\n([^]*?)```/.exec(page)?.[1] ?? '')
  const problems: SourceError[] = []

  const { hosts } = loadInventory([file], openSources(), problem => problems.push(problem))
  rmSync(folder, { recursive: true })

  expect(problems).toEqual([])
  expect(hosts.size).toBe(21)
  expect(hosts.get('clinic07')?.reach).toMatchObject({ user: 'ops', line: { speed: 'slow' } })
})
