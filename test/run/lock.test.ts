import { describe, expect, test } from 'vitest'
import type { Event, Mode } from '../../src/base/event.ts'
import { fakeHost, type FakeHost } from '../support/fake-session.ts'
import { fakeRun } from '../support/fake-run.ts'

const OWNER = { run: 'r2', user: 'bob', controller: 'office', since: '2026-03-02T09:00:00.000Z' }
const HELD = 'held r1 ann clinic 2026-03-02T08:00:00.000Z 17\n'

const many = (count: number): string =>
  `- hosts: all\n  tasks:\n${Array.from({ length: count }, (_, i) => `    - {name: t${i}, put: {key: k${i}, value: v${i}}}\n`).join('')}`

function locked(text: string, host: FakeHost, mode: Mode = 'apply', waitSeconds = 0, steal = false) {
  return fakeRun(text, { h: host }, mode, { lock: { owner: OWNER, waitSeconds, steal } })
}

/** A host whose lock gives these answers one after the other, and is free afterwards. */
function heldHost(answers: readonly (readonly [code: number, out: string])[], keys = {}): FakeHost {
  return { ...fakeHost(keys), lockAnswers: [...answers] }
}

const lockFrames = (host: FakeHost): number =>
  host.frames.filter(parts => parts.some(part => part.includes('flock'))).length

const warnings = (events: readonly Event[]): readonly string[] =>
  events.flatMap(event => (event.type === 'warning' ? [event.message] : []))

describe('run/lock', () => {
  test('it travels with the first questions and costs no frame', async () => {
    const keys = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, `v${i}`]))
    const [free, held] = [fakeHost(keys), fakeHost(keys)]

    await fakeRun(many(100), { h: free })
    const { exit } = await locked(many(100), held)

    expect(exit).toBe(0)
    expect(held.frames.length).toBe(free.frames.length)
    expect(lockFrames(held)).toBe(1)
  })

  test('a run that begins with a change takes it first', async () => {
    const host = fakeHost()

    const { exit } = await locked('- hosts: all\n  tasks:\n    - act: x\n    - act: y\n', host)

    expect(exit).toBe(0)
    const locks = host.frames.map(parts => parts.some(part => part.includes('flock')))
    expect(locks.indexOf(true)).toBe(0)
    expect(locks.lastIndexOf(true)).toBe(0)
  })

  test.each([
    ['a question', 'put: {key: a, value: 1}'],
    ['a change', 'act: x'],
  ])('a host that another run holds fails at once, when it begins with %s', async (_, task) => {
    const host = heldHost([[1, HELD]])

    const { exit, events } = await locked(
      `- hosts: all\n  tasks:\n    - {name: one, ${task}}\n    - {name: two, act: y}\n`,
      host,
    )

    expect(exit).toBe(1)
    expect(events.filter(event => event.type === 'task_done')).toMatchObject([
      { task: 'one', status: 'failed', failure: { code: 'LOCKED' } },
    ])
    expect(host.frames).toHaveLength(1)
    expect(host.keys.size).toBe(0)
  })

  test('nothing forgives that', async () => {
    const host = heldHost([[1, HELD]])
    const text = `- hosts: all
  tasks:
    - block:
        - {name: one, put: {key: a, value: 1}, ignore_errors: true, until: false, delay: 60}
      rescue:
        - {name: rescue, say: {msg: hello}}
      always:
        - {name: always, act: x}
`
    const { exit, tasks } = await locked(text, host)

    expect(exit).toBe(1)
    expect(tasks[0]).toEqual(['one', 'failed'])
    expect(tasks.map(([name]) => name)).not.toContain('rescue')
    expect(host.frames).toHaveLength(1)
  })

  test('whoever waits says for whom, and asks again what was asked along with it', async () => {
    const host = heldHost(
      [
        [1, HELD],
        [75, ''],
      ],
      { a: '1' },
    )

    const { exit, events, tasks } = await locked(
      '- hosts: all\n  tasks:\n    - put: {key: a, value: 1}\n',
      host,
      'apply',
      30,
    )

    expect(exit).toBe(0)
    expect(tasks).toEqual([['put', 'ok']])
    expect(host.frames.at(-1)).toEqual(['get a'])
    expect(warnings(events)).toHaveLength(1)
    expect(warnings(events)[0]).toMatch(/ann.*clinic.*r1/)
  })

  test('a host that was taken from somebody is told', async () => {
    const host = heldHost([[0, 'took r1 ann clinic 2026-03-02T08:00:00.000Z 17\n']])

    const { exit, events } = await locked('- hosts: all\n  tasks:\n    - act: x\n', host, 'apply', 0, true)

    expect(exit).toBe(0)
    expect(warnings(events)[0]).toMatch(/r1/)
  })

  test.each(['plan', 'drift', 'check'] as const)('%s takes none, but says who is at work', async mode => {
    const host = heldHost([[0, HELD]], { a: '1' })

    const { exit, events } = await locked(
      '- hosts: all\n  tasks:\n    - put: {key: a, value: 1}\n',
      host,
      mode,
    )

    expect(exit).toBe(0)
    expect(host.frames).toHaveLength(1)
    expect(lockFrames(host)).toBe(0)
    expect(warnings(events)[0]).toMatch(/r1/)
  })

  test('a host that cannot keep a lock is not changed', async () => {
    const host = heldHost([[2, '']])

    const { exit, events } = await locked('- hosts: all\n  tasks:\n    - act: x\n', host)

    expect(exit).toBe(1)
    expect(events).toContainEqual(
      expect.objectContaining({ failure: expect.objectContaining({ code: 'LOCK_UNUSABLE' }) as unknown }),
    )
    expect(host.frames).toHaveLength(1)
  })
})
