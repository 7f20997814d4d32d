import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newIdentity, recipientOf, sealAge } from '../../src/secrets/age.ts'
import { CANARY_TASKS } from '../support/canary-tasks.ts'
import { ROOT } from '../support/source-tree.ts'
import { startHosts, stopHosts, type LiveHost } from './support/hosts.ts'
import { inventoryOf } from './support/msingi.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-canary-'))
/** Stands in the open in every output, process list and log, so that a search that finds nothing is known to look. */
const OPEN = 'open-word-5d1c'

/** One secret for each parameter, by its name; the quotes and signs are spelt differently by every format. */
const canaries: Record<string, string> = {}

/** Samples of every command line and environment there was, each line once. */
const SAMPLER = `while :; do cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null; sleep 0.02; done |
  tr '\\0' '\\n' | awk '!seen[$0]++ { print; fflush() }'`

interface Run {
  readonly title: string
  readonly exit: number
  readonly said: string
}

let host: LiveHost
let sampler: ChildProcess
const runs: Run[] = []

const MODES: readonly (readonly string[])[] = [
  ['plan', '--diff', '-vvv', '--out', 'kept.plan'],
  ['apply', '--check', '--diff', '-v'],
  [
    'apply',
    '--diff',
    '-vvv',
    '--output',
    'plain',
    '--output',
    'json=events.json',
    '--output',
    'junit=junit.xml',
    '--output',
    'html=run.html',
  ],
  ['apply', '-vv', '--output', 'json', '--output', 'prometheus=metrics.prom'],
  ['apply', '--output', 'junit', '-e', 'tail=x'],
  ['drift', '--diff', '-vvv', '--output', 'json'],
  ['explain', '--scripts'],
]

beforeAll(async () => {
  ;[host] = (await startHosts()) as [LiveHost]
  await host.run(
    'mkdir -p /srv/canary && chmod 700 /srv/canary && echo old > /srv/canary/replaced && echo x > /srv/canary/shell',
  )
  writeProject()
  await host.run(`nohup sh -c ${quoted(SAMPLER)} > /run/samples 2>/dev/null & nohup sh -c ': ${OPEN}; sleep 600' >/dev/null 2>&1 &
    nohup env WORD=${OPEN} sleep 601 >/dev/null 2>&1 & logger ${OPEN}`)
  sampler = spawn('sh', ['-c', `${SAMPLER} > ${join(folder, 'samples')}`], { detached: true })
  for (const mode of MODES) runs.push(await ran(mode))
}, 600_000)

afterAll(async () => {
  if (sampler?.pid !== undefined) process.kill(-sampler.pid, 'SIGTERM')
  await stopHosts([host])
  rmSync(folder, { recursive: true, force: true })
})

describe('a secret in every parameter that takes one', () => {
  test('reaches the host, so that there is something to give away', async () => {
    const files = await host.run(
      'cat /srv/canary/copy /srv/canary/template /srv/canary/line /srv/canary/role',
    )

    for (const name of ['copy_content', 'template_src', 'lineinfile_line', 'role_word'])
      expect(files).toContain(canaries[name])
  })

  test('every way to run was gone through, failures and deadlines included', () => {
    const events = readFileSync(join(folder, 'events.json'), 'utf8')

    expect(runs.map(({ title, exit }) => [title, exit])).toEqual(
      MODES.map(mode => [mode.join(' '), expect.toBeOneOf([0, 1, 2]) as unknown]),
    )
    expect(events).toMatch(/"status":"changed"/)
    expect(events).toMatch(/"status":"failed"/)
    expect(events).toContain('"code":"TIMEOUT"')
    expect(events).not.toMatch(/‹secret›[a-z]|[a-z]‹secret›/)
  })

  test.each(MODES.map((mode, index) => [mode.join(' '), index] as const))(
    'is not told by `%s`',
    (_, index) => {
      const said = runs[index]?.said ?? ''

      expect(said).toContain(OPEN)
      expect(leaks(said)).toEqual([])
    },
  )

  test('is in no file of the controller: outputs, kept plans, history, temporary files', () => {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry =>
      entry.isFile(),
    )
    const texts = files.map(
      entry => [entry.name, readFileSync(join(entry.parentPath, entry.name), 'latin1')] as const,
    )
    const told = texts.flatMap(([name, text]) => leaks(text).map(leak => [name, leak]))

    expect(texts.map(([name]) => name)).toEqual(
      expect.arrayContaining(['events.json', 'junit.xml', 'run.html', 'metrics.prom', 'kept.plan']),
    )
    expect(told).toEqual([])
  })

  test('is in no command line and no environment, here or on the host', async () => {
    const here = readFileSync(join(folder, 'samples'), 'utf8')
    const there = await host.run('cat /run/samples')

    expect(here).toContain('bin/msingi.js')
    expect(there).toContain(`: ${OPEN}; sleep 600`)
    expect(there).toContain(`WORD=${OPEN}`)
    expect([leaks(here), leaks(there)]).toEqual([[], []])
  })

  test('is in no log and in no temporary file of the host', async () => {
    const journal = await host.run('journalctl --no-pager --all --output=export')
    const rest = await host.run(
      'find /tmp /var/tmp /run /var/log /dev/shm -xdev -type f -size -4M ! -name samples -exec cat {} + 2>/dev/null || :',
    )

    expect(journal).toContain(OPEN)
    expect([leaks(journal), leaks(rest)]).toEqual([[], []])
  })

  test('is kept on the host only where root alone can look', async () => {
    const open = await host.run('find /var/lib/msingi -maxdepth 0 -perm /077 2>/dev/null || :')

    expect(open).toBe('')
  })
})

describe('the search itself', () => {
  test.each([
    ['as it is', (word: string) => `a ${word} b`],
    ['in base64 that begins one byte before', (word: string) => Buffer.from(`x${word}yz`).toString('base64')],
    ['in hexadecimal', (word: string) => Buffer.from(word).toString('hex')],
    ['in a URL', (word: string) => encodeURIComponent(word)],
    ['in JSON', (word: string) => JSON.stringify({ word })],
  ])('finds a secret %s', (_, spell) => {
    expect(leaks(spell(canaries['copy_content'] ?? ''))).toEqual(['copy_content'])
  })
})

/** Returns the names of the secrets that a text holds in some spelling; the middle of each is searched for, which no quoting alters. */
function leaks(text: string): readonly string[] {
  return Object.entries(canaries).flatMap(([name, value]) => {
    const middle = value.slice(0, 24)
    const bytes = Buffer.from(middle)
    const base64 = [0, 1, 2].map(before =>
      Buffer.concat([Buffer.alloc(before), bytes])
        .toString('base64')
        .slice(before === 0 ? 0 : 4, 28),
    )
    const spelt = [middle, ...base64, bytes.toString('hex'), bytes.toString('hex').toUpperCase()]
    return spelt.some(spelling => text.includes(spelling)) ? [name] : []
  })
}

function canary(name: string): string {
  const value = `kanari-${randomBytes(12).toString('hex')} 'q' & "d" /+%$é`
  canaries[name] = value
  return `canary_${name}`
}

/** Writes a project with an encrypted file of variables and a task for every parameter. */
function writeProject(): void {
  const identity = newIdentity()
  const tasks = Object.entries(CANARY_TASKS).flatMap(([module, params]) =>
    Object.entries(params).map(([param, args]) => {
      const name = canary(`${module}_${param}`)
      return `- name: ${module} ${param} ${OPEN}\n  ${module}: { ${args.replaceAll('it }}', `${name} }}`)} }\n  ignore_errors: true\n`
    }),
  )
  put('templates/canary.hbs', '# from a template\nword = {{ canary_template_src }}\n')
  put(
    'roles/keeper/role.yml',
    'summary: Keeps.\nparams:\n  word: { type: string, secret: true, describe: A word. }\n',
  )
  put(
    'roles/keeper/tasks.yml',
    "- copy: { dest: /srv/canary/role, mode: '0600', content: '{{ word }}' }\n  notify: Tell\n",
  )
  put('roles/keeper/handlers.yml', "- name: Tell\n  debug: { msg: 'told {{ word }}' }\n")
  const more = moreTasks()
  put(
    'site.yml',
    `- hosts: all\n  become: true\n  vars_files: [words.age.yml]\n  roles:\n    - { role: keeper, word: '{{ ${canary('role_word')} }}' }\n  tasks:\n${(tasks.join('') + more).replaceAll(/^(?=.)/gm, '    ')}`,
  )
  put('me.txt', `${identity.reveal()}\n`)
  const words = Object.fromEntries(Object.entries(canaries).map(([name, value]) => [`canary_${name}`, value]))
  put('words.age.yml', sealAge(JSON.stringify(words), { recipients: [recipientOf(identity)] }))
}

function moreTasks(): string {
  return `- name: Loop
  copy: { dest: '/srv/canary/loop{{ index }}', content: '{{ item }}', mode: '0600' }
  loop: ['{{ ${canary('loop_one')} }}', '{{ ${canary('loop_two')} }}']
  loop_control: { index_var: index }
- name: Told back by the host
  command: { cmd: cat /srv/canary/copy, reads: true }
  register: told
- debug: { msg: '{{ told.stdout }}' }
- name: Fact
  set_fact: { fact: 'f {{ ${canary('fact')} }}' }
- debug: { var: fact }
- name: Environment
  command: 'true'
  environment: { WORD: '{{ ${canary('environment')} }}' }
  ignore_errors: true
- name: Argument
  command: 'echo {{ ${canary('argument')} }}'
  ignore_errors: true
- name: Deadline
  shell: { cmd: 'cat; sleep 30', stdin: '{{ ${canary('deadline')} }}' }
  timeout: 2
  ignore_errors: true
- name: In the name {{ ${canary('name')} }}
  ping:
`
}

function put(file: string, text: string): void {
  mkdirSync(join(folder, file, '..'), { recursive: true })
  writeFileSync(join(folder, file), text, { mode: 0o600 })
}

function ran([command = '', ...flags]: readonly string[]): Promise<Run> {
  const inventory = inventoryOf([host])
  const argv = [
    join(ROOT, 'bin/msingi.js'),
    command,
    'site.yml',
    '-i',
    inventory,
    '--identity',
    'me.txt',
    ...flags,
  ]
  mkdirSync(join(folder, 'tmp'), { recursive: true })
  const env = { ...process.env, HOME: folder, TMPDIR: join(folder, 'tmp') }
  return new Promise(resolve => {
    execFile(process.execPath, argv, { cwd: folder, env, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      const exit = error === null ? 0 : Number(error.code)
      resolve({ title: [command, ...flags].join(' '), exit, said: stdout + stderr })
    })
  })
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
