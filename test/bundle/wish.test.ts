import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SourceError } from '../../src/base/error.ts'
import { openSources } from '../../src/syntax/files.ts'
import { readWish, sourceLines } from '../../src/bundle/wish.ts'

describe('what a bundle is to hold', () => {
  test.each([
    ['name: clinic\nsystem: debian-11\n', 2, 9],
    ['name: clinic\nsystem: debian-13\npackages: [curl, NoSuch]\n', 3, 18],
    ['name: clinic\nsystem: debian-13\nfiles: [{ url: a, sha256: b, path: ../c }]\n', 3, 27],
    ['name: clinic\nsystem: debian-13\ncht:\n  - couchdb: single\n', 4, 5],
    ['name: [clinic\n', 2, 1],
  ])('is refused at its place: %j', (text, line, col) => {
    expect(() => read(text)).toThrow(SourceError)
    expect(problem(text)).toMatchObject({ line, col })
  })

  test('names where packages come from, signed by the distribution', () => {
    const lines = sourceLines(read('name: clinic\nsystem: debian-13\n'))

    expect(lines.map(line => line.split(' ').slice(-2).join(' '))).toEqual([
      'trixie main',
      'trixie-updates main',
      'trixie-security main',
    ])
    expect(
      lines.every(line => line.includes('[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]')),
    ).toBe(true)
  })

  test('may name other sources', () => {
    const text =
      "name: clinic\nsystem: ubuntu-24.04\nsources: ['deb http://mirror.example.org/ubuntu noble main']\n"

    expect(sourceLines(read(text))).toEqual(['deb http://mirror.example.org/ubuntu noble main'])
  })
})

function read(text: string): ReturnType<typeof readWish> {
  const file = join(mkdtempSync(join(tmpdir(), 'wish-')), 'bundle.yml')
  writeFileSync(file, text)
  return readWish(file, openSources())
}

function problem(text: string): unknown {
  try {
    read(text)
    return undefined
  } catch (error) {
    return error instanceof SourceError ? error.at : error
  }
}
