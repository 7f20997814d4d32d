import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SourceError } from '../../src/base/error.ts'
import type { Event, Mode } from '../../src/base/event.ts'
import { Redactor } from '../../src/base/secret.ts'
import type { Inventory } from '../../src/inventory/model.ts'
import { planProject } from '../../src/plan/plan.ts'
import type { Project } from '../../src/plan/step.ts'
import { openLoader } from '../../src/playbook/load.ts'
import { run, type RunOptions, type RunResult } from '../../src/run/run.ts'
import { openSources } from '../../src/syntax/files.ts'
import { fakeConnect, type FakeHost } from './fake-session.ts'
import { fakeModules } from './fake-modules.ts'

/** Returns the project of one playbook text over hosts in memory, with the problems found in it. */
export function fakeProject(
  text: string,
  hosts: readonly string[],
  file = join(mkdtempSync(join(tmpdir(), 'msingi-')), 'site.yml'),
): { project: Project; problems: SourceError[] } {
  const problems: SourceError[] = []
  writeFileSync(file, text)
  const loader = openLoader(openSources(), problem => problems.push(problem), {
    knownModules: new Set(fakeModules.keys()),
  })
  const project = planProject({
    playbooks: [loader.playbook(file)],
    inventory: inventoryOf(hosts),
    hostsOf: () => hosts,
    tags: { only: [], skip: [] },
    extra: undefined,
    modules: fakeModules,
    facts: [],
    load: () => {
      throw new Error('no dynamic includes here')
    },
    onProblem: problem => problems.push(problem),
  })
  return { project, problems }
}

/** Runs a playbook text over hosts in memory. */
export async function fakeRun(
  text: string,
  hosts: Readonly<Record<string, FakeHost>>,
  mode: Mode = 'apply',
  more: Partial<Pick<RunOptions, 'salt' | 'onPlanned' | 'allowed' | 'lock' | 'remembers' | 'operator'>> & {
    readonly file?: string | undefined
  } = {},
): Promise<RunResult & { events: Event[]; tasks: TaskLine[] }> {
  const { project, problems } = fakeProject(text, Object.keys(hosts), more.file?.replace(/:.*$/, ''))
  if (problems.length > 0)
    throw new Error(problems.map(problem => `${problem.code} ${problem.message}`).join('\n'))
  const events: Event[] = []
  const result = await run(project, {
    mode,
    run: 'r1',
    wantsDiff: false,
    forks: 10,
    become: { wanted: undefined, user: undefined, method: undefined },
    connect: fakeConnect(hosts),
    signal: new AbortController().signal,
    emit: event => events.push(event),
    redactor: new Redactor(),
    ...more,
  })
  return { ...result, events, tasks: events.flatMap(taskLine) }
}

/** Host, task and status of one finished task, in one word each. */
export type TaskLine = readonly [task: string, status: string]

function taskLine(event: Event): TaskLine[] {
  return event.type === 'task_done' || event.type === 'handler_done' ? [[event.task, event.status]] : []
}

function inventoryOf(names: readonly string[]): Inventory {
  const reach = {
    connection: 'ssh',
    port: undefined,
    user: 'ops',
    keys: [],
    jump: undefined,
    hostKeys: [],
    reconnect: undefined,
    become: undefined,
    becomeUser: undefined,
    becomeMethod: undefined,
  } as const
  const at = { file: 'hosts.yml', line: 1, col: 1, length: 1 }
  return {
    files: [],
    hosts: new Map(
      names.map(name => [name, { name, at, groups: ['all'], layers: [], reach: { ...reach, host: name } }]),
    ),
    groups: new Map([['all', { name: 'all', parents: [], children: [], hosts: names }]]),
  }
}
