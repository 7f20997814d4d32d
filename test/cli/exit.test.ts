import { describe, expect, test } from 'vitest'
import { ConnectError, SourceError, UsageError } from '../../src/base/error.ts'
import { complaint, ProjectError } from '../../src/cli/complain.ts'
import { EXIT, worst } from '../../src/cli/exit.ts'
import { PLAIN_PALETTE } from '../../src/report/palette.ts'

const at = { file: 'site.yml', line: 1, col: 1, length: 1 }

describe('cli/exit', () => {
  test.each([
    [[], 0],
    [[0, 0], 0],
    [[0, 2], 2],
    [[2, 3], 3],
    [[3, 1, 2], 1],
    [[1, 4, 3], 4],
    [[4, 130], 130],
    [[130, 70], 70],
  ])('of %j the worst is %i', (statuses, found) => {
    expect(worst(statuses)).toBe(found)
  })

  test.each([
    [new UsageError('BAD_OPTION', 'no', 'look'), EXIT.usage, 'error[BAD_OPTION] no\n  = help: look\n'],
    [new ConnectError('web1', 'tcp', 'no'), EXIT.unreachable, 'error[web1, tcp] no\n'],
  ])('%s', (error, exit, text) => {
    expect(complaint(error, PLAIN_PALETTE)).toEqual({ exit, text })
  })

  test('problems of a project come as code frames', () => {
    const error = new ProjectError([new SourceError('BAD_VALUE', at, 'no')], () => 'x: 1')
    const { exit, text } = complaint(error, PLAIN_PALETTE)
    expect(exit).toBe(EXIT.usage)
    expect(text).toContain('1 | x: 1')
  })

  test('anything else is a bug, with its stack and what caused it', () => {
    const error = new TypeError('x is not a function', { cause: new Error('deep') })
    const { exit, text } = complaint(error, PLAIN_PALETTE)
    expect(exit).toBe(EXIT.bug)
    expect(text).toMatch(/report/)
    expect(text).toContain('exit.test.ts')
    expect(text).toContain('caused by Error: deep')
  })
})
