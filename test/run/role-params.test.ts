import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { TaskOutcome } from '../../src/base/event.ts'
import { fakeHost } from '../support/fake-session.ts'
import { fakeRun } from '../support/fake-run.ts'

const SIGNATURE = `summary: Sets a key.
params:
  port: { type: integer, default: 80, min: 1, max: 65535, describe: Port. }
  size: { type: size, default: 1G, describe: Size. }
  label: { type: string, default: ~, describe: Label. }
  other: { type: any, default: '{{ nobody.sets_this }}', describe: Asked for by nobody. }
`
const TASKS = `- { name: first, put: { key: a, value: '{{ port }}' } }
- { name: second, put: { key: b, value: '{{ size }}' } }
`

/** Runs a playbook that calls the role \`web\`; returns each task with its status or the code of its failure. */
async function outcomes(playbook: string, mode: 'apply' | 'plan' = 'apply'): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'msingi-'))
  for (const [name, text] of [
    ['role.yml', SIGNATURE],
    ['tasks.yml', TASKS],
  ] as const) {
    const file = join(folder, 'roles/web', name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  const { events } = await fakeRun(playbook, { h: fakeHost({ seen: '99999' }) }, mode, {
    file: join(folder, 'site.yml'),
  })
  return events.flatMap(event => (event.type === 'task_done' ? [`${event.task}: ${wordFor(event)}`] : []))
}

function wordFor({ status, failure }: TaskOutcome): string {
  return failure === undefined ? status : failure.code
}

describe('run/role parameters', () => {
  test('good ones let the role run', async () => {
    const playbook =
      "- hosts: all\n  vars: { p: 8080, s: 20G }\n  roles: [{ role: web, port: '{{ p }}', size: '{{ s }}' }]\n"

    expect(await outcomes(playbook)).toEqual(['first: changed', 'second: changed'])
  })

  test.each([
    ['of the wrong type', "port: '{{ p }}'", "p: '8080'"],
    ['out of bounds', "port: '{{ p }}'", 'p: 70000'],
    ['no amount', "size: '{{ p }}'", 'p: large'],
    ['nothing', "port: '{{ p }}'", 'p: ~'],
  ])('a value that is %s stops the role before its first task', async (_, param, variable) => {
    const playbook = `- hosts: all\n  vars: { ${variable} }\n  roles: [{ role: web, ${param} }]\n`

    expect(await outcomes(playbook)).toEqual(['first: BAD_ROLE_PARAM'])
  })

  test('a role that is skipped is not checked', async () => {
    const playbook =
      "- hosts: all\n  vars: { p: x }\n  roles: [{ role: web, port: '{{ p }}', when: false }]\n"

    expect(await outcomes(playbook)).toEqual(['first: skipped', 'second: skipped'])
  })

  test('each call is checked by itself', async () => {
    const playbook =
      "- hosts: all\n  vars: { p: x }\n  tasks:\n    - include_role: { name: web }\n    - include_role: { name: web }\n      vars: { port: '{{ p }}' }\n"

    expect(await outcomes(playbook)).toEqual(['first: changed', 'second: changed', 'first: BAD_ROLE_PARAM'])
  })

  test('a value that is not known yet lets the role be planned', async () => {
    const playbook = `- hosts: all
  tasks:
    - { name: before, put: { key: c, value: 1 }, register: made }
    - import_role: { name: web }
      vars: { port: '{{ made.later }}' }
`
    const found = await outcomes(playbook, 'plan')

    expect(found).toContain('before: would_change')
    expect(found.join()).not.toContain('BAD_ROLE_PARAM')
  })
})
