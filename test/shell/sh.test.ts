import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Secret } from '../../src/base/secret.ts'
import { lines, quote, sh } from '../../src/shell/sh.ts'
import { interpreter, SHELLS } from '../support/shells.ts'

const word = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom("'", '"', '\\', '$', '`', '!', '\n', ' ', '*', '~', '-', '#', 'a') }),
)

describe.each(SHELLS)('quoting in %s', name => {
  test('brings every word through unchanged', () => {
    const words = fc.sample(
      word.filter(text => !text.includes('\0')).map(text => text.toWellFormed()),
      { numRuns: 400, seed: 7 },
    )
    const script = lines(...words.map(text => sh`printf '%s\\000' ${text}`)).text
    const out = execFileSync(interpreter(name), {
      input: script,
      env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' },
    })
    expect(out.toString('utf8').split('\0').slice(0, -1)).toEqual(words)
  })
})

test('sh quotes strings, numbers and lists, and takes scripts as they are', () => {
  expect(sh`a ${'b c'} ${3} ${['d', "e'f"]} ${sh`g | h`} ${''}`.text).toBe(`a 'b c' 3 d 'e'\\''f' g | h ''`)
})

test('a NUL byte is refused, for no shell can hold it', () => {
  expect(() => quote('a\0b')).toThrow(RangeError)
})

test('a secret does not reach a command line', () => {
  const secret = new Secret('hunter2')
  // @ts-expect-error the compiler refuses it by name
  expect(() => sh`echo ${secret}`).toThrow(TypeError)
})
