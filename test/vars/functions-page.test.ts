import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { expect, test } from 'vitest'
import { builtins } from '../../src/vars/builtins.ts'
import { functionsPage } from '../../src/vars/functions-page.ts'

test('docs/functions.md is what the table says', async () => {
  const file = join(import.meta.dirname, '../../docs/functions.md')
  const pretty = await format(functionsPage(), { ...(await resolveConfig(file)), filepath: file })
  expect(readFileSync(file, 'utf8'), 'write it anew from functionsPage()').toBe(pretty)
})

test('every function has its entry', () => {
  const page = functionsPage()
  for (const name of builtins.keys()) expect(page).toContain(`\n### ${name}\n`)
})
