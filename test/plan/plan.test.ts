import { describe, expect, test } from 'vitest'
import { leaves } from '../../src/plan/leaves.ts'
import { fakeProject } from '../support/fake-run.ts'

const problemsOf = (text: string): string[] =>
  fakeProject(text, ['h1', 'h2']).problems.map(({ code, at }) => `${code} ${at.line}:${at.col}`)

const steps = (text: string) =>
  fakeProject(text, ['h1']).project.plays.flatMap(play =>
    play.sections.flatMap(section => [...leaves(section.items)]),
  )

describe('plan/check', () => {
  test.each([
    [
      'unknown parameter',
      '- hosts: all\n  tasks:\n    - put: {key: a, valeu: 1}\n',
      ['MISSING_PARAM 3:7', 'UNKNOWN_PARAM 3:21'],
    ],
    ['missing parameter', '- hosts: all\n  tasks:\n    - put: {key: a}\n', ['MISSING_PARAM 3:7']],
    ['wrong type', '- hosts: all\n  tasks:\n    - put: {key: [a], value: 1}\n', ['BAD_PARAM 3:18']],
    [
      'undefined variable in an argument',
      '- hosts: all\n  tasks:\n    - put: {key: a, value: "x{{ prot }}"}\n',
      ['UNDEFINED_VAR 3:33'],
    ],
    [
      'undefined variable in a condition',
      '- hosts: all\n  tasks:\n    - say: {msg: a}\n      when: b == 1\n',
      ['UNDEFINED_VAR 4:13'],
    ],
    [
      'missing part of a variable',
      '- hosts: all\n  vars: {web: {port: 1}}\n  tasks:\n    - say: {msg: "{{ web.prot }}"}\n',
      ['UNDEFINED_VAR 4:22'],
    ],
    [
      'condition that gives a text',
      "- hosts: all\n  vars: {port: '80'}\n  tasks:\n    - say: {msg: a}\n      when: [port == '80', port]\n",
      ['NOT_BOOLEAN 5:28'],
    ],
    [
      'condition that gives a text but is never asked',
      "- hosts: all\n  vars: {port: '80'}\n  tasks:\n    - say: {msg: a}\n      when: [port == '', port]\n",
      [],
    ],
    ['bad template', '- hosts: all\n  tasks:\n    - say: {msg: "{{ a | b }}"}\n', ['BAD_TEMPLATE']],
    [
      'missing handler',
      '- hosts: all\n  tasks:\n    - say: {msg: a}\n      notify: restart it\n',
      ['MISSING_HANDLER 4:15'],
    ],
    ['unknown meta action', '- hosts: all\n  tasks:\n    - meta: flush_handler\n', ['BAD_VALUE 3:13']],
    [
      'keyword that nothing acts on, once however many tasks inherit it',
      '- hosts: all\n  become_flags: -H\n  tasks:\n    - say: {msg: a}\n    - say: {msg: b}\n',
      ['UNKNOWN_KEYWORD 2:17'],
    ],
    [
      'keyword that is for the inventory',
      '- hosts: all\n  remote_user: x\n  tasks:\n    - say: {msg: a}\n      port: 2222\n',
      ['UNKNOWN_KEYWORD 2:16', 'UNKNOWN_KEYWORD 5:13'],
    ],
    [
      'keyword that says what the inventory says',
      '- hosts: all\n  remote_user: ops\n  connection: ssh\n  tasks:\n    - say: {msg: a}\n',
      [],
    ],
    [
      'keyword of the play at a task',
      '- hosts: all\n  any_errors_fatal: true\n  tasks:\n    - say: {msg: a}\n    - say: {msg: b}\n      any_errors_fatal: true\n',
      ['UNKNOWN_KEYWORD 6:25'],
    ],
    [
      'loop that ends early',
      '- hosts: all\n  tasks:\n    - say: {msg: a}\n      loop: [1]\n      loop_control: { break_when: item == 1 }\n',
      ['UNKNOWN_KEYWORD 5:35'],
    ],
    [
      'variables that are asked for',
      '- hosts: all\n  vars_prompt: [{ name: word }]\n  vars: { port: "{{ int word }}" }\n  tasks:\n    - say: {msg: "{{ word }} {{ port }}"}\n      when: port > 1\n',
      [],
    ],
    [
      'prompts that are wrong',
      '- hosts: all\n  vars_prompt:\n    - prompt: a\n    - { name: a b }\n    - { name: c, prompt: "{{ x }}" }\n    - { name: d, encrypt: sha512 }\n',
      ['MISSING_KEYWORD 3:7', 'BAD_VALUE 4:15', 'BAD_VALUE 5:26', 'UNKNOWN_KEYWORD 6:18'],
    ],
  ])('%s', (_, text, expected) => {
    const found = problemsOf(text)

    expect(
      found.map((problem, index) =>
        expected[index]?.includes(':') === true ? problem : problem.split(' ')[0],
      ),
    ).toEqual(expected)
  })

  test('all problems come in one go', () => {
    const text =
      '- hosts: all\n  tasks:\n    - put: {kee: a, value: "{{ x }}"}\n    - put: {key: a, value: 1}\n      when: y\n      notify: z\n'

    expect(new Set(problemsOf(text).map(problem => problem.split(' ')[0]))).toEqual(
      new Set(['UNKNOWN_PARAM', 'MISSING_PARAM', 'UNDEFINED_VAR', 'MISSING_HANDLER']),
    )
  })

  test('names that a task registers or sets, loops and the engine give are known', () => {
    const text = `- hosts: all
  tasks:
    - look: {key: a}
      register: r
    - remember: {own: 1}
    - say: {msg: "{{ r.value }} {{ own }} {{ inventory_hostname }} {{ item }}"}
      loop: [1, 2]
`
    expect(problemsOf(text)).toEqual([])
  })

  test('a parameter with a template is left to the run', () => {
    expect(
      problemsOf('- hosts: all\n  vars: {v: 1}\n  tasks:\n    - put: {key: "{{ v }}", value: "{{ v }}"}\n'),
    ).toEqual([])
  })
})

describe('plan/inheritance', () => {
  const text = `- hosts: all
  become: true
  tags: [play]
  when: inventory_hostname == "h1"
  tasks:
    - block:
        - name: inner
          say: {msg: "{{ a }}{{ b }}"}
          tags: own
          when: "true"
          become: false
          vars: {b: 2}
      tags: block
      vars: {a: 1}
`

  test('conditions, tags and variables add up, other keywords are replaced', () => {
    const [step] = steps(text)

    expect(step?.settings.when).toHaveLength(2)
    expect([...(step?.settings.tags ?? [])]).toEqual(['play', 'block', 'own'])
    expect(step?.settings.taskVars.map(({ vars }) => vars.entries[0]?.key.value)).toEqual(['a', 'b'])
    expect(step?.settings.keywords.get('become')).toMatchObject({ value: false })
  })

  test('nothing of it is a problem', () => {
    expect(problemsOf(text)).toEqual([])
  })
})

describe('plan/id', () => {
  test('a task is known by its own id, however it is called and wherever it stands', () => {
    const before = steps('- hosts: all\n  tasks:\n    - { name: a, say: { msg: a }, id: greet }\n')
    const after = steps(
      '- hosts: all\n  tasks:\n    - say: { msg: b }\n    - { name: c, say: { msg: a }, id: greet }\n',
    )

    expect(before.map(({ id }) => id)).toEqual(['greet'])
    expect(after.map(({ id }) => id).at(-1)).toBe('greet')
  })

  test('two tasks cannot have the same one', () => {
    expect(
      problemsOf(
        '- hosts: all\n  tasks:\n    - { say: { msg: a }, id: greet }\n    - { say: { msg: b }, id: greet }\n',
      ),
    ).toEqual(['BAD_VALUE 4:30'])
  })

  test.each(["'{{ x }}'", '7', '[a]', "'two words'"])('%s is none', id => {
    expect(problemsOf(`- hosts: all\n  tasks:\n    - { say: { msg: a }, id: ${id} }\n`)).toEqual([
      'BAD_VALUE 3:30',
    ])
  })
})

describe('plan/module_defaults', () => {
  test('inner levels win, the task wins over all', () => {
    const [step] = steps(`- hosts: all
  module_defaults:
    put: {key: play, value: play, needs: play}
  tasks:
    - block:
        - put: {key: task}
      module_defaults:
        put: {key: block, value: block}
`)

    expect(
      step?.args.kind === 'map' &&
        Object.fromEntries(
          step.args.entries.map(({ key, value }) => [key.text, value.kind === 'scalar' && value.text]),
        ),
    ).toEqual({
      key: 'task',
      value: 'block',
      needs: 'play',
    })
  })
})
