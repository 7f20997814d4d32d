import { expect, test } from 'vitest'
import { fakeConnect } from '../support/fake-session.ts'
import { opened, problemsOf, said } from '../support/whole-project.ts'

const FILES = {
  'vars/red.yml': 'port: 1\nurl: "http://{{ inventory_hostname }}:{{ port }}"\n',
  'vars/blue.yml': 'port: 2\n',
  'vars/app/1.yml': 'x: 1\ny: 1\n',
  'vars/app/2.json': '{ "y": "{{ port }}" }\n',
}
const tasks = (...lines: readonly string[]): string =>
  `- hosts: all\n  vars: { port: 0 }\n  tasks:\n${lines.map(line => `    - ${line}\n`).join('')}`

test('variables of a file are seen from then on, with the names around them, above those of the play', async () => {
  const playbook = tasks(
    'debug: { msg: "{{ port }}" }',
    'include_vars: "{{ kind }}.yml"',
    'debug: { msg: "{{ port }}" }',
    '{ debug: { msg: "{{ url }}" }, when: kind == "red" }',
  )

  const all = await said(opened(playbook, FILES), fakeConnect({}))

  expect(all.toSorted()).toEqual(['h1: 0', 'h1: 1', 'h1: http://h1:1', 'h2: 0', 'h2: 2'])
})

test('files of a folder add up, the later ones win, and a name holds them together', async () => {
  const playbook = tasks(
    'include_vars: { dir: app, name: app }',
    'debug: { msg: "{{ app.x }} {{ app.y }} {{ port }}" }',
  )

  expect(await said(opened(playbook, FILES), fakeConnect({}))).toContain('h1: 1 0 0')
})

test('what no file sets that a name may come to is a mistake, and so is a file that is wrong or missing', () => {
  const check = (...lines: readonly string[]): readonly string[] =>
    problemsOf(tasks(...lines), { ...FILES, 'vars/list.yml': '- a\n' })

  expect(check('include_vars: "{{ kind }}.yml"', 'debug: { msg: "{{ url }}" }')).toEqual([])
  expect(check('include_vars: "x{{ kind }}.yml"', 'debug: { msg: "{{ url }}" }')).toEqual([
    'UNDEFINED_VAR 5:25',
  ])
  expect(check('include_vars: missing.yml')).toEqual(['MISSING_FILE 4:21'])
  expect(check('include_vars: list.yml')).toEqual(['BAD_VALUE 1:1'])
})
