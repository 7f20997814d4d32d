import { describe, expect, test } from 'vitest'
import { fakeHost, type FakeHost } from '../support/fake-session.ts'
import { fakeRun } from '../support/fake-run.ts'

const hosts = (count: number): Record<string, FakeHost> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`h${i + 1}`, fakeHost()]))

const touched = (all: Record<string, FakeHost>, key: string): string[] =>
  Object.entries(all).flatMap(([name, host]) => (host.keys.has(key) ? [name] : []))

describe('run/rolling', () => {
  test('serial works through batches; a batch that fails as a whole ends the play', async () => {
    const all = hosts(4)
    all['h1']?.stuck.add('a')
    all['h2']?.stuck.add('a')

    const { exit, events } = await fakeRun(
      '- hosts: all\n  serial: 2\n  tasks:\n    - put: {key: a, value: 1}\n',
      all,
    )

    expect(touched(all, 'a')).toEqual([])
    expect(exit).toBe(1)
    expect(events.filter(event => event.type === 'warning')).toHaveLength(1)
  })

  test('serial takes percentages and lists, of which the last repeats', async () => {
    const all = hosts(5)

    const { events } = await fakeRun(
      '- hosts: all\n  serial: [1, "40%"]\n  tasks:\n    - put: {key: a, value: 1}\n',
      all,
    )

    const order = events.flatMap(event => (event.type === 'task_done' ? [event.host] : []))
    expect(order[0]).toBe('h1')
    expect(new Set(order.slice(1, 3))).toEqual(new Set(['h2', 'h3']))
  })

  test('max_fail_percentage counts unreachable hosts', async () => {
    const all = hosts(4)
    const down = all['h1']
    if (down) down.isDown = true

    await fakeRun(
      '- hosts: all\n  serial: 2\n  max_fail_percentage: 40\n  tasks:\n    - put: {key: a, value: 1}\n',
      all,
    )

    expect(touched(all, 'a')).toEqual(['h2'])
  })

  test('any_errors_fatal ends the play for all at their next task', async () => {
    const all = hosts(2)
    all['h1']?.stuck.add('a')

    await fakeRun(
      '- hosts: all\n  any_errors_fatal: true\n  strategy: linear\n  tasks:\n    - put: {key: a, value: 1}\n    - put: {key: b, value: 1}\n',
      all,
    )

    expect(touched(all, 'a')).toEqual(['h2'])
    expect(touched(all, 'b')).toEqual([])
  })

  test('a gate that fails keeps the next batch from starting', async () => {
    const all = hosts(2)

    const { tasks, exit } = await fakeRun(
      '- hosts: all\n  serial: 1\n  gate:\n    - {name: healthy, act: fail}\n  tasks:\n    - {name: work, put: {key: a, value: 1}}\n',
      all,
    )

    expect(tasks).toEqual([
      ['work', 'changed'],
      ['healthy', 'failed'],
    ])
    expect(touched(all, 'a')).toEqual(['h1'])
    expect(exit).toBe(1)
  })

  test('order decides who comes first', async () => {
    const all = hosts(3)

    const { events } = await fakeRun(
      '- hosts: all\n  serial: 1\n  order: reverse_inventory\n  tasks:\n    - put: {key: a, value: 1}\n',
      all,
    )

    expect(events.flatMap(event => (event.type === 'task_done' ? [event.host] : []))).toEqual([
      'h3',
      'h2',
      'h1',
    ])
  })

  test('linear keeps hosts in step, free does not', async () => {
    const text = (strategy: string): string =>
      `- hosts: all\n  strategy: ${strategy}\n  tasks:\n    - {name: one, put: {key: a, value: 1}}\n    - {name: two, put: {key: b, value: 1}}\n`

    const linear = await fakeRun(text('linear'), hosts(3))

    expect(linear.tasks.map(([task]) => task)).toEqual(['one', 'one', 'one', 'two', 'two', 'two'])
  })
})

describe('run/delegation', () => {
  test('run_once is done by one host, and all know its result', async () => {
    const all = hosts(3)

    const { tasks } = await fakeRun(
      '- hosts: all\n  tasks:\n    - {name: once, act: x, run_once: true, register: r}\n    - {name: all, say: {msg: "{{ r.stdout }}"}}\n',
      all,
    )

    expect(tasks.filter(([task]) => task === 'once')).toHaveLength(1)
    expect(tasks.filter(([task, status]) => task === 'all' && status === 'ok')).toHaveLength(3)
  })

  test('delegate_to works on the other host, with the own names', async () => {
    const all = hosts(2)

    await fakeRun(
      '- hosts: all\n  tasks:\n    - {put: {key: "{{ inventory_hostname }}", value: 1}, delegate_to: h1}\n',
      all,
    )

    expect([...(all['h1']?.keys.keys() ?? [])].sort()).toEqual(['h1', 'h2'])
    expect(all['h2']?.keys.size).toBe(0)
  })

  test('a delegate that nobody knows fails the task', async () => {
    const { events } = await fakeRun(
      '- hosts: all\n  tasks:\n    - {act: x, delegate_to: nobody}\n',
      hosts(1),
    )

    expect(events.find(event => event.type === 'task_done')).toMatchObject({
      failure: { code: 'NO_DELEGATE' },
    })
  })

  test('throttle lets so many hosts in at a time', async () => {
    const { tasks } = await fakeRun(
      '- hosts: all\n  tasks:\n    - {name: pull, act: x, throttle: 1}\n',
      hosts(3),
    )

    expect(tasks).toHaveLength(3)
  })
})

describe('run/attempts', () => {
  test('until tries again and asks anew, then gives up', async () => {
    const host = fakeHost()

    const { events } = await fakeRun(
      '- hosts: all\n  tasks:\n    - {look: {key: a}, register: r, until: r.value == "1", retries: 2, delay: 0}\n',
      { h: host },
    )

    expect(events.find(event => event.type === 'task_done')).toMatchObject({
      status: 'failed',
      failure: { code: 'UNTIL_NOT_MET' },
    })
    expect(host.frames).toHaveLength(3)
  })

  test('until ends as soon as it holds', async () => {
    const host = fakeHost({ a: '1' })

    const { exit } = await fakeRun(
      '- hosts: all\n  tasks:\n    - {look: {key: a}, register: r, until: r.value == "1", retries: 5, delay: 0}\n',
      { h: host },
    )

    expect(exit).toBe(0)
    expect(host.frames).toHaveLength(1)
  })

  test('ignore_unreachable lets the host go on', async () => {
    const host = { ...fakeHost(), isDown: true }

    const { tasks, exit } = await fakeRun(
      '- hosts: all\n  tasks:\n    - {name: gone, act: x, ignore_unreachable: true}\n    - {name: next, say: {msg: x}}\n',
      { h: host },
    )

    expect(tasks).toEqual([
      ['gone', 'unreachable'],
      ['next', 'ok'],
    ])
    expect(exit).toBe(0)
  })

  test('check_mode on a task only looks, even in an apply', async () => {
    const host = fakeHost()

    const { tasks } = await fakeRun(
      '- hosts: all\n  tasks:\n    - {name: look, put: {key: a, value: 1}, check_mode: true}\n',
      { h: host },
    )

    expect(tasks).toEqual([['look', 'would_change']])
    expect(host.keys.size).toBe(0)
  })
})

describe('run/hostvars', () => {
  test('a host sees what another one registered', async () => {
    const { events } = await fakeRun(
      '- hosts: all\n  serial: 1\n  tasks:\n    - {act: x, register: r}\n    - {name: see, say: {msg: "{{ hostvars.h1.r.stdout }} of {{ hostvars.h1.inventory_hostname }}"}}\n',
      hosts(2),
    )

    const seen = events.flatMap(event =>
      event.type === 'task_done' && event.task === 'see' ? [event.result['msg']] : [],
    )
    expect(seen).toEqual(['done of h1', 'done of h1'])
  })
})
