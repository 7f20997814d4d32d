import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Event, Mode } from '../../src/base/event.ts'
import { Redactor } from '../../src/base/secret.ts'
import { ProjectError } from '../../src/cli/complain.ts'
import { openProject } from '../../src/cli/project.ts'
import type { Inventory } from '../../src/inventory/model.ts'
import type { Project } from '../../src/plan/step.ts'
import { run } from '../../src/run/run.ts'
import type { Connect } from '../../src/transport/session.ts'

const INVENTORY = 'all: { hosts: { h1: { kind: red }, h2: { kind: blue } } }\n'

/**
 * Returns a project as the command line reads it, with the real modules and two hosts, `h1` of kind red and `h2` of kind blue.
 *
 * @throws ProjectError with everything that is wrong.
 */
export function opened(playbook: string, files: Readonly<Record<string, string>> = {}): Project {
  const folder = mkdtempSync(join(tmpdir(), 'msingi-'))
  for (const [name, text] of Object.entries({ 'inv/hosts.yml': INVENTORY, 'site.yml': playbook, ...files })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  const flags = { inventory: [join(folder, 'inv')], extraVars: [], tags: [], skipTags: [] }
  return openProject([join(folder, 'site.yml')], flags, {}).project
}

/** Returns code and place of everything that is wrong with a project. */
export function problemsOf(
  playbook: string,
  files: Readonly<Record<string, string>> = {},
): readonly string[] {
  try {
    opened(playbook, files)
  } catch (error) {
    if (error instanceof ProjectError)
      return error.problems.map(({ code, at }) => `${code} ${at.line}:${at.col}`)
    throw error
  }
  return []
}

/** Runs a project and returns its events. */
export async function eventsOf(
  project: Project,
  connect: Connect,
  more: { readonly mode?: Mode; readonly onGrown?: (inventory: Inventory) => void } = {},
): Promise<readonly Event[]> {
  const events: Event[] = []
  await run(project, {
    mode: more.mode ?? 'plan',
    run: 'r1',
    wantsDiff: false,
    forks: 10,
    become: { wanted: undefined, user: undefined, method: undefined },
    connect,
    signal: new AbortController().signal,
    emit: event => events.push(event),
    redactor: new Redactor(),
    onGrown: more.onGrown,
  })
  return events
}

/** Runs a project and returns what its debug tasks said, as `host: text`. */
export async function said(
  project: Project,
  connect: Connect,
  mode: Mode = 'plan',
): Promise<readonly string[]> {
  return sayings(await eventsOf(project, connect, { mode }))
}

/** Returns what debug tasks said. */
export function sayings(events: readonly Event[]): readonly string[] {
  return events.flatMap(event =>
    event.type === 'task_done' && event.module === 'debug' && event.status === 'ok'
      ? [`${event.host}: ${String(event.result['msg'])}`]
      : [],
  )
}
