import { SourceError, UsageError } from '../base/error.ts'
import { modules } from '../modules/registry.gen.ts'
import { planProject } from '../plan/plan.ts'
import type { Project } from '../plan/step.ts'
import { openLoader } from '../playbook/load.ts'
import type { Loader } from '../playbook/load.ts'
import type { Include, IncludedTasks, RoleUse } from '../playbook/model.ts'
import { FACTS } from '../probes/facts.ts'
import { hostChooser } from './play-hosts.ts'
import { openInventory, refuseProblems } from './inventory.ts'
import type { MayStayLocked, OpenInventory } from './inventory.ts'
import type { ChoiceFlags, InventoryFlags } from './options.ts'

/** A project without problems, and what it was read from. */
export interface OpenProject extends OpenInventory {
  readonly project: Project
}

/**
 * Reads and checks playbooks with their inventory. Nothing is contacted.
 *
 * @throws ProjectError with everything that is wrong; UsageError NO_PLAYBOOK, NO_INVENTORY or NO_MATCH.
 */
export function openProject(
  files: readonly string[],
  flags: InventoryFlags & ChoiceFlags & MayStayLocked,
  env: NodeJS.ProcessEnv,
): OpenProject {
  const opened = openInventory(flags, files, env)
  const { sources, inventory, extra, problems } = opened
  for (const file of files) {
    if (sources.kindOf(file) === 'file') continue
    throw new UsageError('NO_PLAYBOOK', `there is no playbook \`${file}\``)
  }
  const onProblem = (problem: SourceError): void => {
    problems.push(problem)
  }
  const loader = openLoader(sources, onProblem, { knownModules: new Set(modules.keys()), roots: ['.'] })
  const playbooks = files.map(file => loader.playbook(file))
  const project = planProject({
    playbooks,
    inventory,
    hostsOf: hostChooser({ inventory, extra, limit: flags.limit, onProblem }),
    tags: { only: flags.tags, skip: flags.skipTags },
    extra,
    modules,
    facts: Object.keys(FACTS),
    load: include(loader),
    onProblem,
  })
  refuseProblems(opened)
  if (project.plays.length > 0 && project.plays.every(play => play.hosts.length === 0)) {
    const why =
      flags.limit === undefined
        ? 'no play has a host'
        : `no host of a play matches \`--limit ${flags.limit}\``
    throw new UsageError('NO_MATCH', why)
  }
  return { ...opened, project }
}

function include(
  loader: Loader,
): (from: Include, target: string, tasksFrom: string | undefined) => IncludedTasks | RoleUse {
  return (from, target, tasksFrom) => {
    const { content, problems } = loader.include(from, target, tasksFrom)
    if (problems[0]) throw problems[0]
    if (content) return content
    throw new SourceError('MISSING_FILE', from.target.at, `\`${target}\` cannot be included`)
  }
}
