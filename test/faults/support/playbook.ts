import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Everything the playbook writes lies here, but for a package, a user and a group. */
export const FOLDER = '/opt/faults'
const FILES = 24
const LINES = 8
const SETTINGS = 6
const BLOCKS = 4
const TEMPLATES = 4
const COMMANDS = 8
const BIG_BYTES = 200_000

const OWNERS = ['root:root 644', 'ops:ops 600', 'root:ops 640', 'daemon:root 755'] as const

/** The handlers: each must run exactly once a round. */
const HANDLERS = ['early', 'chained', 'late'] as const

/** One thing that a round leaves on the host: what it is called, and how it is then. */
export interface Trace {
  /** Title of the task or handler that makes it. */
  readonly task: string
  readonly name: string
  readonly want: string
}

/** Writes a playbook of 60 tasks that all have something to do in each round. Its variables are `round` and `state`. */
export function writePlaybook(folder: string): string {
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, 'page.hbs'),
    '{{#each pages}}page {{ this }} of round {{ @root.round }}\n{{/each}}',
  )
  const file = join(folder, 'site.yml')
  writeFileSync(file, `${HEAD}${tasks().join('\n')}\n${TAIL}`)
  return file
}

/** Writes what the playbook uploads in that round. */
export function writeBig(folder: string, round: number): void {
  writeFileSync(join(folder, `big-${round}`), big(round))
}

const HEAD = `- name: Sixty tasks
  hosts: all
  become: true
  vars: { pages: [1, 2, 3] }
  tasks:
`

const TAIL = `  handlers:
    - { name: early, shell: 'echo {{ round }} >> ${FOLDER}/log/early', notify: chained }
    - { name: chained, shell: 'sleep 0.2 && echo {{ round }} >> ${FOLDER}/log/chained' }
    - { name: late, shell: 'echo {{ round }} >> ${FOLDER}/log/late' }
`

function tasks(): readonly string[] {
  const half = FILES / 2
  return [
    `file: { path: ${FOLDER}/log, state: directory, mode: '0755' }`,
    `group: { name: faults }`,
    `user: { name: faults, group: faults, comment: 'round {{ round }}' }`,
    ...range(half).map(fileTask),
    `copy: { src: 'big-{{ round }}', dest: ${FOLDER}/big, mode: '0600' }\n      notify: early`,
    ...range(COMMANDS / 2).map(commandTask),
    'meta: flush_handlers',
    `apt: { name: tree, state: '{{ state }}' }\n      notify: late`,
    ...range(half).map(index => fileTask(half + index)),
    ...range(LINES).map(
      index =>
        `lineinfile: { path: ${FOLDER}/lines, create: true, regexp: '^k${index}=', line: 'k${index}={{ round }}' }`,
    ),
    ...range(SETTINGS).map(
      index =>
        `ini_file: { path: ${FOLDER}/settings, section: s${index}, option: round, value: '{{ round }}' }\n      notify: late`,
    ),
    ...range(BLOCKS).map(
      index =>
        `blockinfile: { path: ${FOLDER}/blocks, create: true, marker: '# {mark} ${index}', block: 'b${index}={{ round }}' }`,
    ),
    ...range(TEMPLATES).map(
      index => `template: { src: page.hbs, dest: ${FOLDER}/page${index}, mode: '0644' }`,
    ),
    ...range(COMMANDS / 2).map(index => commandTask(COMMANDS / 2 + index)),
  ].map(
    (task, index) =>
      `    - ${task.startsWith('meta') ? task : `name: ${titleOf(task, index)}\n      ${task}`}`,
  )
}

/** Those that traces name are called after them. */
function titleOf(task: string, index: number): string {
  return /(?:dest: \/opt\/faults\/|# )(\w+)/.exec(task)?.[1] ?? `task ${index}`
}

function fileTask(index: number): string {
  const [owner = '', mode = ''] = (OWNERS[index % OWNERS.length] ?? '').split(' ')
  const [user = '', group = ''] = owner.split(':')
  const notify = index % 3 === 0 ? `\n      notify: ${index < FILES / 2 ? 'early' : 'late'}` : ''
  const content = String.raw`file ${index} round {{ round }}\n`
  return `copy: { dest: ${FOLDER}/f${index}, content: "${content}", owner: ${user}, group: ${group}, mode: '0${mode}' }${notify}`
}

function commandTask(index: number): string {
  const done = `${FOLDER}/c${index}-{{ round }}`
  return `shell: { cmd: 'echo {{ round }} >> ${FOLDER}/log/c${index} && sleep 0.1 && touch ${done} # c${index}', creates: '${done}' }`
}

/** What round number `round` leaves behind; before the first, nothing is there. */
export function tracesOf(round: number): readonly Trace[] {
  const whole = (name: string, content: string, ownership: string): Trace => ({
    task: name,
    name,
    want: round === 0 ? 'absent' : `${createHash('sha256').update(content).digest('hex')} ${ownership}`,
  })
  const part = (name: string, count: number): readonly Trace[] =>
    range(count).map(index => ({
      task: '',
      name: `${name}${index}`,
      want: round === 0 ? 'absent' : String(round),
    }))
  return [
    ...range(FILES).map(index =>
      whole(`f${index}`, `file ${index} round ${round}\n`, OWNERS[index % OWNERS.length] ?? ''),
    ),
    whole('big', big(round), 'root:root 600'),
    ...range(TEMPLATES).map(index =>
      whole(
        `page${index}`,
        [1, 2, 3].map(page => `page ${page} of round ${round}\n`).join(''),
        'root:root 644',
      ),
    ),
    ...part('k', LINES),
    ...part('s', SETTINGS),
    ...part('b', BLOCKS),
  ]
}

/** What is to be found exactly once a round in a log of its own. */
export const LOGGED: readonly string[] = [...HANDLERS, ...range(COMMANDS).map(index => `c${index}`)]

/** Files of which a change notifies a handler: its log must not be older than them. */
const NOTIFYING = {
  early: [
    'big',
    ...range(FILES / 2)
      .filter(index => index % 3 === 0)
      .map(index => `f${index}`),
  ],
  late: [
    'settings',
    ...range(FILES / 2)
      .map(index => FILES / 2 + index)
      .filter(index => index % 3 === 0)
      .map(index => `f${index}`),
  ],
} as const

/**
 * A script for the host that prints one line `NAME VALUE` a trace, `log NAME ROUND COUNT` a log, `left WHAT` for what must not
 * be there, `stale HANDLER FILE` for a handler that did not run after the file was changed, and `owed LINE`.
 */
export function inspection(round: number): string {
  const files = tracesOf(1)
    .filter(({ task }) => task !== '')
    .map(({ name }) => name)
  return `cd ${FOLDER} 2>/dev/null || mkdir -p ${FOLDER} && cd ${FOLDER}
for name in ${files.join(' ')}; do
  [ -e $name ] && echo "$name $(sha256sum <$name | cut -d' ' -f1) $(stat -c '%U:%G %a' $name)" || echo "$name absent"
done
for i in ${range(LINES).join(' ')}; do echo "k$i $(sed -n "s/^k$i=//p" lines 2>/dev/null | tr '\\n' ' ')"; done
for i in ${range(SETTINGS).join(' ')}; do echo "s$i $(sed -n "/^.s$i.$/,/^$/s/^round *= *//p" settings 2>/dev/null | head -1)"; done
for i in ${range(BLOCKS).join(' ')}; do echo "b$i $(sed -n "s/^b$i=//p" blocks 2>/dev/null | tr '\\n' ' ')"; done
for name in ${LOGGED.join(' ')}; do echo "log $name $(grep -cx ${round} log/$name 2>/dev/null || true)"; done
for name in ${NOTIFYING.early.join(' ')}; do [ ! log/early -ot $name ] || echo "stale early $name"; done
for name in ${NOTIFYING.late.join(' ')}; do [ ! log/late -ot $name ] || echo "stale late $name"; done
find / ${FOLDER} -xdev -name '.*.msingi-*' -not -path '/proc/*' | sort -u | sed 's/^/left /'
dpkg --audit | sed 's/^/left dpkg /'
[ ! -e /var/lib/msingi/owed ] || sed 's/^/owed /' /var/lib/msingi/owed
echo "package $(dpkg-query -W -f '\${Status}' tree 2>/dev/null || echo absent)"`
}

function big(round: number): string {
  const line = `round ${round} of a file that is sent ahead of its frame\n`
  return line.repeat(Math.ceil(BIG_BYTES / line.length))
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index)
}
