import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Completed } from '../../src/base/result.ts'
import { textFamily } from '../../src/probes/text.ts'

const unreadable = expect.objectContaining({ code: 'PROBE_UNREADABLE' }) as Error

/** What a host answers that was asked for one file, and packs what it sends. */
function answer(announced: number, sent: Buffer): Completed {
  const out = Buffer.concat([Buffer.from(`+ gzip\n${announced}\n`), sent]).toString('latin1')
  return { code: 0, out, err: '', encoding: 'latin1', ms: 1 }
}

describe('a packed text', () => {
  test('is what was announced', () => {
    expect(textFamily.parse(answer(3, gzipSync('abc')), ['/a'])).toEqual([{ text: 'abc', encoding: 'utf8' }])
  })

  test('is not unpacked beyond what was announced', () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))

    expect(() => textFamily.parse(answer(3, bomb), ['/a'])).toThrow(unreadable)
  })

  test.each([
    ['is short', 5, gzipSync('abc')],
    ['is cut off', 3, gzipSync('abc').subarray(0, 15)],
    ['was never packed', 3, Buffer.from('abc')],
  ])('that %s cannot be read', (_, announced, sent) => {
    expect(() => textFamily.parse(answer(announced, sent), ['/a'])).toThrow(unreadable)
  })
})
