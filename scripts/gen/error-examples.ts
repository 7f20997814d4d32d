import type { ConnectStage, SourceCode, UsageCode } from '../../src/base/error.ts'

/** A mistake as small as can be; a test makes it and looks which code comes out. */
export interface SourceExample {
  /** What it means. */
  readonly means: string
  /** What to do. */
  readonly remedy: string
  /** Texts by the name of their file. */
  readonly files: Readonly<Record<string, string>>
  /** Files that are not written in UTF-8. */
  readonly latin1?: readonly string[]
  readonly extraVars?: readonly string[]
  readonly checkRoles?: true
}

/** A playbook of one play with these tasks. */
function tasks(text: string, more: Readonly<Record<string, string>> = {}): SourceExample['files'] {
  return { 'site.yml': `- hosts: all\n  tasks:\n${text.replace(/^/gm, '    ')}\n`, ...more }
}

/** A playbook that calls the role \`web\`, with what its signature says. */
function role(
  call: string,
  signature: string,
  text = "- debug: { msg: '{{ port }}' }",
): SourceExample['files'] {
  return {
    'site.yml': `- hosts: all\n  roles:\n    - ${call}\n`,
    'roles/web/role.yml': `${signature}\n`,
    'roles/web/tasks.yml': `${text}\n`,
  }
}

const PORT =
  'summary: Serves pages.\nparams:\n  port: { type: integer, max: 65535, default: 80, describe: Port. }'

/** Encrypted with age for somebody whose identity nobody has any more. */
const SEALED = `-----BEGIN AGE ENCRYPTED FILE-----
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSB3NkJPSkJ1OVRLcXpqdnFG
R0RkZXVkNlhhM2sxUXppUG1JUmNOc25BZ21BClpPTGhMZ2JwUWF1VW54WXU2aFRG
amFIUUNHc2Y2azc0K3R3WkM5ekpFZUEKLS0tIDZCZlA2ZC9zQzlrTHZ6YXdNR1RP
enpYWHAxSWpjR3JKUmx0cWtKN0krNXMK9gmKPEZuN3TsYLcuYbVWJYcgeIQJs37c
a9GIc7InmN9AWfIsWIV0
-----END AGE ENCRYPTED FILE-----
`

export const SOURCE_EXAMPLES: Readonly<Record<SourceCode, SourceExample>> = {
  YAML_SYNTAX: {
    means: 'The file is no YAML.',
    remedy:
      'Look at the place that is shown and just before it: a bracket or a quote is open, or the indentation differs.',
    files: tasks('- debug: { msg: [a, b }'),
  },
  YAML_TAB: {
    means: 'A tab indents a line; YAML knows blanks alone.',
    remedy: 'Put blanks in its place, and let the editor do so from now on.',
    files: { 'site.yml': '- hosts: all\n  tasks:\n\t- ping:\n' },
  },
  DUPLICATE_KEY: {
    means: 'A map has the same key twice. One of the two values would be lost.',
    remedy: 'Keep the one that is meant.',
    files: tasks('- debug:\n    msg: one\n    msg: two'),
  },
  FILE_NOT_FOUND: {
    means: 'A file that is named on the command line is not there.',
    remedy: 'Correct the path; it is relative to the working directory.',
    files: tasks('- ping:'),
    extraVars: ['@none.yml'],
  },
  FILE_UNREADABLE: {
    means: 'A file cannot be read, or is not written in UTF-8, as `vars.yml` here.',
    remedy: 'Let the user you run as read it, and save it in UTF-8.',
    files: {
      'site.yml': '- hosts: all\n  vars_files: [vars.yml]\n  tasks:\n    - ping:\n',
      'vars.yml': 'city: Zürich\n',
    },
    latin1: ['vars.yml'],
  },
  NOT_A_PLAYBOOK: {
    means: 'The file holds no list of plays: it is empty, or holds tasks.',
    remedy: 'Put the tasks below `tasks:` of a play that begins with `- hosts:`.',
    files: { 'site.yml': '- debug: { msg: hello }\n' },
  },
  UNKNOWN_KEYWORD: {
    means: 'There is no such keyword in this place, or nothing would act on it.',
    remedy:
      'Correct its spelling, or move it where the help says. [ansible.md](ansible.md) lists all of them.',
    files: tasks('- ping:\n  notfy: Restart it'),
  },
  MISSING_KEYWORD: {
    means: 'Something that must be said is not said.',
    remedy: 'Add the keyword that the message names.',
    files: tasks('- rescue:\n    - ping:'),
  },
  BAD_VALUE: {
    means: 'The value is not of the kind that the keyword takes.',
    remedy: 'Write what the message expects.',
    files: tasks('- ping:\n  become: perhaps'),
  },
  UNKNOWN_MODULE: {
    means: 'There is no module of that name.',
    remedy: 'Correct its spelling; `msingi modules` lists all of them.',
    files: tasks('- lineinfle: { path: /etc/hosts, line: 10.0.0.1 a }'),
  },
  NO_MODULE: {
    means: 'The task says nothing to do.',
    remedy: 'Add a module, or take the task out.',
    files: tasks('- name: Install it'),
  },
  TWO_MODULES: {
    means: 'The task has two modules.',
    remedy: 'Make a task of each.',
    files: tasks('- ping:\n  debug: { msg: hello }'),
  },
  UNKNOWN_PARAM: {
    means: 'The module has no such parameter.',
    remedy: "Correct its spelling; the module's page lists all of them.",
    files: tasks('- file: { path: /srv, stat: directory }'),
  },
  MISSING_PARAM: {
    means: 'The module needs a parameter that is not given.',
    remedy: 'Add it.',
    files: tasks('- copy: { content: hello }'),
  },
  BAD_PARAM: {
    means: 'The value is not one that the parameter takes.',
    remedy: 'Write what the message expects.',
    files: tasks('- file: { path: /srv, state: dir }'),
  },
  BAD_MODE: {
    means: 'The permissions are no octal digits and no symbolic mode.',
    remedy: "Write `'0644'` or `u=rw,g=r,o=r`.",
    files: tasks("- file: { path: /srv, state: directory, mode: '0698' }"),
  },
  UNDEFINED_VAR: {
    means: 'A text names a variable that is not set for one of the hosts.',
    remedy:
      'Correct its spelling, set it for every host of the play, or give a default: `{{default port 80}}`.',
    files: tasks("- debug: { msg: 'port {{ port }}' }"),
  },
  BAD_TEMPLATE: {
    means: 'A text with `{{ }}` is no Handlebars.',
    remedy: 'Write what the help says; [ansible.md](ansible.md#texts) shows what becomes of Jinja.',
    files: tasks("- debug: { msg: '{{ inventory_hostname | upper }}' }"),
  },
  UNKNOWN_HELPER: {
    means: 'A text calls a function that does not exist.',
    remedy: 'Correct its spelling; [functions.md](functions.md) lists all of them.',
    files: tasks("- debug: { msg: '{{uper inventory_hostname}}' }"),
  },
  BAD_CONDITION: {
    means: 'A condition is no CEL.',
    remedy: 'Write what the help says; [ansible.md](ansible.md#conditions) shows what becomes of Jinja.',
    files: tasks('- ping:\n  when: facts.os.id is defined'),
  },
  NOT_BOOLEAN: {
    means: 'A condition gives something other than true or false. What counts as true is not guessed.',
    remedy: 'Compare: `port != 0`, `name != ""`.',
    files: { 'site.yml': '- hosts: all\n  vars: { port: 80 }\n  tasks:\n    - ping:\n      when: port\n' },
  },
  RECURSIVE_VAR: {
    means: 'A variable needs its own value.',
    remedy: 'Give one of them another name.',
    files: {
      'site.yml':
        "- hosts: all\n  vars: { a: '{{ b }}', b: '{{ a }}' }\n  tasks:\n    - debug: { msg: '{{ a }}' }\n",
    },
  },
  MISSING_ROLE: {
    means: 'There is no role of that name in `roles/`.',
    remedy: 'Correct its spelling, or make it.',
    files: { 'site.yml': '- hosts: all\n  roles: [web]\n' },
  },
  MISSING_HANDLER: {
    means: 'A task notifies something that no handler is called or listens to.',
    remedy: "Correct one of the two; a handler's name must be the very same.",
    files: tasks('- ping:\n  notify: Restart it'),
  },
  MISSING_TEMPLATE: {
    means: 'The template is not on this machine.',
    remedy: "Put it into `templates/` beside the playbook or in the role's folder.",
    files: tasks('- template: { src: app.conf.hbs, dest: /etc/app.conf }'),
  },
  MISSING_FILE: {
    means: 'A file that the project names is not on this machine.',
    remedy: "Put it into `files/` beside the playbook or in the role's folder, or correct the name.",
    files: tasks('- copy: { src: app.conf, dest: /etc/app.conf }'),
  },
  RECURSIVE_INCLUDE: {
    means: 'A file includes itself, be it by way of others.',
    remedy: 'Take one of the includes out.',
    files: tasks('- import_tasks: more.yml', { 'more.yml': '- import_tasks: more.yml\n' }),
  },
  UNKNOWN_ROLE_PARAM: {
    means: 'The role has no such parameter.',
    remedy: 'Correct its spelling, or declare it in `role.yml`.',
    files: role('{ role: web, prot: 8080 }', PORT),
  },
  BAD_ROLE_PARAM: {
    means: 'The value is not of the type that the role declares, or out of its bounds.',
    remedy:
      'Write what the message expects. On the command line everything is text: `-e port:=8080` gives a number.',
    files: role('{ role: web, port: 99999 }', PORT),
  },
  MISSING_ROLE_PARAM: {
    means: 'The role needs a parameter that nobody gives.',
    remedy: 'Give it at the call or set it in the inventory.',
    files: role(
      'web',
      'summary: Serves pages.\nparams:\n  port: { type: integer, required: true, describe: Port. }',
      '- ping:',
    ),
  },
  UNDECLARED_VAR: {
    means:
      'With `--check-roles`: a text of a role names a variable that is no parameter of it and that none of its tasks sets.',
    remedy: 'Declare it in `role.yml`, so that its type, its default and its meaning are known.',
    files: role('web', PORT, "- debug: { msg: '{{ port }} {{ inventory_hostname }} {{default title 1}}' }"),
    checkRoles: true,
  },
  UNUSED_PARAM: {
    means: 'With `--check-roles`: no text of the role uses the parameter.',
    remedy: 'Use it, or take it out.',
    files: role('web', PORT, '- ping:'),
    checkRoles: true,
  },
  CIRCULAR_GROUP: {
    means: 'A group belongs to itself, be it by way of others.',
    remedy: 'Take one of the memberships out.',
    files: tasks('- ping:', {
      'hosts.yml': 'a:\n  children: { b: }\nb:\n  hosts: { server: }\n  children: { a: }\n',
    }),
  },
  BAD_RANGE: {
    means: 'A range of hosts cannot be counted out.',
    remedy: 'Write the smaller end first, and both in the same way: `web[01:20]`.',
    files: tasks('- ping:', { 'hosts.yml': 'all:\n  hosts:\n    server:\n    web[3:1]:\n' }),
  },
  BAD_PATTERN: {
    means: 'A pattern of hosts cannot be read.',
    remedy:
      'Use names, `*`, `a:b` for both, `a:&b` for what is in both, `a:!b` for what is not in the second.',
    files: { 'site.yml': "- hosts: '~(web'\n  tasks:\n    - ping:\n" },
  },
  NO_HOSTS: {
    means: 'A pattern names a group or host that is not in the inventory.',
    remedy: 'Correct its spelling, or add it; a group may be empty.',
    files: { 'site.yml': '- hosts: wbe\n  tasks:\n    - ping:\n' },
  },
  BAD_INVENTORY: {
    means: 'The inventory is not of the shape that is expected.',
    remedy: 'Write groups, and below each `hosts`, `vars` and `children`. One in INI form is converted once.',
    files: { 'site.yml': '- hosts: localhost\n  tasks:\n    - ping:\n', 'hosts.yml': '[web]\nserver\n' },
  },
  SECRET_LOCKED: {
    means: 'A file or a value is encrypted, and none of the keys at hand opens it.',
    remedy:
      'Give the key: `--identity FILE` for age and sops, `--vault-password-file FILE` for ansible-vault. Or let somebody who can open it add you: `msingi secrets add-recipient`.',
    files: {
      'site.yml': '- hosts: all\n  vars_files: [passwords.age.yml]\n  tasks:\n    - ping:\n',
      'passwords.age.yml': SEALED,
    },
  },
  SECRET_DAMAGED: {
    means:
      'A file or a value is encrypted, and is not whole: cut off, altered, or of a kind that is not understood.',
    remedy: 'Take its last good version out of version control.',
    files: tasks(
      `- debug: { msg: '{{ word }}' }\n  vars:\n    word: !vault |\n      $ANSIBLE_VAULT;1.1;AES256\n      6162`,
    ),
  },
}

/** A command line that cannot be carried out. */
export interface UsageExample {
  readonly means: string
  readonly remedy: string
  /** What stands after \`msingi\`; \`site.yml\` and an inventory are there, and a play that asks is \`asking.yml\`. */
  readonly argv: readonly string[]
}

export const USAGE_EXAMPLES: Readonly<Record<UsageCode, UsageExample>> = {
  BAD_OPTION: {
    means: 'There is no such option, or its value cannot be used.',
    remedy: 'Run the command with `--help`.',
    argv: ['apply', 'site.yml', '--forks', 'many'],
  },
  BAD_ARGUMENT: {
    means: 'What is named is not there, or something is missing.',
    remedy: 'Run the command with `--help`, or follow the help that is printed.',
    argv: ['modules', 'lineinfle'],
  },
  NO_INVENTORY: {
    means: 'There is no inventory.',
    remedy: 'Name one with `-i`, set `MSINGI_INVENTORY`, or put it into `inventory/` beside the playbook.',
    argv: ['apply', 'site.yml', '-i', 'none.yml'],
  },
  NO_PLAYBOOK: {
    means: 'There is no such playbook, or no apply that could be resumed.',
    remedy: 'Correct the path; it is relative to the working directory.',
    argv: ['apply', 'none.yml'],
  },
  NO_PASSWORD: {
    means: 'A password is needed and cannot be had.',
    remedy: 'Set `MSINGI_BECOME_PASSWORD`, or name a file with `--become-password-file`.',
    argv: ['apply', 'site.yml', '--become-password-file', 'none'],
  },
  NO_ANSWER: {
    means: 'A play asks for a variable and there is no terminal to ask at.',
    remedy: 'Give `-e name=…`, or set `MSINGI_VAR_NAME`. With `-y` defaults are taken.',
    argv: ['apply', 'asking.yml'],
  },
  BAD_IDENTITY: {
    means:
      'The file or program that should give a key does not: it is missing, gives nothing, holds something else, or others may read it.',
    remedy: 'Correct the path; give an identity file mode 0600.',
    argv: ['lint', 'site.yml', '--identity', 'none.txt'],
  },
  NO_MATCH: {
    means: 'No host is left: a pattern or `--limit` matches none.',
    remedy: 'Run `msingi hosts list` to see which there are.',
    argv: ['apply', 'site.yml', '--limit', 'nobody'],
  },
  INVENTORY_BUSY: {
    means: 'Another apply of the same inventory is under way in this folder.',
    remedy: 'Wait for it with `--wait`, or end the process that the message names.',
    argv: ['apply', 'site.yml', '-i', 'busy.yml'],
  },
}

/** How far a connection came. */
export interface ConnectNote {
  readonly means: string
  readonly remedy: string
}

export const CONNECT_NOTES: Readonly<Record<ConnectStage, ConnectNote>> = {
  config: {
    means: 'What the inventory or `~/.ssh/config` say about the way to the host cannot be followed.',
    remedy: 'Correct the setting that the message names.',
  },
  dns: {
    means: 'The name of the host is not known.',
    remedy: 'Check its spelling, write an address (`ssh: { host: … }`), or look whether the network is up.',
  },
  tcp: {
    means: 'Nothing answers at that address and port.',
    remedy: 'Look whether the host is on, whether `sshd` listens there, and whether a firewall is between.',
  },
  hostkey: {
    means: 'The host does not prove that it is the one that is known, or is not known at all.',
    remedy:
      'Compare its key with what the host itself shows, then run `msingi hosts trust HOST`. Where a known key has changed, find out why first.',
  },
  auth: {
    means: 'The host does not let the user log in.',
    remedy: 'Check user and key; `ssh -v` shows which keys are offered. Load a locked key into the agent.',
  },
  channel: {
    means: 'The host let the user in and then refused to open a channel.',
    remedy: 'Look at `MaxSessions` and `ForceCommand` in its `sshd_config`, and at its log.',
  },
  shell: {
    means: 'What answered is no POSIX shell, or prints something before it does.',
    remedy: 'Give the user a login shell, and keep its start-up files quiet where there is no terminal.',
  },
  become: {
    means: 'The user cannot become the other one.',
    remedy: 'Check `sudoers`, give the password with `-K`, and check `become_method`.',
  },
  protocol: {
    means:
      'The host answered what it was not asked. The line cannot have garbled it, because SSH would have noticed; so it is not tried again.',
    remedy:
      'Treat the host as one that is no longer yours until you know why: look at it by another way, at its login shell, `sshd`, and who is logged in.',
  },
  lost: {
    means: 'The connection broke and could not be taken up again.',
    remedy:
      'Run the same command again, or `msingi apply --resume`: what was running on the host has gone on or ended, and is looked at anew.',
  },
}
