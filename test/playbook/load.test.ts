import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { SourceError } from '../../src/base/error.ts'
import { type Loader, openLoader } from '../../src/playbook/load.ts'
import type { Include, Item, Play, Playbook, Task } from '../../src/playbook/model.ts'
import { missingParams } from '../../src/playbook/role-params.ts'
import { plain } from '../../src/syntax/node.ts'
import { openSources } from '../../src/syntax/files.ts'
import { MODULES } from './modules.ts'

const root = mkdtempSync(join(tmpdir(), 'msingi-playbook-'))
afterAll(() => rmSync(root, { recursive: true }))
let count = 0

interface Loaded {
  readonly dir: string
  readonly playbook: Playbook
  readonly problems: readonly string[]
  readonly loader: Loader
}

function load(
  files: Readonly<Record<string, string>>,
  file = 'site.yml',
  roots: readonly string[] = [],
): Loaded {
  const dir = join(root, String(count++))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), text)
  }
  const found: SourceError[] = []
  const loader = openLoader(openSources(), problem => found.push(problem), {
    knownModules: MODULES,
    roots: roots.map(name => join(dir, name)),
  })
  const playbook = loader.playbook(join(dir, file))
  const problems = found.map(
    ({ code, at }) => `${code} ${at.file.slice(dir.length + 1)}:${at.line}:${at.col}`,
  )
  return { dir, playbook, problems, loader }
}

function firstPlay(loaded: Loaded): Play {
  expect(loaded.problems).toEqual([])
  const [play] = loaded.playbook.plays
  if (!play) throw new Error('expected a play')
  return play
}

function taskOf(text: string): Task {
  const play = firstPlay(
    load({ 'site.yml': `- hosts: all\n  tasks:\n    - ${text.replaceAll('\n', '\n      ')}\n` }),
  )
  const [item] = play.tasks
  if (item?.kind !== 'task') throw new Error('expected a task')
  return item
}

function names(items: readonly Item[]): unknown[] {
  return items.map(item => item.name?.value)
}

describe('playbook/load tasks', () => {
  test.each([
    ['apt: name=fail2ban state=present', 'apt', { name: 'fail2ban', state: 'present' }],
    ['apt: name="a b" state=\'c\'', 'apt', { name: 'a b', state: 'c' }],
    ['copy: content="x\\ny" mode=0644 backup=yes', 'copy', { content: 'x\ny', mode: '0644', backup: 'yes' }],
    [
      'apt: cache_valid_time=3600 update_cache=true version=1.10',
      'apt',
      { cache_valid_time: 3600, update_cache: true, version: '1.10' },
    ],
    ['apt: name={{ a b }}-{{ c }} state=', 'apt', { name: '{{ a b }}-{{ c }}', state: '' }],
    [
      'lineinfile: path=/x regexp=^a\\.b line="a=b c"',
      'lineinfile',
      { path: '/x', regexp: '^a\\.b', line: 'a=b c' },
    ],
    ['debug: hello world', 'debug', 'hello world'],
    ['debug:', 'debug', null],
    ['meta: flush_handlers', 'meta', 'flush_handlers'],
    ['command: ls -l a=b', 'command', 'ls -l a=b'],
    ['command: make creates=/x chdir="/a b"', 'command', { cmd: 'make', creates: '/x', chdir: '/a b' }],
    ['shell: chdir=/x cat < a | grep "b  c"', 'shell', { chdir: '/x', cmd: 'cat < a | grep "b  c"' }],
    ['shell: dd if=/a of=/b removes=/a', 'shell', { cmd: 'dd if=/a of=/b', removes: '/a' }],
    ['shell: echo creates=/x done', 'shell', 'echo creates=/x done'],
    ['shell: >\n  make\n  creates=/x', 'shell', { cmd: 'make', creates: '/x' }],
    ['shell: |\n  creates=1\n  echo $creates', 'shell', 'creates=1\necho $creates\n'],
    ['command: creates=/x', 'command', { creates: '/x' }],
    ['command: ls\nargs: { chdir: /x }', 'command', { cmd: 'ls', chdir: '/x' }],
    ['copy: { dest: /a }\nargs: { dest: /b, mode: 600 }', 'copy', { dest: '/a', mode: 600 }],
    ['copy:\nargs: { dest: /b }', 'copy', { dest: '/b' }],
    ['ansible.builtin.copy: { dest: /a }', 'copy', { dest: '/a' }],
    ['community.general.group: { name: a }', 'group', { name: 'a' }],
    ['ansible.posix.file: path=/a', 'file', { path: '/a' }],
    ['ansible.legacy.command: ls', 'command', 'ls'],
  ])('%j', (text, module, args) => {
    const task = taskOf(text)

    expect(task.module).toBe(module)
    expect(plain(task.args)).toEqual(args)
  })

  test('words of the short form know where they stand', () => {
    const task = taskOf('copy: dest=/a content="x {{ y }}"')
    if (task.args.kind !== 'map') throw new Error('expected a map')
    const [dest, content] = task.args.entries
    if (content?.value.kind !== 'scalar') throw new Error('expected a scalar')

    expect(dest?.key.at).toMatchObject({ line: 3, col: 13, length: 4 })
    expect(dest?.value.at).toMatchObject({ line: 3, col: 18, length: 2 })
    expect(content.value.placeOf(2)).toMatchObject({ line: 3, col: 32 })
  })

  test('keywords, name, key and listeners are told apart', () => {
    const task = taskOf('name: a\nansible.builtin.apt: name=x\nwhen: a\nvars: { b: 1 }\nargs: {}')

    expect(task.name?.value).toBe('a')
    expect(task.moduleKey.value).toBe('ansible.builtin.apt')
    expect([...task.keywords.keys()]).toEqual(['when', 'vars'])
    expect(task.at).toMatchObject({ line: 3, col: 7 })
  })
})

describe('playbook/load plays', () => {
  test('parts of a play are read in their places', () => {
    const play = firstPlay(
      load({
        'site.yml': `- name: p
  hosts: all
  become: yes
  vars: { a: 1 }
  vars_files: [one.yml, vars/two.yml]
  pre_tasks: [{ name: a, debug: }]
  roles: [r]
  tasks:
    - { name: b, debug: }
    - name: block
      block: [{ name: c, debug: }]
      rescue: [{ name: d, debug: }]
      always: [{ name: e, debug: }]
      when: x
  post_tasks: [{ name: f, debug: }]
  handlers:
    - { name: g, debug: , listen: [x, y] }
    - import_tasks: more.yml
`,
        'one.yml': 'b: 2\n',
        'vars/two.yml': '',
        'more.yml': '- { name: h, debug: , listen: z }\n',
        'roles/r/tasks.yml': '- { name: i, debug: }\n',
      }),
    )
    const block = play.tasks[1]

    expect(play.name?.value).toBe('p')
    expect(play.vars && plain(play.vars)).toEqual({ a: 1 })
    expect(play.varsFiles.map(plain)).toEqual([{ b: 2 }])
    expect([...play.keywords.keys()]).toEqual(['become'])
    expect([names(play.preTasks), names(play.tasks), names(play.postTasks)]).toEqual([
      ['a'],
      ['b', 'block'],
      ['f'],
    ])
    expect(play.roles.map(use => names(use.role.tasks))).toEqual([['i']])
    expect(names(play.handlers)).toEqual(['g', 'h'])
    expect(play.handlers.map(handler => handler.listen.map(topic => topic.value))).toEqual([
      ['x', 'y'],
      ['z'],
    ])
    if (block?.kind !== 'block') throw new Error('expected a block')
    expect([names(block.body), names(block.rescue), names(block.always)]).toEqual([['c'], ['d'], ['e']])
    expect([...block.keywords.keys()]).toEqual(['when'])
  })

  test('an imported playbook stands in the place of the import, under its keywords', () => {
    const loaded = load({
      'site.yml':
        '- hosts: a\n- import_playbook: sub/b.yml\n  tags: x\n  when: [p, q]\n  vars: { v: 1, w: 2 }\n- hosts: c\n',
      'sub/b.yml':
        '- hosts: b\n  tags: [y]\n  when: r\n  vars: { v: 3, z: 4 }\n  vars_files: v.yml\n  roles: [near]\n',
      'sub/v.yml': 'a: 1\n',
      'sub/roles/near/tasks.yml': '- debug:\n',
    })
    const [, play] = loaded.playbook.plays

    expect(loaded.problems).toEqual([])
    expect(loaded.playbook.plays.map(({ hosts }) => plain(hosts))).toEqual(['a', 'b', 'c'])
    expect(play?.file).toBe(join(loaded.dir, 'sub/b.yml'))
    expect(play?.vars && plain(play.vars)).toEqual({ v: 1, w: 2, z: 4 })
    expect(['tags', 'when'].map(word => plain(play?.keywords.get(word) ?? fail(word)))).toEqual([
      ['x', 'y'],
      ['p', 'q', 'r'],
    ])
  })
})

describe('playbook/load includes', () => {
  test('files are found beside the including file, in the role, beside the playbook', () => {
    const play = firstPlay(
      load({
        'site.yml': '- hosts: all\n  roles: [r]\n  tasks:\n    - include_tasks: sub/a.yml\n',
        'sub/a.yml': '- import_tasks: b.yml\n- import_tasks: c.yml\n',
        'sub/b.yml': '- { name: beside, debug: }\n',
        'c.yml': '- { name: playbook, debug: }\n',
        'roles/r/tasks.yml': '- import_tasks: d.yml\n- import_tasks: e.yml\n- import_tasks: c.yml\n',
        'roles/r/tasks/d.yml': '- { name: role tasks, debug: }\n',
        'roles/r/e.yml': '- { name: role, debug: }\n',
      }),
    )

    expect(flatten(play.tasks)).toEqual(['beside', 'playbook'])
    expect(flatten(play.roles[0]?.role.tasks ?? [])).toEqual(['role tasks', 'role', 'playbook'])
  })

  test('roles are found beside the playbook, in the project, beside the calling role', () => {
    const play = firstPlay(
      load(
        {
          'playbooks/site.yml': '- hosts: all\n  roles: [one, two]\n',
          'playbooks/roles/one/tasks.yml': '- { name: one, debug: }\n',
          'roles/two/tasks.yml': '- import_role: { name: three, tasks_from: other.yml }\n  vars: { p: 1 }\n',
          'roles/three/tasks/other.yml': '- { name: three, debug: }\n',
        },
        'playbooks/site.yml',
        ['.'],
      ),
    )
    const include = play.roles[1]?.role.tasks[0] as Include

    expect(play.roles.map(use => flatten(use.role.tasks))).toEqual([['one'], ['three']])
    expect(
      include.content?.kind === 'role' && include.content.params && plain(include.content.params),
    ).toEqual({ p: 1 })
  })

  test('a default may lie in a file of its own', () => {
    const play = firstPlay(
      load({
        'site.yml': '- hosts: all\n  roles: [base]\n',
        'roles/base/role.yml':
          'summary: x\nparams:\n  systems: { type: map, default_file: data/systems.yml, describe: Dates. }\n',
        'roles/base/data/systems.yml': 'debian: { eol: 2028-06-30 }\n',
      }),
    )
    const [use] = play.roles
    const [param] = use?.kind === 'role' ? use.role.signature.params : []

    expect(param?.default && plain(param.default)).toEqual({ debian: { eol: '2028-06-30' } })
  })

  test("Ansible's layout of a role is read, its defaults as parameters of any type", () => {
    const play = firstPlay(
      load({
        'site.yml': '- hosts: all\n  roles: [{ role: old, port: 1, x: 2, tags: t }]\n',
        'roles/old/tasks/main.yml': '- { name: t, debug: }\n',
        'roles/old/handlers/main.yaml': '- { name: h, debug: }\n',
        'roles/old/defaults/main.yml': 'size: 1\n',
      }),
    )
    const [use] = play.roles

    expect(use && [names(use.role.tasks), names(use.role.handlers)]).toEqual([['t'], ['h']])
    expect(use?.role.signature.params).toMatchObject([{ name: 'size', type: 'any', default: { value: 1 } }])
    expect(use?.params && plain(use.params)).toEqual({ x: 2 })
    expect([...(use?.keywords.keys() ?? [])]).toEqual(['port', 'tags'])
  })

  test('a signature is read whole; a parameter wins over a keyword of its name', () => {
    const play = firstPlay(
      load({
        'site.yml': '- hosts: all\n  roles: [{ name: web, port: 8080, vars: { wait: 5m } }]\n',
        'roles/web/role.yml': `summary: Serves.
answers: [security, updates]
supports: debian
params:
  port: { type: integer, default: 80, min: 1, max: 65535, describe: Where. }
  wait: { type: duration, min: 1m, max: 1h, required: yes, secret: true }
`,
      }),
    )
    const [use] = play.roles

    expect(use?.role.signature).toMatchObject({
      summary: 'Serves.',
      answers: ['security', 'updates'],
      supports: ['debian'],
      params: [
        { name: 'port', type: 'integer', required: false, min: 1, max: 65535, describe: 'Where.' },
        { name: 'wait', type: 'duration', required: true, secret: true, min: 60, max: 3600 },
      ],
    })
    expect(use?.params && plain(use.params)).toEqual({ port: 8080, wait: '5m' })
  })

  test('a required parameter that nobody gives is told with the place of the call', () => {
    const play = firstPlay(
      load({
        'site.yml': '- hosts: all\n  roles: [{ role: web, a: 1 }]\n',
        'roles/web/role.yml':
          'params:\n  a: { type: any, required: true }\n  b: { type: any, required: true }\n  c: { type: any, required: true }\n',
      }),
    )
    const [use] = play.roles
    if (!use) throw new Error('expected a role')

    const problems = missingParams(use, name => name === 'b')

    expect(problems.map(({ code, at }) => `${code} ${at.line}:${at.col}`)).toEqual([
      'MISSING_ROLE_PARAM 2:11',
    ])
    expect(problems[0]?.related).toMatchObject([{ line: 4, col: 3 }])
  })

  test('an include with a template is loaded once its name is known', () => {
    const loaded = load({
      'site.yml':
        "- hosts: all\n  tasks:\n    - include_tasks: '{{ x }}.yml'\n    - include_role: { name: '{{ r }}' }\n",
      'a.yml': '- { name: a, debug: }\n',
      'roles/web/tasks.yml': '- { name: web, debug: }\n',
    })
    const [tasks, role] = firstPlay(loaded).tasks as Include[]
    if (!tasks || !role) throw new Error('expected two includes')

    expect([tasks.content, role.content]).toEqual([undefined, undefined])
    const found = loaded.loader.include(tasks, 'a.yml', undefined)
    expect(found.content?.kind === 'tasks' && names(found.content.items)).toEqual(['a'])
    const called = loaded.loader.include(role, 'web', undefined)
    expect(called.content?.kind === 'role' && names(called.content.role.tasks)).toEqual(['web'])
    const missing = loaded.loader.include(tasks, 'b.yml', undefined)
    expect(missing.content).toBeUndefined()
    expect(missing.problems.map(({ code, at }) => `${code} ${at.line}:${at.col}`)).toEqual([
      'MISSING_FILE 3:22',
    ])
  })
})

function flatten(items: readonly Item[]): unknown[] {
  return items.flatMap(item => {
    if (item.kind !== 'include') return [item.name?.value]
    if (item.content === undefined) return ['?']
    return flatten(item.content.kind === 'tasks' ? item.content.items : item.content.role.tasks)
  })
}

function fail(word: string): never {
  throw new Error(`expected the keyword ${word}`)
}
