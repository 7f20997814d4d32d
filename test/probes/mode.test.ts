import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { chmodWord, resolveMode } from '../../src/probes/mode.ts'
import { sh } from '../../src/shell/sh.ts'
import { execute, temporaryFolder } from '../support/local-host.ts'

const top = temporaryFolder()
const shell = { name: 'sh', command: '/bin/sh', path: '/usr/bin:/bin' }
mkdirSync(join(top, 'folder'))
writeFileSync(join(top, 'file'), '')
afterAll(() => rmSync(top, { recursive: true }))

const who = fc.constantFrom('', 'u', 'g', 'o', 'a', 'ug', 'go')
const what = fc.constantFrom('', 'r', 'w', 'x', 'X', 'rw', 'rwX', 's', 't', 'u', 'g')
const clause = fc
  .tuple(who, fc.constantFrom('+', '-', '='), what)
  .map(parts => parts.join(''))
  .filter(text => !/^[+\-=]$/.test(text))

describe('probes/mode', () => {
  test('a symbolic mode means what chmod makes of it', () => {
    fc.assert(
      fc.property(
        fc.array(clause, { minLength: 1, maxLength: 3 }).map(clauses => clauses.join(',')),
        fc.integer({ min: 0, max: 0o7777 }),
        fc.boolean(),
        (wish, before, isDirectory) => {
          const path = join(top, isDirectory ? 'folder' : 'file')
          chmodSync(path, before)
          const mode = before.toString(8).padStart(4, '0')
          const { code } = execute(sh`umask 000; chmod -- ${chmodWord(wish)} ${path}`, shell)

          expect(code).toBe(0)
          expect(resolveMode(wish, { mode, isDirectory })).toBe(
            (statSync(path).mode & 0o7777).toString(8).padStart(4, '0'),
          )
        },
      ),
      { numRuns: 60 },
    )
  })
})
