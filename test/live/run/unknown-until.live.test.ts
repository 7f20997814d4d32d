import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startHosts, stopHosts, type LiveHost } from '../support/hosts.ts'
import { eventsOf, failures, inventoryOf, msingi, type Ran } from '../support/msingi.ts'
import { writtenDuring } from '../modules/by-hand.ts'

/** Tasks that stand on each other, and what a plan of a host that has none of it can say. */
const TASKS: readonly (readonly [name: string, planned: string, task: string])[] = [
  ['package', 'would_change', 'apt: { name: sample-daemon }'],
  ['its service', 'unknown', 'systemd: { name: sample-daemon, state: started, enabled: true }'],
  ['its user', 'would_change', 'user: { name: sampled, shell: /usr/sbin/nologin, create_home: false }'],
  ['line in its settings', 'unknown', 'lineinfile: { path: /etc/sample-greeting.conf, line: more = yes }'],
  ['group', 'would_change', 'group: { name: team }'],
  ['user in the group', 'would_change', 'user: { name: member, groups: [team], append: true }'],
  [
    'folder of the user',
    'would_change',
    'file: { path: /srv/app, state: directory, owner: member, group: team }',
  ],
  ['file in the folder', 'would_change', 'copy: { content: "a = 1\\n", dest: /srv/app/conf, owner: member }'],
  ['line in the file', 'unknown', 'lineinfile: { path: /srv/app/conf, line: b = 2 }'],
  ['block in the file', 'unknown', 'blockinfile: { path: /srv/app/conf, block: c = 3 }'],
  ['link to the file', 'would_change', 'file: { path: /srv/app/link, src: conf, state: link }'],
  ['look at the file', 'ok', 'stat: { path: /srv/app/conf }\n  register: conf'],
  [
    'only where it is there',
    'would_change',
    'file: { path: /srv/app/seen, state: touch }\n  when: conf.stat.exists',
  ],
  ['command', 'unknown', 'command: mkdir /srv/app/made'],
  ['file in what the command makes', 'unknown', 'copy: { content: x, dest: /srv/app/made/file }'],
  [
    'command as the user',
    'unknown',
    'shell: { cmd: id -un > who, chdir: /srv/app, creates: who }\n  become_user: member',
  ],
  ['what a command prints', 'unknown', 'command: echo printed\n  register: said'],
  ['template of it', 'unknown', 'template: { src: said.hbs, dest: /srv/app/said }'],
  [
    'only where it printed',
    'unknown',
    "file: { path: /srv/app/printed, state: touch }\n  when: said.stdout == 'printed'",
  ],
  [
    'unit',
    'would_change',
    'copy: { content: "{{ unit }}", dest: /etc/systemd/system/app.service }\n  notify: restart app',
  ],
  ['service of the unit', 'would_change', 'systemd: { name: app, state: started, enabled: true }'],
  [
    'each of some',
    'would_change',
    "file: { path: '/srv/app/{{ item }}', state: directory }\n  loop: [one, two]",
  ],
]

const folder = mkdtempSync(join(tmpdir(), 'msingi-unknown-'))
const playbook = join(folder, 'site.yml')
let host: LiveHost
let inventory: string

beforeAll(async () => {
  ;[host] = (await startHosts({ os: 'debian-13' })) as [LiveHost]
  inventory = inventoryOf([host])
  mkdirSync(join(folder, 'templates'))
  writeFileSync(join(folder, 'templates/said.hbs'), 'it said {{ said.stdout }}\n')
  const tasks = TASKS.map(([name, , task]) => `    - name: ${name}\n${task.replaceAll(/^/gm, '      ')}`)
  // Further keywords of a task are indented like those of its module.
  writeFileSync(
    playbook,
    `- hosts: all
  become: true
  vars:
    unit: "[Service]\\nExecStart=sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n"
  tasks:
${tasks.join('\n').replaceAll(/^ {8}(?=\w)/gm, '      ')}
  handlers:
    - name: restart app
      systemd: { name: app, state: restarted }
`,
  )
})
afterAll(async () => {
  await stopHosts([host])
  rmSync(folder, { recursive: true })
})

describe('a host on which nothing is there yet', () => {
  test('is planned without an error: what cannot be known is said to be unknown, and until when', async () => {
    let plan: Ran | undefined
    const written = await writtenDuring([host], async () => {
      plan = await msingi('plan', playbook, '-i', inventory)
    })

    expect(written).toEqual([])
    expect(plan?.exit).toBe(2)
    const done = plan ? eventsOf(plan, 'task_done') : []
    const said = new Map(done.map(({ task, status }) => [task, status]))
    expect([...said]).toEqual(TASKS.map(([name, status]) => [name, status]))
    const reasons = Object.fromEntries(done.map(({ task, reason }) => [task, reason]))
    expect(reasons).toMatchObject({
      'its service': 'package',
      'line in its settings': 'package',
      'template of it': 'what a command prints',
      'command as the user': 'user in the group',
    })
  })

  test('becomes what was planned', async () => {
    const run = await msingi('apply', playbook, '-i', inventory)

    expect(failures(run)).toEqual([])
    expect(run.exit).toBe(0)
    const all = eventsOf(run, 'task_done')
    // The package brings a user of that name that is right already, which no plan can know.
    for (const [name, planned] of TASKS) {
      const statuses = new Set(all.filter(({ task }) => task === name).map(({ status }) => status))
      if (planned === 'would_change' && name !== 'its user')
        expect([name, ...statuses]).toEqual([name, 'changed'])
      if (planned === 'ok') expect([name, ...statuses]).toEqual([name, 'ok'])
    }
    expect(eventsOf(run, 'handler_done').map(({ task, status }) => [task, status])).toEqual([
      ['restart app', 'changed'],
    ])
    expect(await host.run('systemctl is-active sample-daemon app; cat /srv/app/said /srv/app/who')).toBe(
      'active\nactive\nit said printed\nmember\n',
    )
  })
})
