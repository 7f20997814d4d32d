import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { countIn } from '../../src/lab/drill-theft.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-theft-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a mark that lies across two pieces is counted, and none is counted twice', async () => {
  const [MARK, PIECE] = ['msingi-theft-0123', 64]
  const disk = Buffer.alloc(4 * PIECE, 0)
  for (const at of [0, PIECE - 5, 2 * PIECE - 1, 4 * PIECE - MARK.length]) disk.write(MARK, at)
  const file = join(folder, 'disk')
  writeFileSync(file, disk)

  const signal = AbortSignal.timeout(5000)

  expect(await countIn([file], MARK, { signal, piece: PIECE })).toBe(4)
  expect(await countIn([file, file], 'msingi-theft-0124', { signal, piece: PIECE })).toBe(0)
})
