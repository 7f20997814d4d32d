import { dirname } from 'node:path'
import type { OnProblem, SourceError } from '../base/error.ts'
import { showSpan } from '../base/span.ts'
import type { Sources } from '../syntax/files.ts'
import type { ScalarNode } from '../syntax/node.ts'
import { readAllRoles } from './all-roles.ts'
import { readContent } from './include.ts'
import { readItems } from './items.ts'
import type { Include, IncludedTasks, Playbook, Role, RoleUse } from './model.ts'
import { readPlaybook } from './play.ts'
import { type Reading, report } from './reading.ts'

export interface LoadOptions {
  /** Names of all modules, aliases included. */
  readonly knownModules: ReadonlySet<string>
  /** Folders that hold `roles/`, besides the one beside each playbook; the project's root. */
  readonly roots?: readonly string[]
}

/** Reads playbooks; files, roles and problems they share are read and reported once. */
export interface Loader {
  /** Returns the playbook, without the parts that are wrong; nothing is thrown. */
  readonly playbook: (file: string) => Playbook
  /**
   * Returns the roles of a folder `roles`, in order of names, each once for every file of tasks by which it can be
   * entered, `tasks.yml` first.
   */
  readonly roles: (folder: string) => readonly (readonly [Role, ...Role[]])[]
  /**
   * Returns what an include leads to once its templates are rendered, or the problems that stand in the way.
   *
   * @param include - one that this loader read
   */
  readonly include: (
    include: Include,
    target: string,
    tasksFrom: string | undefined,
  ) => { readonly content: IncludedTasks | RoleUse | undefined; readonly problems: readonly SourceError[] }
}

/** Returns a loader of playbooks; every problem of a playbook goes to `onProblem`, each once. */
export function openLoader(sources: Sources, onProblem: OnProblem, options: LoadOptions): Loader {
  const seen = new Set<string>()
  const once: OnProblem = problem => {
    const id = `${problem.code} ${showSpan(problem.at)} ${problem.message}`
    if (!seen.has(id)) onProblem(problem)
    seen.add(id)
  }
  const shared = {
    sources,
    knownModules: new Set([...options.knownModules, 'meta']),
    roots: options.roots ?? [],
    roleDir: undefined,
    level: 'task' as const,
    chain: [],
    cache: {
      items: new Map(),
      handlers: new Map(),
      roles: new Map(),
      includes: new WeakMap<Include, Reading>(),
    },
    readItems,
  }

  function playbook(file: string): Playbook {
    const reading: Reading = { ...shared, onProblem: once, playbookDir: dirname(file), file }
    const node = sources.parse(file, once)
    if (
      node === undefined &&
      sources
        .textOf(file)
        ?.replace(/^\s*#.*$/gm, '')
        .trim() === ''
    ) {
      report(reading, 'NOT_A_PLAYBOOK', { file, line: 1, col: 1, length: 1 }, 'this file holds no play')
    }
    return { file, plays: readPlaybook(node, reading) }
  }

  function roles(folder: string): readonly (readonly [Role, ...Role[]])[] {
    return readAllRoles(folder, { ...shared, onProblem: once, playbookDir: dirname(folder), file: folder })
  }

  const include: Loader['include'] = (from, target, tasksFrom) => {
    const problems: SourceError[] = []
    const reading = shared.cache.includes.get(from)
    if (reading === undefined) return { content: undefined, problems }
    const content = readContent(
      from,
      rendered(from.target, target),
      from.tasksFrom && tasksFrom !== undefined ? rendered(from.tasksFrom, tasksFrom) : from.tasksFrom,
      { ...reading, onProblem: problem => problems.push(problem) },
    )
    return { content, problems }
  }

  return { playbook, roles, include }
}

/** Returns the playbook in the file; every problem goes to `onProblem`, and nothing is thrown. */
export function loadPlaybook(
  file: string,
  sources: Sources,
  onProblem: OnProblem,
  options: LoadOptions,
): Playbook {
  return openLoader(sources, onProblem, options).playbook(file)
}

function rendered(node: ScalarNode, value: string): ScalarNode {
  return { ...node, value, text: value, placeOf: () => node.at }
}
