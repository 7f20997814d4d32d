import { describe, expect, test } from 'vitest'
import { fakeHost } from '../support/fake-session.ts'
import { fakeRun } from '../support/fake-run.ts'

describe('run/said', () => {
  test('a module makes sense of what its action printed', async () => {
    const playbook =
      '- hosts: all\n  tasks:\n    - talk: {}\n      register: heard\n    - say: { msg: "{{ heard.word }}" }\n'
    const { events } = await fakeRun(playbook, { h: fakeHost() })
    const [first, second] = events.filter(event => event.type === 'task_done')

    expect(first).toMatchObject({ status: 'changed', result: { word: 'done' } })
    expect(first?.result).not.toHaveProperty('stdout')
    expect(second).toMatchObject({ status: 'ok' })
  })

  test('what it calls a failure is one, and registered all the same', async () => {
    const { events } = await fakeRun('- hosts: all\n  tasks:\n    - talk: { fails: true }\n', {
      h: fakeHost(),
    })

    expect(events.find(event => event.type === 'task_done')).toMatchObject({
      status: 'failed',
      failure: { code: 'BAD_WORD' },
      result: { word: 'done' },
    })
  })
})
