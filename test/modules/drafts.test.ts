import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { draftScript } from '../../src/modules/_drafts.ts'
import { lines, sh } from '../../src/shell/sh.ts'
import type { ShellSession } from '../../src/transport/shell-session.ts'
import { openIn, SHELLS } from '../support/shells.ts'

const root = mkdtempSync(join(tmpdir(), 'msingi-drafts-'))
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(root, "a folder's "))
})
afterAll(() => {
  rmSync(root, { recursive: true })
})

describe.each(SHELLS)('draftScript in %s', name => {
  let session: ShellSession
  afterAll(() => session.close())
  async function draft(target: string, kind: 'file' | 'folder'): Promise<string> {
    session ??= await openIn(name)
    const script = lines(draftScript(target, kind), sh`printf %s "$t"`)
    const [answer] = await session.exchange([{ script }], { deadlineMs: 8000 })
    expect(answer).toMatchObject({ code: 0, err: '' })
    return answer?.out ?? ''
  }

  test.each(['file', 'folder'] as const)('makes a %s beside the target', async kind => {
    const made = await draft(join(folder, 'a key'), kind)

    expect(readdirSync(folder, { withFileTypes: true })).toMatchObject([
      { name: made.slice(folder.length + 1) },
    ])
    expect(made.slice(folder.length)).toMatch(/^\/\.a key\.msingi-[A-Za-z0-9]{6}$/)
    expect(readdirSync(folder, { withFileTypes: true })[0]?.isDirectory()).toBe(kind === 'folder')
  })

  test('what earlier ones left behind for the same target goes, and nothing else', async () => {
    mkdirSync(join(folder, '.key.msingi-abcdef'))
    for (const file of [
      '.key.msingi-abcdef/key',
      '.key.msingi-ABCDE1',
      '.key.msingi-longer1',
      '.other.msingi-abcdef',
    ]) {
      writeFileSync(join(folder, file), 'half of it')
    }
    const made = await draft(join(folder, 'key'), 'file')

    expect(readdirSync(folder).sort()).toEqual(
      ['.key.msingi-longer1', '.other.msingi-abcdef', made.slice(folder.length + 1)].sort(),
    )
  })
})
