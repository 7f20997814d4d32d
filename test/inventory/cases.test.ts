import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { SourceError } from '../../src/base/error.ts'
import type { Span } from '../../src/base/span.ts'
import { graph } from '../../src/inventory/graph.ts'
import { loadInventory } from '../../src/inventory/load.ts'
import type { Host, Inventory } from '../../src/inventory/model.ts'
import { plain } from '../../src/syntax/node.ts'
import { openSources } from '../../src/syntax/files.ts'

const folder = import.meta.dirname
const cases = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isDirectory())

/** `vitest -u` rewrites the expectations; read the difference before it is committed. */
describe('inventory/cases', () => {
  test.each(cases.map(entry => entry.name))('%s', async name => {
    const dir = join(folder, name)
    const problems: SourceError[] = []

    const inventory = loadInventory([join(dir, 'hosts.yml')], openSources(), problem =>
      problems.push(problem),
    )

    const text =
      problems.length > 0 ? problems.map(problem => line(problem, dir)).join('') : describeAll(inventory)
    await expect(text).toMatchFileSnapshot(join(dir, problems.length > 0 ? 'problems.txt' : 'inventory.txt'))
  })
})

function line({ code, at, hint, related }: SourceError, dir: string): string {
  const near = /^did you mean `(.*)`\?$/.exec(hint ?? '')?.[1]
  const show = (span: Span): string => `${relative(dir, span.file)}:${span.line}:${span.col}`
  const others = related.map(span => ` (${show(span)})`).join('')
  return `${code} ${show(at)}${near === undefined ? '' : ` ~ ${near}`}${others}\n`
}

function describeAll(inventory: Inventory): string {
  return `${graph(inventory)}\n\n${[...inventory.hosts.values()].map(describeHost).join('\n')}`
}

function describeHost({ name, groups, layers, reach }: Host): string {
  const rows = [`${name}: ${groups.join(' < ')}`]
  for (const { origin, vars } of layers) rows.push(`  ${origin} ${JSON.stringify(plain(vars))}`)
  const { connection, host, ...rest } = reach
  rows.push(`  → ${connection} ${host} ${JSON.stringify(rest)}`)
  return `${rows.join('\n')}\n`
}
