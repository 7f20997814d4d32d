import { SourceError, type OnProblem } from '../base/error.ts'
import { didYouMean } from '../base/nearest.ts'
import { hostNamed, type Inventory } from '../inventory/model.ts'
import type { AnyModule } from '../modules/module.ts'
import type { Playbook, Play } from '../playbook/model.ts'
import { missingParams } from '../playbook/role-params.ts'
import type { Layer } from '../vars/scope.ts'
import { NameCheck } from './check-names.ts'
import { checkParams } from './check-params.ts'
import { checkCarriedOut } from './carried-out.ts'
import { expand, expandHandler, expandRole, type Expansion } from './expand.ts'
import { FactFinder } from './fact-finder.ts'
import { allTasks } from './leaves.ts'
import { namesIncludedBy } from './included-vars.ts'
import { newcomers, varsAddedBy, type Adding, type Newcomers } from './newcomers.ts'
import { enterRole, inherit, namesSetBy, playLayers, playSettings } from './settings.ts'
import type { PlannedPlay, Project, Section, Step } from './step.ts'
import type { TagChoice } from './tags.ts'

export interface PlanInput {
  readonly playbooks: readonly Playbook[]
  readonly inventory: Inventory
  /** Returns the hosts of a play in an inventory, in order; reports a pattern that matches nothing. */
  readonly hostsOf: (play: Play, inventory: Inventory, onProblem?: OnProblem) => readonly string[]
  readonly tags: TagChoice
  /** Variables of the command line. */
  readonly extra: Layer | undefined
  readonly modules: ReadonlyMap<string, AnyModule>
  /** Names of the facts a host can be asked for. */
  readonly facts: readonly string[]
  readonly load: Expansion['load']
  readonly onProblem: OnProblem
}

/**
 * Turns playbooks and inventory into the steps of a run and checks everything that can be checked without a host:
 * modules and their parameters, templates and conditions, names, files, handlers. All problems are reported.
 */
export function planProject(input: PlanInput): Project {
  const how: Expansion = { ...input, seen: new Map(), identities: new Map() }
  const plays: PlannedPlay[] = []
  const around: Newcomers[] = []
  const adding: Adding[] = []
  const everyPlay = input.playbooks.flatMap(playbook => playbook.plays)
  for (const play of everyPlay) {
    const before = newcomers(adding, everyPlay, input.inventory)
    around.push(before)
    const planned = planPlay(play, input, how, before)
    plays.push(planned)
    for (const step of tasksOf(planned)) if (step.module.adds) adding.push({ play: planned, step })
  }
  const runNames = new Set(
    plays.flatMap(play =>
      tasksOf(play).flatMap(step => [...namesSetBy(step), ...varsAddedBy(step), ...namesIncludedBy(step)]),
    ),
  )
  const checked = plays.map((play, index) => check(play, input, runNames, around[index]?.inventory))
  return {
    files: input.playbooks.map(({ file }) => file),
    inventory: input.inventory,
    plays: checked,
    extra: input.extra,
  }
}

function planPlay(play: Play, input: PlanInput, how: Expansion, before: Newcomers): PlannedPlay {
  const settings = playSettings(play)
  const sections: Section[] = [
    { name: 'pre_tasks', items: expand(play.preTasks, settings, how) },
    {
      name: 'tasks',
      items: [
        ...play.roles.flatMap(use => expandRole(use, settings, how)),
        ...expand(play.tasks, settings, how),
      ],
    },
    { name: 'post_tasks', items: expand(play.postTasks, settings, how) },
  ]
  return {
    name: play.name?.text ?? `play ${play.at.line} of ${play.file}`,
    at: play.at,
    play,
    hosts: hostsBefore(play, input, before),
    isOpen: before.isAny,
    hostsIn: (inventory, onProblem) => input.hostsOf(play, inventory, onProblem),
    sections,
    gate: expand(play.gate, settings, how),
    handlers: handlersOf(play, how),
    vars: playLayers(play),
    facts: new Set(),
  }
}

/** Hosts that are there before the run; where tasks may add others, only what can never match is a problem. */
function hostsBefore(
  play: Play,
  { hostsOf, inventory }: PlanInput,
  { isAny, inventory: grown }: Newcomers,
): readonly string[] {
  const found = hostsOf(play, grown)
  return isAny ? hostsOf(play, { ...inventory, mayCome: () => true }) : found
}

/** Handlers of the play and of its roles, in the order of definition: roles first, as their tasks come first. */
function handlersOf(play: Play, how: Expansion): Step[] {
  const settings = playSettings(play)
  const ofRoles = rolesOf(play).flatMap(use => {
    const inner = enterRole(inherit(settings, use.keywords, `role ${use.role.name}`), use)
    return use.role.handlers.map(handler => expandHandler(handler, inner, how))
  })
  const own = play.handlers.map(handler => expandHandler(handler, settings, how))
  return [...ofRoles, ...own].filter(step => step !== undefined)
}

function rolesOf(play: Play): Play['roles'] {
  const inItems = (items: Play['tasks']): Play['roles'] =>
    items.flatMap(item => {
      if (item.kind === 'block')
        return [...inItems(item.body), ...inItems(item.rescue), ...inItems(item.always)]
      if (item.kind !== 'include' || item.content === undefined) return []
      return item.content.kind === 'role'
        ? [item.content, ...inItems(item.content.role.tasks)]
        : inItems(item.content.items)
    })
  const direct = [...play.roles, ...inItems([...play.preTasks, ...play.tasks, ...play.postTasks])]
  return [...direct, ...play.roles.flatMap(use => inItems(use.role.tasks))]
}

/** Checks a play with all hosts it may have; those that may be added are in `grown`. */
function check(
  planned: PlannedPlay,
  given: PlanInput,
  runNames: ReadonlySet<string>,
  grown: Inventory = given.inventory,
): PlannedPlay {
  const input = { ...given, inventory: grown }
  const play = planned.isOpen ? { ...planned, hosts: planned.hostsIn(grown, () => undefined) } : planned
  const names = new NameCheck(play, { ...input, runNames }, input.onProblem)
  const topics = new Set(play.handlers.flatMap(handler => handler.topics))
  const facts = new FactFinder(input.facts)
  const around = layersAround(play, input)
  checkCarriedOut(play, input.inventory, input.onProblem)
  checkRoleCalls(play, names, input.onProblem)
  for (const step of tasksOf(play)) {
    checkParams(step, input.onProblem)
    checkNotified(step, topics, input.onProblem)
    const { roleDefaults, roleParams, taskVars } = step.settings
    facts.follow(names.step(step), [...roleDefaults, ...around, ...roleParams, ...taskVars])
  }
  return { ...planned, facts: facts.found }
}

/** Every variable that some host of the play sees, whatever the task. */
function layersAround(play: PlannedPlay, { inventory, extra }: PlanInput): readonly Layer[] {
  const ofHosts = play.hosts.flatMap(name => hostNamed(inventory, name)?.layers ?? [])
  const distinct = new Map(ofHosts.map(layer => [layer.vars, layer]))
  return [...distinct.values(), ...play.vars, ...(extra ? [extra] : [])]
}

/** A parameter without a default may come from the inventory as well as from the call. */
function checkRoleCalls({ play }: PlannedPlay, names: NameCheck, onProblem: OnProblem): void {
  for (const use of rolesOf(play)) {
    const settings = enterRole(inherit(playSettings(play), use.keywords, `role ${use.role.name}`), use)
    for (const problem of missingParams(use, name => names.isSet(name, settings))) onProblem(problem)
  }
}

function checkNotified(step: Step, topics: ReadonlySet<string>, onProblem: OnProblem): void {
  for (const topic of step.settings.notify) {
    if (topic.text.includes('{{') || topics.has(topic.text)) continue
    onProblem(
      new SourceError('MISSING_HANDLER', topic.at, `no handler is named or listens to \`${topic.text}\``, {
        hint: didYouMean(topic.text, topics),
      }),
    )
  }
}

function tasksOf(play: PlannedPlay): Step[] {
  return [
    ...play.sections.flatMap(section => [...allTasks(section.items)]),
    ...allTasks(play.gate),
    ...play.handlers,
  ]
}
