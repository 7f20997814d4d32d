import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { LiveHost } from './hosts.ts'
import { eventsOf, FILE_SYSTEM_HASH, inventoryOf, msingi, tasksThat, type Ran } from './msingi.ts'

/** What a person does by hand to a host that is right, and what drift has to say about it. */
export interface Mutation {
  readonly script: string
  /** Kinds and things of all differences, such as `mode /etc/app.conf`. */
  readonly names: readonly string[]
}

export interface Cycle {
  /** Tasks in YAML, run as root. */
  readonly tasks: string
  /** Scripts that look at the host past msingi, and what they print once it is right. */
  readonly observed: Readonly<Record<string, string>>
  readonly mutations: readonly Mutation[]
}

/**
 * Holds tasks to what every module promises: a plan writes nothing, an apply makes the host right by an independent look, a second one
 * changes nothing, drift names exactly what was changed by hand, and an apply repairs it.
 */
export async function cycle(host: LiveHost, { tasks, observed, mutations }: Cycle): Promise<void> {
  const project = projectOf(host, tasks)
  const before = await host.run(FILE_SYSTEM_HASH)
  const plan = await msingi('plan', ...project)
  expect([plan.exit, tasksThat(plan, 'failed')], plan.stderr).toEqual([2, []])
  expect(await host.run(FILE_SYSTEM_HASH), 'a plan writes nothing').toBe(before)

  await applied(project)
  await looksRight(host, observed)
  const again = await applied(project)
  expect(changesIn(again), 'a second run changes nothing').toEqual([])

  for (const { script, names } of mutations) {
    await host.run(script)
    const drift = await msingi('drift', ...project)
    expect([drift.exit, changesIn(drift)], script).toEqual([2, names])
    expect(changesIn(await applied(project)), script).toEqual(names)
    await looksRight(host, observed)
  }
}

/** Returns the arguments of a project that has these tasks for the host. */
export function projectOf(host: LiveHost, tasks: string): readonly string[] {
  const file = join(mkdtempSync(join(tmpdir(), 'msingi-live-')), 'site.yml')
  const indented = tasks.trimEnd().replaceAll(/^(?=.)/gm, '    ')
  writeFileSync(file, `- hosts: all\n  become: true\n  tasks:\n${indented}\n`)
  return [file, '-i', inventoryOf([host])]
}

/** Returns kind and thing of all differences, in order. */
export function changesIn(ran: Ran): readonly string[] {
  return [...eventsOf(ran, 'task_done'), ...eventsOf(ran, 'handler_done')].flatMap(({ changes }) =>
    changes.map(({ kind, what }) => `${kind} ${what}`),
  )
}

async function applied(project: readonly string[]): Promise<Ran> {
  const ran = await msingi('apply', ...project)
  const failures = eventsOf(ran, 'task_done').flatMap(({ failure }) => failure ?? [])
  expect([ran.exit, failures], ran.stderr).toEqual([0, []])
  return ran
}

async function looksRight(host: LiveHost, observed: Cycle['observed']): Promise<void> {
  for (const [script, output] of Object.entries(observed))
    expect((await host.run(script)).trimEnd(), script).toBe(output)
}
