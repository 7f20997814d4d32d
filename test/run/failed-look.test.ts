import { describe, expect, test } from 'vitest'
import { fakeHost } from '../support/fake-session.ts'
import { fakeRun } from '../support/fake-run.ts'

const playbook = (more: string): string =>
  `- hosts: all\n  tasks:\n    - name: look\n      look: { key: a }\n      register: seen\n${more}`

describe('run/failed-look', () => {
  test('a look that fails fails the task, with what it answered as evidence', async () => {
    const { exit, events } = await fakeRun(playbook(''), { h: fakeHost({ a: 'broken' }) })

    expect(exit).toBe(1)
    expect(events.find(event => event.type === 'task_done')).toMatchObject({
      failure: { code: 'COMMAND_FAILED', rc: 3, stdout: 'half\n', stderr: 'it broke\n' },
      result: { rc: 3, stdout: 'half', stdout_lines: ['half'], failed: true },
    })
  })

  test.each(['apply', 'plan'] as const)('failed_when sees it (%s)', async mode => {
    const more = '      failed_when: seen.rc != 3\n    - say: { msg: "{{ seen.stdout }}" }\n'

    const { exit, tasks } = await fakeRun(playbook(more), { h: fakeHost({ a: 'broken' }) }, mode)

    expect(exit).toBe(0)
    expect(tasks.map(([, status]) => status)).toEqual(['ok', 'ok'])
  })
})
