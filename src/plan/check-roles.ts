import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SourceError, type OnProblem } from '../base/error.ts'
import { didYouMean } from '../base/nearest.ts'
import { showSpan, type Span } from '../base/span.ts'
import type { AnyModule } from '../modules/module.ts'
import type { Role, RoleParam, RoleUse } from '../playbook/model.ts'
import { checkTextFile } from '../vars/check.ts'
import { references, type Reference } from '../vars/references.ts'
import type { Layer } from '../vars/scope.ts'
import { BUILTIN } from './check-names.ts'
import { checkParams } from './check-params.ts'
import { type Expansion, expand, expandHandler } from './expand.ts'
import { mentionsOf } from './mentions.ts'
import { bareSettings, enterRole, inMap, namesSetBy } from './settings.ts'
import type { PlanItem, Settings } from './step.ts'

/** A role as its folder holds it: the same role once for each file of tasks it can be entered by. */
export type Entries = readonly [Role, ...Role[]]

/** What checking roles on their own needs to know. */
export interface RoleChecks {
  readonly modules: ReadonlyMap<string, AnyModule>
  readonly onProblem: OnProblem
}

/**
 * Checks a role on its own, whoever may call it: its signature says what it is for and what each parameter means, every
 * variable that its texts mention is a parameter or made by the role, and every parameter is used.
 */
export function checkRole(entries: Entries, checks: RoleChecks): void {
  const [role] = entries
  const onProblem = onceEach(checks.onProblem)
  checkSignature(role, onProblem)
  const items = entries.flatMap(entry => itemsOf(entry, { ...checks, onProblem }))
  const own = items.filter(item => item.settings.role === role.name)
  for (const item of own) if (item.kind === 'task') checkParams(item, onProblem)
  const mentioned = [
    ...own.flatMap(item => mentionedBy(item, onProblem)),
    ...items.flatMap(item => layersOf(item.settings)).flatMap(({ vars }) => references(vars, 'value')),
    ...role.signature.params.flatMap(({ default: node }) => (node ? references(node, 'value') : [])),
  ]
  const known = new Set([...BUILTIN, ...items.flatMap(namesIn), ...layerNames(items), ...names(role)])
  for (const reference of mentioned) if (!known.has(reference.root)) onProblem(undeclared(reference, role))
  const used = new Set([...mentioned, ...inTemplates(role)].map(({ root }) => root))
  for (const param of role.signature.params) if (!used.has(param.name)) onProblem(unused(param, role))
}

/** All but blocks, of which the parts count. */
type Leaf = Exclude<PlanItem, { readonly kind: 'block' }>

function itemsOf(role: Role, checks: RoleChecks): readonly Leaf[] {
  const use: RoleUse = { kind: 'role', at: start(role), role, params: undefined, keywords: new Map() }
  const settings = enterRole(bareSettings(role.dir), use)
  const how: Expansion = {
    ...checks,
    tags: { only: ['tagged', 'untagged', 'never'], skip: [] },
    seen: new Map(),
    identities: new Map(),
    load: () => {
      throw new SourceError('MISSING_FILE', start(role), 'an include is known at run time only')
    },
  }
  const handlers = role.handlers.flatMap(handler => expandHandler(handler, settings, how) ?? [])
  return [...leavesOf(expand(role.tasks, settings, how)), ...handlers]
}

function leavesOf(items: readonly PlanItem[]): readonly Leaf[] {
  return items.flatMap(item =>
    item.kind === 'block' ? leavesOf([...item.body, ...item.rescue, ...item.always]) : [item],
  )
}

function checkSignature({ name, dir, signature }: Role, onProblem: OnProblem): void {
  const at = { file: signature.file, line: 1, col: 1, length: 1 }
  if (signature.summary === '') {
    const message = `the role \`${name}\` does not say what it does`
    onProblem(
      new SourceError('MISSING_KEYWORD', at, message, {
        hint: `add \`summary:\` to \`${join(dir, 'role.yml')}\``,
      }),
    )
  }
  for (const param of signature.params) {
    if (param.describe !== '') continue
    const message = `the parameter \`${param.name}\` does not say what it means`
    onProblem(new SourceError('MISSING_KEYWORD', param.at, message, { hint: 'add `describe:`' }))
  }
}

function mentionedBy(item: Leaf, onProblem: OnProblem): readonly Reference[] {
  const { when } = item.settings
  if (item.kind === 'task') return mentionsOf(item, onProblem)
  const conditions = when.flatMap(node => references(node, 'condition'))
  if (item.kind === 'meta') return conditions
  const loop = item.settings.keywords.get('loop')
  const texts = [item.target, item.tasksFrom, loop].flatMap(node => (node ? references(node, 'value') : []))
  return [...conditions, ...texts]
}

/** Names that exist from a task on: what it registers or sets, and the variables of its loop. */
function namesIn(item: Leaf): readonly string[] {
  const control = item.settings.keywords.get('loop_control')
  const ofLoop = ['loop_var', 'index_var'].flatMap(key => {
    const node = inMap(control, key)
    return node?.kind === 'scalar' ? [node.text] : []
  })
  return item.kind === 'task' ? [...ofLoop, ...namesSetBy(item)] : ofLoop
}

/** Values that the role gives to the variables of its tasks, and to the roles that it calls. */
function layersOf({ roleParams, taskVars }: Settings): readonly Layer[] {
  return [...roleParams, ...taskVars]
}

function layerNames(items: readonly Leaf[]): readonly string[] {
  const vars = items.flatMap(({ settings }) => settings.taskVars.map(layer => layer.vars))
  return [...new Set(vars)].flatMap(({ entries }) => entries.map(({ key }) => String(key.value)))
}

function names({ signature }: Role): readonly string[] {
  return signature.params.map(param => param.name)
}

/** Which template is used may be known at run time only; so all of them count. */
function inTemplates({ dir }: Role): readonly Reference[] {
  return filesIn(join(dir, 'templates')).flatMap(path =>
    checkTextFile(readFileSync(path, 'utf8'), path, () => undefined),
  )
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name))
  } catch {
    return []
  }
}

function undeclared({ root, at }: Reference, role: Role): SourceError {
  const message = `\`${root}\` is no parameter of the role \`${role.name}\`, and none of its tasks sets it`
  const hint = didYouMean(root, names(role)) ?? `declare it under \`params\` in \`${role.signature.file}\``
  return new SourceError('UNDECLARED_VAR', at, message, { hint })
}

function unused({ name, at }: RoleParam, role: Role): SourceError {
  const message = `no text of the role \`${role.name}\` uses its parameter \`${name}\``
  return new SourceError('UNUSED_PARAM', at, message, { hint: 'use it, or take it out' })
}

function onceEach(onProblem: OnProblem): OnProblem {
  const seen = new Set<string>()
  return problem => {
    const identity = `${problem.code} ${showSpan(problem.at)}`
    if (!seen.has(identity)) onProblem(problem)
    seen.add(identity)
  }
}

function start({ signature }: Role): Span {
  return { file: signature.file, line: 1, col: 1, length: 1 }
}
