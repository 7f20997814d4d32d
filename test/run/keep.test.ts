import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Completed } from '../../src/base/result.ts'
import { keep } from '../../src/run/keep.ts'
import type { Sh } from '../../src/shell/sh.ts'

const bytes = Buffer.from([0, 255, 10, 65, 66, 67, 200])
const sha256 = createHash('sha256').update(bytes).digest('hex')

/** A host that has the one file. */
function answer(script: Sh): Promise<Completed> {
  const [, from = '1', count = '0'] = /tail -c \+(\d+) .* head -c (\d+)/.exec(script.text) ?? []
  const part = bytes.subarray(Number(from) - 1, Number(from) - 1 + Number(count))
  return Promise.resolve({ code: 0, out: part.toString('latin1'), err: '', encoding: 'latin1', ms: 1 })
}

describe('run/keep', () => {
  test('a file comes in pieces, byte for byte', async () => {
    const root = mkdtempSync(join(tmpdir(), 'msingi-'))
    const to = join(root, 'server/etc/x')
    await keep({ do: 'keep', path: '/etc/x', bytes: bytes.length, sha256, to, root }, answer, 3)

    expect(readFileSync(to)).toEqual(bytes)
    expect(readdirSync(join(root, 'server/etc'))).toEqual(['x'])
  })

  test('what changed meanwhile is not kept', async () => {
    const root = mkdtempSync(join(tmpdir(), 'msingi-'))
    const action = {
      do: 'keep',
      path: '/etc/x',
      bytes: 7,
      sha256: '0'.repeat(64),
      to: join(root, 'x'),
      root,
    } as const

    await expect(keep(action, answer)).rejects.toMatchObject({ code: 'FILE_CHANGED' })
    expect(readdirSync(root)).toEqual([])
  })

  test.each([
    ['dots lead', '../elsewhere/x'],
    ['dots and a link lead', 'server/../../elsewhere/new/x'],
    ['a name of dots leads', '..'],
  ])('%s nothing out of the folder, and nothing is made', async (_, name) => {
    const top = mkdtempSync(join(tmpdir(), 'msingi-'))
    const root = join(top, 'kept')
    const to = `${root}/${name}`

    await expect(keep({ do: 'keep', path: '/x', bytes: 7, sha256, to, root }, answer)).rejects.toMatchObject({
      code: 'OUTSIDE',
    })
    expect(readdirSync(top)).toEqual([])
  })

  test('a host that claims more than it gives is not asked for the rest', async () => {
    const root = mkdtempSync(join(tmpdir(), 'msingi-'))
    let asked = 0
    const count = (script: Sh): Promise<Completed> => (++asked, answer(script))
    const action = { do: 'keep', path: '/x', bytes: 1e15, sha256, to: join(root, 'x'), root } as const

    await expect(keep(action, count)).rejects.toMatchObject({ code: 'FILE_CHANGED' })
    expect([asked, readdirSync(root)]).toEqual([1, []])
  })

  test('a link leads nothing out of the folder', async () => {
    const top = mkdtempSync(join(tmpdir(), 'msingi-'))
    const root = join(top, 'kept')
    mkdirSync(join(top, 'elsewhere'))
    mkdirSync(root)
    symlinkSync('../elsewhere', join(root, 'server'))
    const action = { do: 'keep', path: '/x', bytes: 7, sha256, to: join(root, 'server/x'), root } as const

    await expect(keep(action, answer)).rejects.toMatchObject({ code: 'OUTSIDE' })
    expect(readdirSync(join(top, 'elsewhere'))).toEqual([])
  })
})
