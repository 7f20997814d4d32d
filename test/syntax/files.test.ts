import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { SourceError } from '../../src/base/error.ts'
import { plain } from '../../src/syntax/node.ts'
import { openSources } from '../../src/syntax/files.ts'

const dir = mkdtempSync(join(tmpdir(), 'msingi-files-'))
afterAll(() => rmSync(dir, { recursive: true }))

function file(name: string, content: string | Uint8Array): string {
  const path = join(dir, name)
  writeFileSync(path, content)
  return path
}

describe('syntax/files', () => {
  test('reads, parses and remembers a file', () => {
    const path = file('good.yml', '\ufeffa: 1\n')
    const sources = openSources()
    const found: SourceError[] = []

    const node = sources.parse(path, problem => found.push(problem))

    expect(found).toEqual([])
    expect(node && plain(node)).toEqual({ a: 1 })
    expect(sources.textOf(path)).toBe('a: 1\n')
    expect(sources.parse(path, problem => found.push(problem))).toBe(node)
    expect(sources.kindOf(path)).toBe('file')
    expect(sources.kindOf(dir)).toBe('directory')
    expect(sources.kindOf(join(path, 'x'))).toBeUndefined()
  })

  test.each<[string, () => string, string]>([
    ['missing', () => join(dir, 'none.yml'), 'FILE_NOT_FOUND'],
    ['below a file', () => join(file('f.yml', ''), 'none.yml'), 'FILE_NOT_FOUND'],
    ['a directory', () => dir, 'FILE_UNREADABLE'],
    ['not UTF-8', () => file('latin.yml', Uint8Array.of(0x61, 0x3a, 0x20, 0xe9)), 'FILE_UNREADABLE'],
  ])('%s: reported once, where it is named', (_, path, code) => {
    const sources = openSources()
    const found: SourceError[] = []
    const from = { file: 'site.yml', line: 3, col: 5, length: 4 }
    const target = path()

    const first = sources.parse(target, problem => found.push(problem), from)
    const second = sources.parse(target, problem => found.push(problem), from)

    expect([first, second]).toEqual([undefined, undefined])
    expect(found.map(problem => problem.code)).toEqual([code])
    expect(found[0]?.at).toEqual(from)
  })

  test('problems of a broken file are reported once', () => {
    const path = file('broken.yml', 'a: 1\na: 2\n')
    const sources = openSources()
    const found: SourceError[] = []

    sources.parse(path, problem => found.push(problem))
    sources.parse(path, problem => found.push(problem))

    expect(found).toHaveLength(1)
  })
})
