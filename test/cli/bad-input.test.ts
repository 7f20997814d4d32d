import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { many } from './support/in-one-process.ts'
import type { Outcome } from './support/many.ts'

/** Files by path; `▸` stands before the place that must be named and is not part of the text. */
type Files = Readonly<Record<string, string>>

/** A title, the code that must be named, the project, and what the help must hold. */
type Row = readonly [title: string, code: string, files: Files, near?: string]

const tasks = (text: string, more: Files = {}): Files => ({
  'site.yml': `- hosts: all\n  tasks:\n${text.replaceAll(/^/gm, '    ')}\n`,
  ...more,
})

const BAD: readonly Row[] = [
  ['a flow list that is not closed', 'YAML_SYNTAX', tasks('- debug: { msg: [a, b ▸}')],
  ['a text that goes on after its quote', 'YAML_SYNTAX', tasks('- debug: { msg: "a" ▸b }')],
  ['a tab that indents', 'YAML_TAB', { 'site.yml': '- hosts: all\n  tasks:\n▸\t- ping:\n' }],
  ['a key twice', 'DUPLICATE_KEY', tasks('- debug:\n    msg: a\n    ▸msg: b')],
  ['a keyword nobody knows', 'UNKNOWN_KEYWORD', tasks('- ping:\n  ▸notfy: x'), 'notify'],
  [
    'a keyword of a play nobody knows',
    'UNKNOWN_KEYWORD',
    { 'site.yml': '- hosts: all\n  ▸taks: []\n' },
    'tasks',
  ],
  ['a module nobody knows', 'UNKNOWN_MODULE', tasks('- ▸lineinfle: { path: /a, line: b }'), 'lineinfile'],
  ['a prefixed module nobody knows', 'UNKNOWN_MODULE', tasks('- ▸ansible.builtin.tempalte: {}'), 'template'],
  ['a parameter nobody knows', 'UNKNOWN_PARAM', tasks('- file: { path: /a, ▸stat: touch }'), 'state'],
  ['a parameter that is missing', 'MISSING_PARAM', tasks('- ▸copy: { content: x }')],
  ['a value of the wrong type', 'BAD_PARAM', tasks('- copy: { content: x, dest: /a, backup: ▸maybe }')],
  ['a word that is not among those expected', 'BAD_PARAM', tasks('- file: { path: /a, state: ▸dir }')],
  ['a mode that is no octal number', 'BAD_MODE', tasks("- file: { path: /a, state: touch, mode: ▸'0698' }")],
  ['a mode that is decimal', 'BAD_MODE', tasks('- file: { path: /a, state: touch, mode: ▸493.5 }')],
  [
    'a variable nobody set',
    'UNDEFINED_VAR',
    tasks("- debug: { msg: 'port {{ ▸prot }}' }", {
      'group_vars/all.yml': 'port: 80\n',
    }),
    'port',
  ],
  [
    'a variable in a template nobody set',
    'UNDEFINED_VAR',
    tasks('- template: { src: a.hbs, dest: /a }', {
      'templates/a.hbs': 'one\nport {{ ▸prot }}\n',
    }),
  ],
  [
    'a role that is not there',
    'MISSING_ROLE',
    {
      'site.yml': '- hosts: all\n  roles: [▸wbe]\n',
      'roles/web/role.yml': 'summary: A role.\n',
      'roles/web/tasks.yml': '[]\n',
    },
    'web',
  ],
  [
    'a template that is not there',
    'MISSING_TEMPLATE',
    tasks('- template: { src: ▸b.hbs, dest: /a }', { 'templates/a.hbs': '' }),
  ],
  [
    'a file that is not there',
    'MISSING_FILE',
    tasks('- copy: { src: ▸app.cnf, dest: /a }', { 'files/app.conf': '' }),
  ],
  [
    'a file of tasks that is not there',
    'MISSING_FILE',
    tasks('- import_tasks: ▸mroe.yml', { 'more.yml': '[]\n' }),
    'more.yml',
  ],
  [
    'a handler that is not there',
    'MISSING_HANDLER',
    {
      'site.yml':
        '- hosts: all\n  tasks:\n    - ping:\n      notify: ▸restart ap\n  handlers:\n    - name: restart app\n      debug:\n',
    },
    'restart app',
  ],
  ['a condition that is no CEL', 'BAD_CONDITION', tasks('- ping:\n  when: 1 +▸')],
  [
    'a condition with a function nobody knows',
    'UNKNOWN_HELPER',
    tasks("- ping:\n  when: ▸sizze('a') > 1"),
    'size',
  ],
  ['a condition that is not true or false', 'NOT_BOOLEAN', tasks('- ping:\n  when: ▸1 + 1')],
  [
    'a condition that is a text',
    'NOT_BOOLEAN',
    tasks('- ping:\n  when: ▸port', { 'group_vars/all.yml': "port: '80'\n" }),
  ],
  [
    'a variable in a condition nobody set',
    'UNDEFINED_VAR',
    tasks('- ping:\n  when: ▸prot == 80', { 'group_vars/all.yml': 'port: 80\n' }),
    'port',
  ],
  ['a text template that is not closed', 'BAD_TEMPLATE', tasks("- debug: { msg: 'a ▸{{ b' }")],
  [
    'a block of a template that is not closed',
    'BAD_TEMPLATE',
    tasks('- template: { src: a.hbs, dest: /a }', {
      'templates/a.hbs': 'one\n▸{{#if inventory_hostname}}\ntwo\n',
    }),
  ],
  [
    'a helper nobody knows',
    'UNKNOWN_HELPER',
    tasks("- debug: { msg: '{{ ▸uper inventory_hostname }}' }"),
    'upper',
  ],
  [
    'a file that includes itself',
    'RECURSIVE_INCLUDE',
    tasks('- import_tasks: one.yml', {
      'one.yml': '- import_tasks: two.yml\n',
      'two.yml': '- import_tasks: ▸one.yml\n',
    }),
  ],
  [
    'groups that hold each other',
    'CIRCULAR_GROUP',
    {
      ...tasks('- ping:'),
      'groups.yml':
        'all:\n  children:\n    a:\n      children:\n        b:\n          children: { ▸a: {} }\n',
    },
  ],
  [
    'variables that hold each other',
    'RECURSIVE_VAR',
    tasks("- debug: { msg: '{{ one }}' }", { 'group_vars/all.yml': "one: ▸'{{ two }}'\ntwo: '{{ one }}'\n" }),
  ],
  ['a pattern that matches nothing', 'NO_HOSTS', { 'site.yml': '- hosts: ▸wbe\n  tasks: []\n' }],
]

const folder = mkdtempSync(join(tmpdir(), 'msingi-bad-input-'))
let connections = 0
let server: Server
let outcomes: readonly Outcome[]

beforeAll(async () => {
  server = createServer(socket => {
    connections += 1
    socket.end('this is no sshd\n')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  for (const [index, [, , files]] of BAD.entries()) write(join(folder, String(index)), port, files)
  outcomes = await many(
    BAD.map((row, index) => argv(row, index)),
    folder,
  )
}, 60_000)
afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true })
})

describe('bad input', () => {
  test.each(BAD.map((row, index) => [row[0], row, index] as const))(
    '%s',
    (_, [, code, files, near], index) => {
      const { code: exit, stdout, stderr } = outcomes[index] ?? { stderr: '' }
      expect({ exit, stdout, problems: problems(stderr) }).toEqual({
        exit: 4,
        stdout: '',
        problems: [`${code} ${place(index, files)}`],
      })
      if (near !== undefined) expect(stderr).toContain(`did you mean \`${near}\`?`)
    },
  )

  test('nothing of it is contacted, and a good project is', async () => {
    const before = connections
    write(join(folder, 'good'), (server.address() as AddressInfo).port, tasks('- ping:\n- command: "true"'))
    const [good] = await many([['apply', 'good/site.yml', '-i', 'good/hosts.yml', '-T', '5']], folder)

    expect(before).toBe(0)
    expect(good?.code).toBe(3)
    expect(connections).toBeGreaterThan(0)
  })
})

/** Every mode must refuse, so they take turns. */
function argv([, , files]: Row, index: number): readonly string[] {
  const command = ['apply', 'plan', 'drift', 'lint'][index % 4] ?? 'apply'
  const groups = 'groups.yml' in files ? ['-i', `${index}/groups.yml`] : []
  return [command, `${index}/site.yml`, '-i', `${index}/hosts.yml`, ...groups]
}

function write(dir: string, port: number, files: Files): void {
  const host = `all: { hosts: { web1: { ansible_host: 127.0.0.1, ansible_port: ${port} } } }\n`
  for (const [path, text] of Object.entries({ 'hosts.yml': host, ...files })) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text.replace('▸', ''))
  }
}

/** Returns the place of the mark as it is printed. */
function place(index: number, files: Files): string {
  for (const [path, text] of Object.entries(files)) {
    const before = text.split('▸')
    if (before.length === 1) continue
    const rows = (before[0] ?? '').split('\n')
    return `${index}/${path}:${rows.length}:${(rows.at(-1) ?? '').length + 1}`
  }
  throw new Error('no mark')
}

function problems(stderr: string): readonly string[] {
  return [...stderr.matchAll(/^error\[(\w+)\] .*\n *--> (.*)$/gm)].map(([, code, at]) => `${code} ${at}`)
}
