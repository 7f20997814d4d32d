import { describe, expect, test } from 'vitest'
import { compareItems, itemKey, type SavedItem } from '../../src/plan/saved.ts'
import { fakeHost } from '../support/fake-session.ts'
import { fakeRun } from '../support/fake-run.ts'

const site =
  '- hosts: all\n  tasks:\n    - {name: a, put: {key: a, value: 1}}\n    - {name: b, put: {key: b, value: 1}}\n    - {name: c, act: x}\n'

const planOf = async (keys: Record<string, string>): Promise<SavedItem[]> => {
  const items: SavedItem[] = []
  await fakeRun(site, { h: fakeHost(keys) }, 'plan', { salt: 's', onPlanned: item => items.push(item) })
  return items.map(item => ({ ...item, task: item.title }))
}

describe('run/saved plan', () => {
  test('holds what would change and what cannot be foretold', async () => {
    const items = await planOf({ b: '1' })

    expect(items.map(({ title, status }) => [title, status])).toEqual([
      ['a', 'would_change'],
      ['c', 'unknown'],
    ])
  })

  test('the same state gives the same fingerprint, another state another', async () => {
    const [first, again, moved] = [await planOf({}), await planOf({}), await planOf({ a: '2' })]

    expect(compareItems(first, again)).toEqual([])
    expect(compareItems(first, moved).map(({ item, why }) => [item.title, why])).toEqual([['a', 'moved']])
  })

  test('what is right by now is gone, what nobody planned is new', async () => {
    const [saved, now] = [await planOf({ b: '1' }), await planOf({ a: '1' })]

    expect(compareItems(saved, now).map(({ item, why }) => [item.title, why])).toEqual([
      ['a', 'gone'],
      ['b', 'new'],
    ])
  })

  test('an apply of a plan leaves alone what it does not hold', async () => {
    const host = fakeHost()
    const items: SavedItem[] = []
    await fakeRun(site, { h: fakeHost({ b: '1' }) }, 'plan', {
      salt: 's',
      onPlanned: item => items.push(item),
    })

    const { tasks } = await fakeRun(site, { h: host }, 'apply', {
      allowed: new Set(items.map(itemKey)),
      file: items[0]?.task,
    })

    expect(tasks).toEqual([
      ['a', 'changed'],
      ['b', 'skipped'],
      ['c', 'changed'],
    ])
    expect([...host.keys.keys()]).toEqual(['a'])
  })
})
