import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { SourceError } from '../../src/base/error.ts'
import type { Span } from '../../src/base/span.ts'
import { loadPlaybook } from '../../src/playbook/load.ts'
import { openSources } from '../../src/syntax/files.ts'
import { MODULES } from './modules.ts'

const folder = import.meta.dirname
const cases = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isDirectory())

/** `vitest -u` rewrites the expectations; read the difference before it is committed. */
describe('playbook/problems', () => {
  test.each(cases.map(entry => entry.name))('%s', async name => {
    const dir = join(folder, name)
    const problems: SourceError[] = []

    loadPlaybook(join(dir, 'site.yml'), openSources(), problem => problems.push(problem), {
      knownModules: MODULES,
    })

    await expect(problems.map(problem => line(problem, dir)).join('')).toMatchFileSnapshot(
      join(dir, 'problems.txt'),
    )
  })
})

/** The code, the place, what is near, and the places that have to do with it. */
function line({ code, at, hint, related }: SourceError, dir: string): string {
  const near = /^did you mean `(.*)`\?$/.exec(hint ?? '')?.[1]
  const show = (span: Span): string => `${relative(dir, span.file)}:${span.line}:${span.col}`
  const others = related.map(span => ` (${show(span)})`).join('')
  return `${code} ${show(at)}${near === undefined ? '' : ` ~ ${near}`}${others}\n`
}
