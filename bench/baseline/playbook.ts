import { APPS, FILES, FOLDERS, GROUPS, KEYS, LINES, PACKAGES, UNITS, USERS } from './tasks.ts'

type Params = Readonly<Record<string, string | number | true>>

/** Returns the fifty tasks in plain Ansible syntax, one task an item. */
export function playbook(): string {
  return ['- name: host baseline', '  hosts: all', '  become: true', '  tasks:', ...tasks(), ''].join('\n')
}

const OWNED_BY_ROOT = { mode: '"0644"', owner: 'root', group: 'root' }

function tasks(): readonly string[] {
  return [
    ...GROUPS.map(({ name, gid }) => task(`group ${name}`, 'group', { name, gid, state: 'present' })),
    ...USERS.map(userTask),
    ...FOLDERS.map(({ path, mode, owner, group }) =>
      task(`directory ${path}`, 'file', { path, state: 'directory', mode: quoted(mode), owner, group }),
    ),
    ...PACKAGES.map(name => task(`package ${name}`, 'apt', { name, state: 'present' })),
    ...FILES.map(file => copyTask('file', file)),
    ...UNITS.map(file => copyTask('unit', file)),
    ...APPS.map(({ path, vars }) =>
      task(
        `template ${path}`,
        'template',
        { src: 'spec/templates/app.conf.j2', dest: path, ...OWNED_BY_ROOT },
        vars,
      ),
    ),
    ...LINES.map(({ path, regexp, line }) =>
      task(`line ${line} in ${path}`, 'lineinfile', { path, regexp: quoted(regexp), line: quoted(line) }),
    ),
    ...KEYS.map(({ path, content }) =>
      task(`key ${path}`, 'copy', { content: quoted(content), dest: path, ...OWNED_BY_ROOT }),
    ),
    ...UNITS.map(({ source }) =>
      task(`service ${source}`, 'systemd', { name: source, enabled: true, state: 'started' }),
    ),
  ]
}

function userTask({ name, uid, shell, extra, comment }: (typeof USERS)[number]): string {
  const groups: Params = extra === '' ? {} : { groups: extra, append: true }
  const home = `/home/${name}`
  return task(`user ${name}`, 'user', {
    name,
    uid,
    group: 'perfapp',
    home,
    shell,
    comment,
    ...groups,
    state: 'present',
  })
}

function copyTask(kind: string, { source, path }: { source: string; path: string }): string {
  return task(`${kind} ${path}`, 'copy', { src: `spec/files/${source}`, dest: path, ...OWNED_BY_ROOT })
}

function task(name: string, module: string, params: Params, vars?: Params): string {
  const lines = [`    - name: ${name}`, `      ansible.builtin.${module}:`, ...entries(params)]
  if (vars !== undefined) lines.push('      vars:', ...entries(vars))
  return lines.join('\n')
}

function entries(params: Params): readonly string[] {
  return Object.entries(params).map(([key, value]) => `        ${key}: ${value}`)
}

function quoted(text: string): string {
  return JSON.stringify(text)
}
