import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { SourceError } from '../../src/base/error.ts'
import { modules } from '../../src/modules/registry.gen.ts'
import { checkRole } from '../../src/plan/check-roles.ts'
import { openLoader } from '../../src/playbook/load.ts'
import { openSources } from '../../src/syntax/files.ts'
import { ROOT } from '../support/source-tree.ts'

type Files = Readonly<Record<string, string>>

const SIGNATURE = 'summary: A role.\nparams:\n  port: { type: integer, default: 80, describe: Port. }\n'

/** Returns code and place of everything that is wrong with the role \`web\`. */
function problemsOf(files: Files): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'msingi-'))
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, 'roles/web', name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  const problems: SourceError[] = []
  const onProblem = (problem: SourceError): void => {
    problems.push(problem)
  }
  const loader = openLoader(openSources(), onProblem, { knownModules: new Set(modules.keys()) })
  for (const entries of loader.roles(join(folder, 'roles'))) checkRole(entries, { modules, onProblem })
  return problems.map(
    ({ code, at }) => `${code} ${relative(join(folder, 'roles/web'), at.file)}:${at.line}:${at.col}`,
  )
}

/** A role with these tasks, of which the port is used. */
function role(tasks: string, more: Files = {}): Files {
  return { 'role.yml': SIGNATURE, 'tasks.yml': `- debug: { msg: '{{ port }}' }\n${tasks}`, ...more }
}

describe('plan/check-roles', () => {
  test.each<[string, Files]>([
    ['parameters', role('')],
    [
      'what a task registers',
      role('- stat: { path: / }\n  register: root\n- debug: { msg: "{{ root.stat.mode }}" }\n'),
    ],
    ['what a task sets', role('- set_fact: { own: 1 }\n- debug: { msg: "{{ own }}" }\n')],
    ['variables of a task', role('- debug: { msg: "{{ a }}" }\n  vars: { a: "{{ port }}" }\n')],
    [
      'variables of loops',
      role(
        '- debug: { msg: "{{ one }} {{ n }}" }\n  loop: [1]\n  loop_control: { loop_var: one, index_var: n }\n',
      ),
    ],
    ['what the engine sets', role('- debug: { msg: "{{ inventory_hostname }} {{ facts.os.id }}" }\n')],
    [
      'parameters in a template that is chosen at run time',
      {
        'role.yml': SIGNATURE,
        'tasks.yml': '- template: { src: "{{ inventory_hostname }}.hbs", dest: /a }\n',
        'templates/one.hbs': '{{port}}\n',
      },
    ],
    [
      'parameters in the default of another',
      {
        'role.yml': `${SIGNATURE}  url: { type: string, default: 'http://x:{{ port }}', describe: Address. }\n`,
        'tasks.yml': '- debug: { msg: "{{ url }}" }\n',
      },
    ],
    [
      'parameters in another file of tasks',
      {
        'role.yml': SIGNATURE,
        'tasks.yml': '- ping:\n',
        'tasks/remove.yml': '- debug: { msg: "{{ port }}" }\n',
      },
    ],
    [
      'parameters in a task that is left out unless it is asked for',
      { 'role.yml': SIGNATURE, 'tasks.yml': '- debug: { msg: "{{ port }}" }\n  tags: never\n' },
    ],
  ])('finds nothing wrong with %s', (_, files) => {
    expect(problemsOf(files)).toEqual([])
  })

  test.each<[string, Files, readonly string[]]>([
    ['in a task', role('- debug: { msg: "{{ prot }}" }\n'), ['UNDECLARED_VAR tasks.yml:2:21']],
    ['in a condition', role('- ping:\n  when: prot > 1\n'), ['UNDECLARED_VAR tasks.yml:3:9']],
    [
      'that may be undefined',
      role('- debug: { msg: "{{default prot 1}}" }\n'),
      ['UNDECLARED_VAR tasks.yml:2:28'],
    ],
    [
      'in a template',
      role('- template: { src: a.hbs, dest: /a }\n', { 'templates/a.hbs': 'a\n{{prot}}\n' }),
      ['UNDECLARED_VAR templates/a.hbs:2:3'],
    ],
    [
      'in a handler',
      role('', { 'handlers.yml': '- name: h\n  debug: { msg: "{{ prot }}" }\n' }),
      ['UNDECLARED_VAR handlers.yml:2:21'],
    ],
    [
      'in the name of an include',
      role('- include_tasks: "{{ prot }}.yml"\n'),
      ['UNDECLARED_VAR tasks.yml:2:22'],
    ],
    [
      'in what is given to another role',
      role('- import_role: { name: other }\n  vars: { a: "{{ prot }}" }\n', {
        '../other/role.yml': 'summary: Another.\nparams: { a: { type: any, describe: A. } }\n',
        '../other/tasks.yml': '- debug: { msg: "{{ a }}" }\n',
      }),
      ['UNDECLARED_VAR tasks.yml:3:18'],
    ],
  ])('finds a variable that nobody declares %s', (_, files, expected) => {
    expect(problemsOf(files)).toEqual(expected)
  })

  test('finds parameters that nothing uses', () => {
    expect(problemsOf({ 'role.yml': SIGNATURE, 'tasks.yml': '- ping:\n' })).toEqual([
      'UNUSED_PARAM role.yml:3:3',
    ])
  })

  test('wants to know what the role and its parameters are for', () => {
    const files = {
      'role.yml': 'params:\n  port: { type: integer }\n',
      'tasks.yml': '- debug: { msg: "{{ port }}" }\n',
    }

    expect(problemsOf(files)).toEqual(['MISSING_KEYWORD role.yml:1:1', 'MISSING_KEYWORD role.yml:2:3'])
  })

  test('finds what is wrong with parameters of modules', () => {
    expect(problemsOf(role('- file: { path: /a, state: dir }\n'))).toEqual(['BAD_PARAM tasks.yml:2:28'])
  })

  test('finds nothing wrong with the roles of the repository', () => {
    const problems: SourceError[] = []
    const onProblem = (problem: SourceError): void => {
      problems.push(problem)
    }
    const loader = openLoader(openSources(), onProblem, { knownModules: new Set(modules.keys()) })
    const roles = loader.roles(join(ROOT, 'roles'))
    for (const entries of roles) checkRole(entries, { modules, onProblem })

    expect(roles.length).toBeGreaterThan(0)
    expect(problems.map(({ code, at }) => `${code} ${relative(ROOT, at.file)}:${at.line}`)).toEqual([])
  })
})
