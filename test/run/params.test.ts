import { expect, test } from 'vitest'
import { fakeHost } from '../support/fake-session.ts'
import { fakeRun } from '../support/fake-run.ts'

test('run/unit: a parameter that a variable makes wrong fails the task with its code', async () => {
  const playbook =
    '- hosts: all\n  vars: { wrong: [a] }\n  tasks:\n    - put: { key: "{{ wrong }}", value: 1 }\n'
  const { events } = await fakeRun(playbook, { h: fakeHost() })

  expect(events.find(event => event.type === 'task_done')).toMatchObject({
    status: 'failed',
    failure: { code: 'BAD_PARAM' },
  })
})
