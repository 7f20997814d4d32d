import { describe, expect, test } from 'vitest'
import type { Event } from '../../src/base/event.ts'
import { fakeHost, type FakeHost } from '../support/fake-session.ts'
import { fakeRun } from '../support/fake-run.ts'

interface Seen {
  readonly events: readonly Event[]
  readonly hosts: Readonly<Record<string, FakeHost>>
  readonly exit: number
}

type Level = 'play' | 'block' | 'task'

const LEVELS: readonly Level[] = ['play', 'block', 'task']

/** A play with a block with a task; the keyword stands on one of them. */
function text(level: Level, keyword: string, task: string): string {
  const at = (here: Level, indent: number): string =>
    here === level ? `${' '.repeat(indent)}${keyword}\n` : ''
  return `- hosts: all
${at('play', 2)}  tasks:
    - block:
        - name: subject
          ${task}
${at('task', 10)}${at('block', 6)}    - {name: after, say: {msg: after}}
  handlers:
    - {name: told, say: {msg: told}}
`
}

const outcome = ({ events }: Seen): Event | undefined =>
  events.find(event => event.type === 'task_done' && event.task === 'subject')
const status = (seen: Seen): string => {
  const event = outcome(seen)
  return event?.type === 'task_done' ? event.status : 'none'
}
const scripts = ({ hosts }: Seen): string =>
  Object.values(hosts)
    .flatMap(host => host.frames.flat())
    .join('\n')

/** Keyword, the task it is about, and what shows that it was heard. */
const INHERITED: readonly (readonly [keyword: string, task: string, heard: (seen: Seen) => boolean])[] = [
  ['when: "false"', 'act: x', seen => status(seen) === 'skipped'],
  ['become: true', 'act: x', seen => Object.values(seen.hosts).every(host => host.shells.join() === 'root')],
  ['environment: {PROXY: p1}', 'act: x', seen => scripts(seen).includes('export PROXY=p1')],
  ['vars: {own: seen}', 'act: "{{ own }}"', seen => scripts(seen).includes('true seen')],
  ['ignore_errors: true', 'act: fail', seen => seen.exit === 0],
  ['no_log: true', 'act: x', seen => JSON.stringify(outcome(seen)).includes('hidden by no_log')],
  ['check_mode: true', 'put: {key: a, value: 1}', seen => status(seen) === 'would_change'],
  ['timeout: 7', 'act: x', seen => scripts(seen).includes('timeout -k 10 7 ')],
  [
    'run_once: true',
    'act: x',
    seen => Object.values(seen.hosts).filter(host => host.frames.length > 0).length === 1,
  ],
  ['module_defaults: {put: {value: d1}}', 'put: {key: a}', seen => seen.hosts['h1']?.keys.get('a') === 'd1'],
  ['throttle: 1', 'act: x', seen => status(seen) === 'changed'],
  ['tags: never', 'act: x', seen => outcome(seen) === undefined],
]

const NOT_ON_PLAYS: typeof INHERITED = [
  ['delegate_to: h1', 'act: x', seen => seen.hosts['h2']?.frames.length === 0],
  ['notify: told', 'act: x', seen => seen.events.some(event => event.type === 'handler_done')],
]

describe('run/keywords', () => {
  const cases = [
    ...INHERITED.flatMap(one => LEVELS.map(level => [level, ...one] as const)),
    ...NOT_ON_PLAYS.flatMap(one => (['block', 'task'] as const).map(level => [level, ...one] as const)),
  ]

  test.each(cases)('on a %s: %s', async (level, keyword, task, heard) => {
    const hosts = { h1: fakeHost(), h2: fakeHost() }
    const { events, exit } = await fakeRun(text(level, keyword, task), hosts)

    expect(heard({ events, exit, hosts })).toBe(true)
  })

  test.each([...INHERITED, ...NOT_ON_PLAYS].filter(([keyword]) => !keyword.startsWith('throttle')))(
    'without it the outcome is another: %s',
    async (keyword, task, heard) => {
      const hosts = { h1: fakeHost(), h2: fakeHost() }
      const plain = task.includes('{{') || task === 'put: {key: a}' ? 'act: x' : task
      const { events, exit } = await fakeRun(text('play', 'order: inventory', plain), hosts)

      expect(heard({ events, exit, hosts }), keyword).toBe(false)
    },
  )

  test('the nearest word wins', async () => {
    const hosts = { h1: fakeHost() }
    await fakeRun(
      '- hosts: all\n  become: true\n  become_user: outer\n  environment: {A: outer, B: outer}\n  tasks:\n    - block:\n        - act: x\n          become_user: inner\n          environment: {A: inner}\n',
      hosts,
    )

    expect(hosts.h1.shells).toEqual(['inner'])
    expect(hosts.h1.frames.flat().join()).toMatch(/export A=inner\nexport B=outer/)
  })

  test('loop_control names the item, its index and what is printed', async () => {
    const { events } = await fakeRun(
      `- hosts: all
  tasks:
    - say: {msg: "{{ pet.name }} {{ at }}"}
      loop: [{name: cat, secret: hiss}, {name: dog, secret: woof}]
      loop_control: {loop_var: pet, index_var: at, label: "{{ pet.name }}"}
`,
      { h: fakeHost() },
    )

    const turns = events.flatMap(event =>
      event.type === 'task_done' ? [[event.result['msg'], event.label]] : [],
    )
    expect(turns).toEqual([
      ['cat 0', 'cat'],
      ['dog 1', 'dog'],
    ])
  })

  test('register of a loop holds the results in order', async () => {
    const { events } = await fakeRun(
      `- hosts: all
  tasks:
    - look: {key: "{{ item }}"}
      loop: [a, b]
      register: r
    - say: {msg: "{{ r.results.1.value }} {{ r.changed }}"}
`,
      { h: fakeHost({ a: '1', b: '2' }) },
    )

    expect(events.findLast(event => event.type === 'task_done')).toMatchObject({ result: { msg: '2 false' } })
  })

  test('a rescue sees what failed', async () => {
    const { events } = await fakeRun(
      `- hosts: all
  tasks:
    - block:
        - {name: bad, act: fail}
      rescue:
        - say: {msg: "{{ ansible_failed_task.name }} {{ ansible_failed_result.rc }}"}
`,
      { h: fakeHost() },
    )

    expect(events.findLast(event => event.type === 'task_done')).toMatchObject({ result: { msg: 'bad 3' } })
  })

  test.each([
    ['end_host', 'h1'],
    ['end_play', undefined],
  ])('meta: %s', async (action, only) => {
    const { events } = await fakeRun(
      `- hosts: all\n  tasks:\n    - meta: ${action}\n${only ? `      when: inventory_hostname == "${only}"\n` : ''}    - {name: after, say: {msg: x}}\n`,
      { h1: fakeHost(), h2: fakeHost() },
    )

    const after = events.flatMap(event => (event.type === 'task_done' ? [event.host] : []))
    expect(after).toEqual(only ? ['h2'] : [])
  })

  test('meta: flush_handlers runs them there and then, reset_connection opens a new one', async () => {
    const host = fakeHost()
    const { tasks } = await fakeRun(
      `- hosts: all
  tasks:
    - {name: one, act: x, notify: told}
    - meta: flush_handlers
    - meta: reset_connection
    - {name: two, act: y}
  handlers:
    - {name: told, say: {msg: told}}
`,
      { h: host },
    )

    expect(tasks.map(([task]) => task)).toEqual(['one', 'told', 'two'])
    expect(host.connections).toBe(2)
  })

  test('force_handlers: false leaves a failed host alone', async () => {
    const text = (forced: string): string =>
      `- hosts: all\n${forced}  tasks:\n    - {name: one, act: x, notify: told}\n    - {name: bad, act: fail}\n  handlers:\n    - {name: told, say: {msg: told}}\n`

    const [left, run] = [
      await fakeRun(text('  force_handlers: false\n'), { h: fakeHost() }),
      await fakeRun(text(''), { h: fakeHost() }),
    ]

    expect(left.tasks.map(([task]) => task)).toEqual(['one', 'bad'])
    expect(run.tasks.map(([task]) => task)).toEqual(['one', 'bad', 'told'])
  })
})
