import { describe, expect, test } from 'vitest'
import { isChosen } from '../../src/plan/tags.ts'

describe('plan/tags', () => {
  test.each<[tags: string[], only: string[], skip: string[], chosen: boolean]>([
    [[], [], [], true],
    [['a'], [], [], true],
    [['a'], ['a'], [], true],
    [['a'], ['b'], [], false],
    [[], ['b'], [], false],
    [['a'], [], ['a'], false],
    [['a', 'b'], ['a'], ['b'], false],
    [['always'], ['b'], [], true],
    [['always'], [], ['always'], false],
    [['always'], [], ['all'], true],
    [['never'], [], [], false],
    [['never', 'a'], ['a'], [], true],
    [['never', 'a'], ['all'], [], false],
    [['never'], ['never'], [], true],
    [['a'], ['tagged'], [], true],
    [[], ['tagged'], [], false],
    [[], ['untagged'], [], true],
    [['a'], ['untagged'], [], false],
    [['a'], ['all'], [], true],
    [['a'], [], ['all'], false],
    [['a'], [], ['tagged'], false],
    [[], [], ['untagged'], false],
  ])('tags %j, -t %j, --skip-tags %j: %s', (tags, only, skip, chosen) => {
    expect(isChosen(new Set(tags), { only, skip })).toBe(chosen)
  })
})
