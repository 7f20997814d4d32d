import { describe, expect, test } from 'vitest'
import { fakeHost, type FakeHost } from '../support/fake-session.ts'
import { fakeRun } from '../support/fake-run.ts'

const many = (count: number): string =>
  `- hosts: all\n  tasks:\n${Array.from({ length: count }, (_, i) => `    - name: t${i}\n      put: {key: k${i}, value: v${i}}\n`).join('')}`

const all = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, `v${i}`]))

describe('run/frames', () => {
  test('a converged host of 100 tasks costs at most 4 frames', async () => {
    const host = fakeHost(all(100))

    const { exit, tasks } = await fakeRun(many(100), { h: host })

    expect(exit).toBe(0)
    expect(tasks.filter(([, status]) => status === 'ok')).toHaveLength(100)
    expect(host.frames.length).toBeLessThanOrEqual(4)
  })

  test('a first run of N changes costs at most N + 4 frames', async () => {
    const host = fakeHost()

    const { tasks } = await fakeRun(many(40), { h: host })

    expect(tasks.filter(([, status]) => status === 'changed')).toHaveLength(40)
    expect(host.frames.length).toBeLessThanOrEqual(44)
    expect(Object.fromEntries(host.keys)).toEqual(all(40))
  })

  test('changes that say nothing of what they touch still cost one frame each', async () => {
    const host = fakeHost()
    const text = many(30).replaceAll('put:', 'blunt:')

    await fakeRun(text, { h: host })

    expect(host.frames.length).toBeLessThanOrEqual(34)
  })

  test('equal questions are asked once, those of a family in one script', async () => {
    const host = fakeHost({ a: '1', b: '2' })

    await fakeRun(
      '- hosts: all\n  tasks:\n    - put: {key: a, value: 1}\n    - put: {key: b, value: 2}\n    - put: {key: a, value: 1}\n',
      { h: host },
    )

    expect(host.frames).toEqual([['get a b']])
  })

  test('a loop asks for all its items at once', async () => {
    const host = fakeHost({ a: '1', b: '1', c: '1' })

    const { tasks } = await fakeRun(
      '- hosts: all\n  tasks:\n    - put: {key: "{{ item }}", value: 1}\n      loop: [a, b, c]\n',
      { h: host },
    )

    expect(tasks).toHaveLength(3)
    expect(host.frames).toEqual([['get a b c']])
  })
})

describe('run/staleness', () => {
  test('an answer that the change cannot touch is not asked again', async () => {
    const host = fakeHost({ b: '2' })

    await fakeRun('- hosts: all\n  tasks:\n    - put: {key: a, value: 1}\n    - put: {key: b, value: 2}\n', {
      h: host,
    })

    expect(host.frames[1]?.slice(1)).toEqual(['get a'])
    expect(host.frames.flat().filter(script => script.startsWith('get '))).toEqual(['get a b', 'get a'])
  })

  test('a later task sees what an earlier one changed', async () => {
    const host = fakeHost({ a: '0' })

    const { tasks } = await fakeRun(
      '- hosts: all\n  tasks:\n    - {name: one, put: {key: a, value: 1}}\n    - {name: two, put: {key: a, value: 2}}\n    - {name: again, put: {key: a, value: 2}}\n',
      { h: host },
    )

    expect(tasks).toEqual([
      ['one', 'changed'],
      ['two', 'changed'],
      ['again', 'ok'],
    ])
    expect(host.keys.get('a')).toBe('2')
  })
})

describe('run/verify', () => {
  test('a change that does not take is a failure', async () => {
    const host = fakeHost()
    host.stuck.add('a')

    const { exit, events } = await fakeRun('- hosts: all\n  tasks:\n    - put: {key: a, value: 1}\n', {
      h: host,
    })

    expect(exit).toBe(1)
    expect(events.find(event => event.type === 'task_done')).toMatchObject({
      status: 'failed',
      failure: { code: 'NOT_CONVERGED' },
    })
  })

  test('a failed command fails the task with its code and stderr, and ends the host', async () => {
    const { exit, events, tasks } = await fakeRun(
      '- hosts: all\n  tasks:\n    - {name: bad, act: fail}\n    - {name: after, act: x}\n',
      { h: fakeHost() },
    )

    expect(exit).toBe(1)
    expect(tasks).toEqual([['bad', 'failed']])
    expect(events.find(event => event.type === 'task_done')).toMatchObject({
      failure: { code: 'COMMAND_FAILED', rc: 3, stderr: 'it broke\n' },
      result: { failed: true, rc: 3, stderr: 'it broke' },
    })
  })
})

describe('run/handlers', () => {
  const text = (fail: boolean): string =>
    `- hosts: all
  tasks:
    - {name: one, put: {key: a, value: 1}, notify: second}
    - {name: two, put: {key: b, value: 1}, notify: [topic, second]}
${fail ? '    - {name: bad, act: fail}\n' : ''}  handlers:
    - {name: first, act: x, listen: topic}
    - {name: second, act: y}
    - {name: third, act: z}
`

  test('notified handlers run once, in the order of their definition', async () => {
    const { tasks } = await fakeRun(text(false), { h: fakeHost() })

    expect(tasks.map(([task]) => task)).toEqual(['one', 'two', 'first', 'second'])
  })

  test('nothing changed, no handler', async () => {
    const { tasks } = await fakeRun(text(false), { h: fakeHost({ a: '1', b: '1' }) })

    expect(tasks.map(([task]) => task)).toEqual(['one', 'two'])
  })

  test('a host that fails later still runs the handlers it owes', async () => {
    const { tasks, exit } = await fakeRun(text(true), { h: fakeHost() })

    expect(tasks).toEqual([
      ['one', 'changed'],
      ['two', 'changed'],
      ['bad', 'failed'],
      ['first', 'changed'],
      ['second', 'changed'],
    ])
    expect(exit).toBe(1)
  })

  test('drift looks at states and runs no handler', async () => {
    const { tasks, exit } = await fakeRun(text(false), { h: fakeHost() }, 'drift')

    expect(tasks).toEqual([
      ['one', 'would_change'],
      ['two', 'would_change'],
    ])
    expect(exit).toBe(2)
  })
})

describe('run/plan', () => {
  const site = `- hosts: all
  tasks:
    - {name: folder, put: {key: etc.app, value: dir}}
    - {name: file, put: {key: etc.app.conf, value: x, needs: etc.app}}
    - {name: package, bring: {key: pkg, value: in}}
    - {name: unit, put: {key: unit, value: on, needs: pkg.unit}}
    - {name: seen, look: {key: pkg.file}, register: seen}
    - {name: after, put: {key: z, value: 1}, when: seen.value == "x"}
`

  test('later tasks stand on what earlier ones would have made; what nobody can know is unknown', async () => {
    const host = fakeHost()

    const { tasks, exit } = await fakeRun(site, { h: host }, 'plan')

    expect(tasks).toEqual([
      ['folder', 'would_change'],
      ['file', 'would_change'],
      ['package', 'would_change'],
      ['unit', 'unknown'],
      ['seen', 'unknown'],
      ['after', 'unknown'],
    ])
    expect(exit).toBe(2)
    expect(host.keys.size).toBe(0)
  })

  test('the unknown says until which task', async () => {
    const { events } = await fakeRun(site, { h: fakeHost() }, 'plan')

    const reasons = events.flatMap(event =>
      event.type === 'task_done' && event.status === 'unknown' ? [event.reason] : [],
    )
    expect(reasons).toEqual(Array.from({ length: 3 }, () => 'package'))
  })

  test('what a user does who is still to be made is unknown until then', async () => {
    const text = `- hosts: all
  tasks:
    - {name: known, put: {key: a, value: 1}}
    - {name: mine, put: {key: b, value: 1}, become: true, become_user: ghost}
    - {name: anything, blunt: {key: c, value: 1}}
    - {name: his, put: {key: d, value: 1}, become: true, become_user: ghost}
    - {name: after, put: {key: e, value: 1}}
`
    const host = (): FakeHost => {
      const made = fakeHost()
      made.strangers.add('ghost')
      return made
    }
    const early = await fakeRun(text, { h: host() }, 'plan')
    const late = await fakeRun(text.replace(/.*mine.*\n/, ''), { h: host() }, 'plan')
    const applied = await fakeRun(text.replace(/.*mine.*\n/, ''), { h: host() })

    expect(early.exit).toBe(3)
    expect(late.tasks.map(([, status]) => status)).toEqual([
      'would_change',
      'would_change',
      'unknown',
      'would_change',
    ])
    expect(late.events).toContainEqual(expect.objectContaining({ task: 'his', reason: 'anything' }))
    expect(applied.exit).toBe(3)
  })

  test('the same tasks applied: what was predicted happens', async () => {
    const host = fakeHost({ 'pkg.unit': 'there' })

    const { tasks } = await fakeRun(site, { h: host })

    expect(tasks.map(([, status]) => status)).toEqual([
      'changed',
      'changed',
      'changed',
      'changed',
      'ok',
      'skipped',
    ])
  })

  test('a refusal that no earlier change explains is a failure', async () => {
    const { exit, tasks } = await fakeRun(
      '- hosts: all\n  tasks:\n    - {name: unit, put: {key: unit, value: on, needs: nothing}}\n',
      { h: fakeHost() },
      'plan',
    )

    expect(tasks).toEqual([['unit', 'failed']])
    expect(exit).toBe(1)
  })

  test('a command without a way to check it is counted, never run', async () => {
    const host = fakeHost()

    const { events, exit } = await fakeRun(
      '- hosts: all\n  tasks:\n    - {name: do, act: x}\n',
      { h: host },
      'plan',
    )

    expect(events.find(event => event.type === 'task_done')).toMatchObject({
      status: 'unknown',
      uncheckable: true,
    })
    expect(exit).toBe(0)
    expect(host.frames).toEqual([])
  })
})

describe('run/hosts', () => {
  test('an unreachable host is reported and does not keep the others', async () => {
    const down = { ...fakeHost(), isDown: true }

    const { exit, events } = await fakeRun(many(2), { down, up: fakeHost() })

    expect(exit).toBe(3)
    const done = events.filter(event => event.type === 'host_done')
    expect(done.map(event => [event.host, event.counts.changed, event.counts.unreachable])).toEqual(
      expect.arrayContaining([
        ['down', 0, 1],
        ['up', 2, 0],
      ]),
    )
  })

  test('tasks of another user run in a shell of that user', async () => {
    const host = fakeHost()

    await fakeRun(
      '- hosts: all\n  become: true\n  tasks:\n    - put: {key: a, value: 1}\n    - put: {key: b, value: 1}\n      become_user: web\n    - put: {key: c, value: 1}\n      become: false\n',
      { h: host },
    )

    expect(host.shells).toEqual(['root', 'web', 'ops'])
    expect(host.connections).toBe(1)
  })

  test('a play without work for the host makes no connection', async () => {
    const host = fakeHost()

    await fakeRun('- hosts: all\n  tasks:\n    - say: {msg: "hello {{ inventory_hostname }}"}\n', { h: host })

    expect(host.connections).toBe(0)
  })
})

describe('run/blocks', () => {
  test('a rescue takes over, always runs, the host goes on', async () => {
    const { tasks, exit } = await fakeRun(
      `- hosts: all
  tasks:
    - block:
        - {name: bad, act: fail}
        - {name: never, act: x}
      rescue:
        - {name: rescued, act: y}
      always:
        - {name: finally, act: z}
    - {name: after, act: w}
`,
      { h: fakeHost() },
    )

    expect(tasks).toEqual([
      ['bad', 'failed'],
      ['rescued', 'changed'],
      ['finally', 'changed'],
      ['after', 'changed'],
    ])
    expect(exit).toBe(0)
  })

  test('ignore_errors goes on; failed_when and changed_when have the last word', async () => {
    const { tasks, exit } = await fakeRun(
      `- hosts: all
  tasks:
    - {name: ignored, act: fail, ignore_errors: true, register: r}
    - {name: seen, say: {msg: x}, when: r.failed && r.rc == 3}
    - {name: forgiven, act: fail, failed_when: false, changed_when: false}
    - {name: judged, act: x, register: j, failed_when: j.stdout == "done"}
`,
      { h: fakeHost() },
    )

    expect(tasks).toEqual([
      ['ignored', 'failed'],
      ['seen', 'ok'],
      ['forgiven', 'ok'],
      ['judged', 'failed'],
    ])
    expect(exit).toBe(1)
  })
})
