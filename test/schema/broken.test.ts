import { describe, expect, test } from 'vitest'
import { faults } from './support.ts'

const task = (text: string): string => `- hosts: all\n  tasks:\n    - ${text}\n`

describe('schema refuses', () => {
  test.each([
    ['a keyword of a play nobody knows', '- hosts: all\n  taks: []\n'],
    ['a play without hosts', '- tasks: []\n'],
    ['a playbook that is a map', 'hosts: all\n'],
    ['tasks that are no list', '- hosts: all\n  tasks: { ping: }\n'],
    ['a list of hosts that is empty', '- hosts: []\n'],
    ['a strategy nobody knows', '- hosts: all\n  strategy: quick\n'],
    ['batches that are no number', '- hosts: all\n  serial: some\n'],
    ['a variable with a dash', '- hosts: all\n  vars: { a-b: 1 }\n'],
    ['a template for a file of variables', "- hosts: all\n  vars_files: ['{{ x }}.yml']\n"],
    ['a prompt without a name', '- hosts: all\n  vars_prompt: [{ prompt: What? }]\n'],
    ['a role without a name', '- hosts: all\n  roles: [{ port: 80 }]\n'],
    ['an import of a playbook with tasks', '- import_playbook: a.yml\n  tasks: []\n'],
    ['a module nobody knows', task('lineinfle: { path: /a, line: b }')],
    ['a prefixed module nobody knows', task('ansible.builtin.tempalte: { src: a, dest: /a }')],
    ['two modules', task('{ ping: , debug: { msg: a } }')],
    ['two modules, one of them with a prefix', task('{ ping: , ansible.builtin.debug: { msg: a } }')],
    ['no module', task('name: nothing')],
    ['a parameter nobody knows', task('file: { path: /a, stat: touch }')],
    ['a parameter of a module with a prefix nobody knows', task('ansible.builtin.file: { path: /a, stat: touch }')],
    ['a word that is not among those expected', task('file: { path: /a, state: dir }')],
    ['a list where a text is expected', task('file: { path: [/a], state: touch }')],
    ['a text that is no parameters', task('file: quickly')],
    ['a keyword nobody knows', task('{ ping: , notfy: x }')],
    ['a keyword of another level', task('{ ping: , serial: 1 }')],
    ['a flag that is none', task('{ ping: , become: perhaps }')],
    ['a condition that is a map', task('{ ping: , when: { a: b } }')],
    ['a condition that is empty', task("{ ping: , when: '' }")],
    ['a loop that is a word', task('{ ping: , loop: words }')],
    ['a name to register that is none', task('{ ping: , register: a b }')],
    ['a key of loop_control nobody knows', task('{ ping: , loop: [1], loop_control: { loopvar: a } }')],
    ['an action of meta nobody knows', task('meta: flush_handler')],
    ['a rescue without a block', task('rescue: [{ ping: }]')],
    ['a mistake inside of a block', task('block: [{ pong: }]')],
    ['a loop over an import', task('{ import_tasks: a.yml, loop: [1] }')],
    ['an include of nothing', task('include_role: { tasks_from: a }')],
    ['a key of an include nobody knows', task('include_role: { name: a, public: true }')],
    ['a topic on a task', task('{ ping: , listen: a }')],
    ['a block among the handlers', '- hosts: all\n  handlers: [{ block: [] }]\n'],
  ])('%s', (_, text) => {
    expect(faults('playbook', text)).not.toEqual([])
  })

  test.each([
    ['a type nobody knows', 'params: { a: { type: str } }'],
    ['a parameter without a type', 'params: { a: { default: 1 } }'],
    ['a keyword nobody knows', 'description: x'],
    ['a bound that is no number', 'params: { a: { type: integer, min: few } }'],
    ['a parameter with a dash', 'params: { a-b: { type: string } }'],
  ])('as a signature %s', (_, text) => {
    expect(faults('role', text)).not.toEqual([])
  })

  test.each([
    ['hosts without a group', 'hosts: { a: }'],
    ['a group that is a list', 'all: [a]'],
    ['a key of a group nobody knows', 'all: { host: { a: } }'],
    ['a port that is none', 'all: { hosts: { a: { ssh: { port: 70000 } } } }'],
    ['a key of ssh nobody knows', 'all: { ssh: { users: a } }'],
    ['a connection nobody knows', 'all: { children: { web: { connection: telnet } } }'],
    ["a port under Ansible's name that is none", 'all: { hosts: { a: { ansible_port: many } } }'],
  ])('as an inventory %s', (_, text) => {
    expect(faults('inventory', text)).not.toEqual([])
  })
})

describe('schema lets pass', () => {
  test.each([
    ['templates in the place of values', task("file: { path: '{{ p }}', state: '{{ s }}', mode: '{{ m }}', recurse: '{{ r }}' }")],
    ['templates inside of lists', task("{ command: { argv: ['a', '{{ x }}'] }, become: '{{ b }}', loop: '{{ l }}' }")],
    ['the short form', task('apt: name=cron state=present')],
    ['a bare text', task('command: uptime -p')],
    ['parameters under args', task('{ copy: , args: { src: a, dest: /a } }')],
    ['prefixes', task('ansible.builtin.apt: { name: cron }')],
    ['a block with everything', task('{ block: [{ ping: }], rescue: [{ ping: }], always: , when: x, tags: a }')],
    ['parameters of a role', '- hosts: all\n  roles: [web, { role: web, port: 80, timeout: 10m, when: x }]\n'],
    ['an identity', task('{ ping: , id: look-1 }')],
  ])('%s', (_, text) => {
    expect(faults('playbook', text)).toEqual([])
  })
})
