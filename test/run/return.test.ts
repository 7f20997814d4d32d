import { describe, expect, test } from 'vitest'
import { fakeHost } from '../support/fake-session.ts'
import { fakeRun } from '../support/fake-run.ts'

describe('run/return', () => {
  test('a restart is over once the host answers in another life, and all is asked anew', async () => {
    const a = fakeHost({ x: '1' })
    const play = `- hosts: all
  tasks:
    - put: { key: x, value: 1 }
    - restart: { seconds: 30 }
    - put: { key: x, value: 1 }
`
    const { tasks } = await fakeRun(play, { a })

    expect(tasks.map(([, status]) => status)).toEqual(['ok', 'changed', 'ok'])
    expect(a.life).toBe(2)
    expect(a.connections).toBe(2)
    expect(a.frames.filter(parts => parts.some(part => part.includes('get x')))).toHaveLength(2)
  })

  test('a plan restarts nothing, and drift passes over it', async () => {
    const a = fakeHost()
    const play = '- hosts: all\n  tasks:\n    - restart: { seconds: 30 }\n'

    expect((await fakeRun(play, { a }, 'plan')).tasks.map(([, status]) => status)).toEqual(['would_change'])
    expect((await fakeRun(play, { a }, 'drift')).tasks.map(([, status]) => status)).toEqual(['skipped'])
    expect(a.life).toBe(1)
  })

  test('a host that cannot be reached yet is waited for, in an apply only', async () => {
    const play = '- hosts: all\n  tasks:\n    - reach: { seconds: 5 }\n    - put: { key: x, value: 1 }\n'
    const a = { ...fakeHost(), refusals: 3 }
    const { tasks, exit } = await fakeRun(play, { a })

    expect([tasks.map(([, status]) => status), exit]).toEqual([['ok', 'changed'], 0])
    const b = { ...fakeHost(), refusals: 3 }
    expect((await fakeRun(play, { b }, 'plan')).exit).toBe(3)
  })

  test('a host that does not come within the time fails the task', async () => {
    const a = { ...fakeHost(), isDown: true }
    const { events } = await fakeRun('- hosts: all\n  tasks:\n    - reach: { seconds: 0.1 }\n', { a })

    const codes = events.flatMap(event => (event.type === 'task_done' ? [event.failure?.code] : []))
    expect(codes).toEqual(['NOT_BACK'])
  })
})
