import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export const ROLES = 40
const TASKS_EACH = 50
const HOSTS = 20

/** A mistake for a role's tasks, and the code that it must be reported with. */
export const MISTAKES = [
  ['UNDEFINED_VAR', "- debug: { msg: '{{ nobody_sets_this }}' }"],
  ['UNKNOWN_PARAM', '- file: { path: /srv, stat: directory }'],
  ['MISSING_HANDLER', '- ping:\n  notify: Nobody is called so'],
  ['BAD_CONDITION', '- ping:\n  when: port is defined'],
] as const

/**
 * Writes a project of 200 files and 2,000 tasks into a new folder and returns the folder.
 *
 * @param withMistakes - one mistake in every role
 */
export function largeProject(withMistakes = false): string {
  const folder = mkdtempSync(join(tmpdir(), 'msingi-'))
  const names = Array.from({ length: ROLES }, (_, index) => `role-${index}`)
  const files = new Map<string, string>([
    ['site.yml', playbook(names)],
    ['hosts.yml', inventory()],
    ...['all', 'web', 'db'].map(group => [`group_vars/${group}.yml`, variables(group)] as const),
    ...Array.from(
      { length: 35 },
      (_, index) => [`host_vars/host${index % HOSTS}/${index}.yml`, variables(`host_${index}`)] as const,
    ),
    ...names.flatMap((name, index) =>
      roleFiles(name, withMistakes ? MISTAKES[index % MISTAKES.length]?.[1] : undefined),
    ),
  ])
  for (const [name, text] of files) {
    const file = join(folder, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  return folder
}

function playbook(names: readonly string[]): string {
  const calls = names.map(name => `    - { role: ${name}, port: '{{ base_port }}', title: ${name} }`)
  return `- name: Everything\n  hosts: all\n  become: true\n  vars: { base_port: 8080 }\n  roles:\n${calls.join('\n')}\n`
}

function inventory(): string {
  const hosts = Array.from({ length: HOSTS }, (_, index) => `host${index}`)
  const lines = (part: readonly string[]): string => part.map(name => `        ${name}:\n`).join('')
  const half = HOSTS / 2
  return `all:\n  children:\n    web:\n      hosts:\n${lines(hosts.slice(0, half))}    db:\n      hosts:\n${lines(hosts.slice(half))}`
}

function variables(name: string): string {
  return Array.from(
    { length: 20 },
    (_, index) => `${name}_value_${index}: '${index} of {{ inventory_hostname }}'\n`,
  ).join('')
}

function roleFiles(name: string, mistake: string | undefined): readonly (readonly [string, string])[] {
  const params = `  port: { type: integer, default: 80, describe: Port. }\n  title: { type: string, default: none, describe: Title. }\n`
  const tasks = Array.from({ length: TASKS_EACH - (mistake ? 1 : 0) }, (_, index) => task(name, index)).join(
    '',
  )
  return [
    [`roles/${name}/role.yml`, `summary: Part of something large.\nparams:\n${params}`],
    [`roles/${name}/tasks.yml`, `${tasks}${mistake === undefined ? '' : `${mistake}\n`}`],
    [
      `roles/${name}/handlers.yml`,
      `- name: Restart ${name}\n  systemd: { name: ${name}, state: restarted }\n`,
    ],
    [
      `roles/${name}/templates/app.conf.hbs`,
      `listen {{ port }}\ntitle {{ upper title }}\nhost {{ inventory_hostname }}\n`,
    ],
  ]
}

function task(role: string, index: number): string {
  switch (index % 5) {
    case 0:
      return `- name: Install the packages of ${role}, part ${index}\n  apt:\n    name: [rsync, cron]\n    state: present\n  tags: [packages, ${role}]\n`
    case 1:
      return `- name: Make folder ${index}\n  file:\n    path: /srv/${role}/{{ title }}-${index}\n    state: directory\n    mode: '0755'\n    owner: root\n`
    case 2:
      return `- name: Write file ${index}\n  template:\n    src: app.conf.hbs\n    dest: /etc/${role}/${index}.conf\n    mode: '0644'\n  when: port > 1024 && facts.os.family == 'debian'\n  notify: Restart ${role}\n`
    case 3:
      return `- name: Set line ${index}\n  lineinfile:\n    path: /etc/${role}.conf\n    regexp: '^key${index}='\n    line: 'key${index}={{ item }}'\n  loop: [one, two, three]\n`
    default:
      return `- name: Ask for ${index}\n  command: { cmd: 'uptime -p', reads: true }\n  register: answer_${index}\n  failed_when: answer_${index}.rc != 0\n`
  }
}
