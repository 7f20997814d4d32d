import { describe, expect, test } from 'vitest'
import { fakeHost } from '../support/fake-session.ts'
import { fakeRun } from '../support/fake-run.ts'

describe('run/plan, doubted and unknown', () => {
  test('what a planned package may bring is a change where a task makes it, unknown where nothing seems to be needed', async () => {
    const { tasks } = await fakeRun(
      `- hosts: all
  tasks:
    - {name: package, bring: {key: pkg, value: in}}
    - {name: make, put: {key: pkg.file, value: x}}
    - {name: seen, look: {key: pkg.other}, register: seen}
    - {name: set, remember: {own: "{{ seen.value }}"}}
    - {name: use, say: {msg: "{{ own }}"}}
`,
      { h: fakeHost() },
      'plan',
    )

    expect(tasks).toEqual([
      ['package', 'would_change'],
      ['make', 'would_change'],
      ['seen', 'unknown'],
      ['set', 'unknown'],
      ['use', 'unknown'],
    ])
  })

  test('after a task that is unknown, a refusal is unknown as well; what is looked at and compared is not', async () => {
    const { tasks } = await fakeRun(
      `- hosts: all
  tasks:
    - {name: before, look: {key: elsewhere}}
    - {name: package, bring: {key: pkg, value: in}}
    - {name: seen, look: {key: pkg.other}, register: seen}
    - {name: perhaps, put: {key: a, value: "{{ seen.value }}"}}
    - {name: after, look: {key: elsewhere}}
    - {name: compared, put: {key: b, value: x}}
    - {name: refused, put: {key: c, value: x, needs: missing}}
`,
      { h: fakeHost() },
      'plan',
    )

    expect(tasks).toEqual([
      ['before', 'ok'],
      ['package', 'would_change'],
      ['seen', 'unknown'],
      ['perhaps', 'unknown'],
      ['after', 'ok'],
      ['compared', 'would_change'],
      ['refused', 'unknown'],
    ])
  })

  test('a text that only goes wrong on the host fails the task, not the run', async () => {
    const { exit, events } = await fakeRun(
      '- hosts: all\n  tasks:\n    - {name: judged, act: x, register: r, failed_when: r.nothing == 1}\n',
      { h: fakeHost() },
    )

    expect(exit).toBe(1)
    expect(events.find(event => event.type === 'task_done')).toMatchObject({
      status: 'failed',
      failure: { code: 'UNDEFINED_VAR' },
    })
  })
})
