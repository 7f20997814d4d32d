import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { builtins } from '../../src/vars/builtins.ts'
import { functionsPage } from '../../src/vars/functions-page.ts'

test('docs/functions.md is what the table says', () => {
  const written = readFileSync(join(import.meta.dirname, '../../docs/functions.md'), 'utf8')
  expect(written, 'write it anew from functionsPage()').toBe(functionsPage())
})

test('every function has its entry', () => {
  const page = functionsPage()
  for (const name of builtins.keys()) expect(page).toContain(`\n### ${name}\n`)
})
