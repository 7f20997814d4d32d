import { describe, expect, test } from 'vitest'
import { modules } from '../../src/modules/registry.gen.ts'
import { issueCode } from '../../src/plan/param-issue.ts'

describe('plan/param-issue', () => {
  test.each([
    ['file', { path: '/a', state: 'touch', mode: '0698' }, 'BAD_MODE'],
    ['file', { path: 'a', state: 'touch' }, 'BAD_PARAM'],
    ['file', { state: 'touch' }, 'MISSING_PARAM'],
    ['copy', { content: 'x' }, 'MISSING_PARAM'],
    ['copy', { content: 'x', dest: '/a', bakup: true }, 'UNKNOWN_PARAM'],
    ['copy', { content: 'x', dest: [] }, 'BAD_PARAM'],
    ['user', { name: 'a', append: true }, 'MISSING_PARAM'],
  ])('%s %o', (name, args, code) => {
    const issues = modules.get(name)?.params.safeParse(args).error?.issues ?? []

    expect(issues.map(issue => issueCode(issue, args))).toEqual([code])
  })
})
