import { expect, test } from 'vitest'
import { builtins } from '../../src/vars/builtins.ts'
import { functionsPage } from '../../src/vars/functions-page.ts'

test('vars/functions-page: every function has its entry', () => {
  const page = functionsPage()
  for (const name of builtins.keys()) expect(page).toContain(`\n### ${name}\n`)
})
