import { SourceError, TaskError } from '../base/error.ts'
import { Secret } from '../base/secret.ts'
import type { Registered } from '../base/result.ts'
import { findUnknown, Unknown } from '../base/unknown.ts'
import type { AnyModule, Input, Verdict } from '../modules/module.ts'
import { readVars } from '../plan/included-vars.ts'
import { findLocal, openPlace, readLocal } from '../plan/lookup.ts'
import { checkRoleValues } from '../plan/role-values.ts'
import type { RoleCall, Step } from '../plan/step.ts'
import { issueCode } from '../plan/param-issue.ts'
import { listOf } from '../plan/settings.ts'
import { nodeAt, type Node } from '../syntax/node.ts'
import { evaluate, holds } from '../vars/condition.ts'
import { render, renderText } from '../vars/render.ts'
import type { Scope } from '../vars/scope.ts'

/** What became of a task's texts on one host: parameters ready for the module, or why there are none. */
export type Resolved =
  | { readonly kind: 'ready'; readonly params: unknown; readonly env: Readonly<Record<string, string>> }
  | { readonly kind: 'skip'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly until: string }

/**
 * Settles conditions, templates and local files of a task and checks its parameters and those of its role.
 *
 * @param checked - the roles whose parameters are known to be right on this host
 * @throws SourceError or TaskError where a text is wrong for this host; Pending where an answer of the host is outstanding.
 */
export function resolve(step: Step, scope: Scope, checked: WeakSet<RoleCall>): Resolved {
  const verdict = allHold(step.settings.when, scope)
  if (verdict instanceof Unknown) return { kind: 'unknown', until: verdict.until }
  if (verdict !== true) return { kind: 'skip', reason: `\`${verdict}\` does not hold` }
  checkRoles(step, scope, checked)
  const args = argumentsOf(step, scope)
  const unknown = findUnknown(args)
  if (unknown) return { kind: 'unknown', until: unknown.until }
  const env = environment(step, scope)
  if (env instanceof Unknown) return { kind: 'unknown', until: env.until }
  return { kind: 'ready', params: parse(step, args), env }
}

/** A role's parameters are checked before its first task that runs; where one is unknown yet, before the next one again. */
function checkRoles(step: Step, scope: Scope, checked: WeakSet<RoleCall>): void {
  for (const call of step.settings.calls)
    if (!checked.has(call) && checkRoleValues(call, scope)) checked.add(call)
}

/** Returns true, the text of the first condition that does not hold, or Unknown; false beats unknown wherever it stands. */
function allHold(conditions: readonly Node[], scope: Scope): true | string | Unknown {
  let unknown: Unknown | undefined
  for (const condition of conditions) {
    const verdict = holds(condition, scope)
    if (verdict === false) return condition.kind === 'scalar' ? condition.text : 'when'
    if (verdict instanceof Unknown) unknown ??= verdict
  }
  return unknown ?? true
}

/** Returns the module's arguments as plain data, with what they name on the controller put in its place. */
function argumentsOf(step: Step, scope: Scope): unknown {
  const { module, args } = step
  if (args.kind === 'scalar') {
    if (args.value === null) return {}
    return module.freeForm === undefined
      ? render(args, scope)
      : { [module.freeForm]: argument(step, module.freeForm, args, scope, false) }
  }
  if (args.kind === 'list')
    return module.freeForm === undefined ? render(args, scope) : { [module.freeForm]: render(args, scope) }
  const isRemote = args.entries.some(
    ({ key, value }) => key.value === 'remote_src' && isTrue(render(value, scope)),
  )
  return Object.fromEntries(
    args.entries.map(({ key, value }) => [
      String(key.value),
      argument(step, String(key.value), value, scope, isRemote),
    ]),
  )
}

function argument(step: Step, key: string, node: Node, scope: Scope, isRemote: boolean): unknown {
  const input = step.module.inputs?.[key]
  switch (input) {
    case undefined:
      return render(node, scope)
    case 'condition':
      return verdicts(node, scope)
    case 'variable':
      return node.kind === 'scalar' ? evaluate(node, scope) : render(node, scope)
    case 'place':
      return placeFor(render(node, scope), step, scope)
    default:
      return isRemote ? render(node, scope) : local(step, input, node, scope)
  }
}

/** A relative path begins at the playbook's folder. */
function placeFor(written: unknown, step: Step, scope: Scope): unknown {
  if (typeof written !== 'string' || written === '') return written
  return openPlace(written, step.settings.places.at(-1) ?? '.', String(scope.value('inventory_hostname')))
}

function verdicts(node: Node, scope: Scope): readonly (Verdict | Unknown)[] {
  return listOf(node).map(item => {
    const verdict = holds(item, scope)
    return verdict instanceof Unknown
      ? verdict
      : { text: item.kind === 'scalar' ? item.text : '', holds: verdict }
  })
}

function local(
  step: Step,
  input: Exclude<Input, 'condition' | 'variable' | 'place'>,
  node: Node,
  scope: Scope,
): unknown {
  const name = render(node, scope)
  if (typeof name !== 'string') return name
  const folder = input === 'template' ? 'templates' : input === 'vars' ? 'vars' : 'files'
  const path = findLocal(name, folder, step.settings.places)
  if (path === undefined) {
    throw new SourceError(
      input === 'template' ? 'MISSING_TEMPLATE' : 'MISSING_FILE',
      node.at,
      `\`${name}\` is not on the controller`,
      {
        hint: `put it into one of ${step.settings.places.map(place => `${place}/${folder}`).join(', ')}`,
      },
    )
  }
  if (input === 'vars') return readVars(path)
  const found = readLocal(path)
  if (input === 'tree') return keepSlash(found, name)
  if (!('content' in found))
    throw new SourceError('BAD_PARAM', node.at, `\`${name}\` is a folder, expected a file`)
  if (input === 'file') return found
  return renderText(Buffer.from(found.content()).toString('utf8'), path, scope)
}

/** A folder named with a slash at its end means its content, not itself. */
function keepSlash<T extends { readonly path: string }>(found: T, name: string): T {
  return name.endsWith('/') && !('content' in found)
    ? { ...found, path: `${found.path.replace(/\/+$/, '')}/` }
    : found
}

function parse(step: Step, args: unknown): unknown {
  const parsed = step.module.params.safeParse(args)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const path = issue?.path ?? []
  if (issue?.code !== 'custom' && valueAt(args, path) instanceof Secret) throw exposed(step, path)
  const title = [step.module.name, ...path].join('.')
  throw new SourceError(
    issue ? issueCode(issue, args) : 'BAD_PARAM',
    nodeAt(step.args, path).at,
    `${title}: ${issue?.message ?? 'wrong'}`,
  )
}

function exposed({ module }: Step, path: readonly PropertyKey[]): TaskError {
  return new TaskError(
    'SECRET_EXPOSED',
    `\`${[module.name, ...path].join('.')}\` is no place for a secret: it would be seen in the list of processes or in the output`,
    'give it on `stdin`, or write it to a file of mode 0600 that the program reads',
  )
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (value !== null && typeof value === 'object' ? Reflect.get(value, key) : undefined),
    data,
  )
}

function environment(step: Step, scope: Scope): Readonly<Record<string, string>> | Unknown {
  const merged: Record<string, string> = {}
  for (const node of step.settings.environment) {
    const value = render(node, scope)
    const unknown = findUnknown(value)
    if (unknown) return unknown
    if (value === null || typeof value !== 'object')
      throw new SourceError('BAD_VALUE', node.at, 'environment is not a map')
    for (const [name, text] of Object.entries(value)) merged[name] = visibleText(name, text)
  }
  return merged
}

/** Whoever is on the host can read the environment of a process of theirs, and root that of all. */
function visibleText(name: string, value: unknown): string {
  if (!(value instanceof Secret)) return String(value)
  throw new TaskError(
    'SECRET_EXPOSED',
    `the environment variable \`${name}\` would show a secret`,
    'give it on `stdin`, or write it to a file of mode 0600 that the program reads',
  )
}

/** What has keywords: a task, an include, a meta task. */
export type Asking = Pick<Step, 'settings' | 'at'>

/** Returns a keyword's value on this host as a boolean; YAML's and Ansible's spellings are understood. */
export function flag(step: Asking, keyword: string, scope: Scope): boolean | undefined {
  const node = step.settings.keywords.get(keyword)
  if (node === undefined) return undefined
  const value = render(node, scope)
  if (isTrue(value)) return true
  if (value === false || (typeof value === 'string' && /^(no|false|off)$/i.test(value))) return false
  throw new SourceError(
    'BAD_VALUE',
    node.at,
    `\`${keyword}\` is \`${String(value)}\`, expected true or false`,
  )
}

/** Returns a keyword's value on this host as text. */
export function text(step: Asking, keyword: string, scope: Scope): string | undefined {
  const node = step.settings.keywords.get(keyword)
  if (node === undefined) return undefined
  const value = render(node, scope)
  if (value instanceof Unknown)
    throw new TaskError('UNKNOWN_VALUE', `\`${keyword}\` is unknown until ${value.until}`)
  if (value === null) return undefined
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value)
  throw new SourceError('BAD_VALUE', node.at, `\`${keyword}\` is not a text`)
}

/** Returns a keyword's value on this host as a number; 0 or more. */
export function number(step: Asking, keyword: string, scope: Scope): number | undefined {
  const written = text(step, keyword, scope)
  if (written === undefined) return undefined
  const value = Number(written)
  if (Number.isFinite(value) && value >= 0) return value
  const at = step.settings.keywords.get(keyword)?.at ?? step.at
  throw new SourceError('BAD_VALUE', at, `\`${keyword}\` is \`${written}\`, expected a number`)
}

/** Returns the name a task is shown under; a template in it that cannot be settled yet is shown as written. */
export function titleOf(step: Step, scope: Scope): string {
  if (step.name === undefined) return step.title
  try {
    const name = render(step.name, scope)
    return typeof name === 'string' ? name : step.title
  } catch {
    return step.title
  }
}

/** Returns the variables a task sets for its host. */
export function setsOf(module: AnyModule, params: unknown): Registered {
  return module.sets?.(params) ?? {}
}

/** Returns the list of a loop's values, or Unknown. */
export function loopItems(node: Node, scope: Scope): readonly unknown[] | Unknown {
  const value =
    node.kind === 'scalar' && typeof node.value === 'string' && !node.value.includes('{{')
      ? evaluate(node, scope)
      : render(node, scope)
  if (value instanceof Unknown) return value
  if (Array.isArray(value)) return value as unknown[]
  throw new SourceError('BAD_VALUE', node.at, 'the loop is not over a list', {
    hint: 'give a list, or make one of a map with dict2items',
  })
}

function isTrue(value: unknown): boolean {
  return value === true || (typeof value === 'string' && /^(yes|true|on)$/i.test(value))
}
