import { describe, expect, test } from 'vitest'
import type { Mode } from '../../src/base/event.ts'
import { fakeConnect, fakeHost } from '../support/fake-session.ts'
import { eventsOf, opened, problemsOf, sayings } from '../support/whole-project.ts'

const SORT = '- hosts: all\n  tasks:\n    - group_by: { key: "is_{{ kind }}", parents: colours }\n'
const ADD =
  '- hosts: h2\n  tasks:\n    - add_host: { name: "new-{{ kind }}", groups: fresh, ansible_host: 10.0.0.9, from: "{{ kind }} {{ \'{{ x }}\' }}" }\n'
const say = (hosts: string, text: string): string =>
  `- hosts: ${hosts}\n  tasks: [{ debug: { msg: '${text}' } }]\n`

/** Runs a playbook without a connection; returns what its debug tasks said and the places of warnings. */
async function played(
  playbook: string,
  files: Readonly<Record<string, string>> = {},
  mode: Mode = 'plan',
): Promise<{ said: readonly string[]; warnings: readonly string[]; grown: readonly string[] }> {
  const grown: string[] = []
  const events = await eventsOf(opened(playbook, files), fakeConnect({ h1: fakeHost() }), {
    mode,
    onGrown: ({ hosts }) =>
      grown.push(...[...hosts.values()].map(({ name, reach }) => `${name} ${reach.host}`)),
  })
  const warnings = events.flatMap(event => (event.type === 'warning' ? [event.at ?? ''] : []))
  return { said: sayings(events), warnings, grown }
}

describe.each(['plan', 'apply'] as const)('run/newcomers, %s', mode => {
  test('a group that hosts are put into has them in later plays, with its variables', async () => {
    const files = { 'inv/group_vars/is_red.yml': 'colour: crimson\n' }
    const { said } = await played(
      SORT +
        say('is_red', '{{ colour }} {{ join group_names "+" }}') +
        say('colours', '{{ length groups.is_blue }}'),
      files,
      mode,
    )

    expect(said.toSorted()).toEqual(['h1: 1', 'h1: crimson colours+is_red', 'h2: 1'])
  })

  test('a host that is added is reached as it says, and its variables are values', async () => {
    const { said, grown } = await played(
      ADD + say('fresh', '{{ from }} {{ hostvars.h1.kind }}') + say('h1', '{{ hostvars.new-blue.from }}'),
      {},
      mode,
    )

    expect(said).toEqual(['new-blue: blue {{ x }} red', 'h1: blue {{ x }}'])
    expect(grown).toEqual(['h1 h1', 'h2 h2', 'new-blue 10.0.0.9'])
  })
})

describe('run/newcomers', () => {
  test('a play for which nobody was added says so', async () => {
    const { said, warnings } = await played(
      `- hosts: h1\n  tasks: [{ add_host: { name: n, groups: fresh }, when: kind == "green" }]\n${say('fresh', 'x')}`,
    )

    expect(said).toEqual([])
    expect(warnings).toHaveLength(1)
  })

  test('hosts that hang on what a plan cannot know are said to be unknown', async () => {
    const { said, warnings } = await played(
      `- hosts: h1\n  tasks:\n    - { shell: make, register: made }\n    - add_host: { name: n, groups: fresh }\n      when: made.rc == 0\n${say('fresh', 'x')}`,
    )

    expect(said).toEqual([])
    expect(warnings).toEqual([expect.stringContaining('site.yml:6:3')])
  })

  test('a group that no task can make is a mistake, before and after the tasks that make others', () => {
    expect(problemsOf(say('fresh', 'x') + ADD)).toEqual(['NO_HOSTS 1:10'])
    expect(problemsOf(ADD + say('other', 'x'))).toEqual(['NO_HOSTS 4:10'])
    expect(problemsOf(SORT + say('is_green', 'x'))).toEqual([])
  })

  test('a variable that no host of the play can have is a mistake; one that a group may bring is none', () => {
    expect(problemsOf(ADD + say('fresh', '{{ from }} {{ nobody }}'))).toEqual(['UNDEFINED_VAR 5:42'])
    expect(problemsOf(SORT + say('all', '{{ colour }}'))).toHaveLength(1)
    expect(
      problemsOf(SORT + say('all', '{{ colour }}'), { 'inv/group_vars/is_red.yml': 'colour: x\n' }),
    ).toEqual([])
  })
})
