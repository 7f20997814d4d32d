import { SourceError, type OnProblem } from '../base/error.ts'
import { didYouMean } from '../base/nearest.ts'
import { paramNames, type Input } from '../modules/module.ts'
import { nodeAt, plain, type MapNode, type Node } from '../syntax/node.ts'
import { containsTemplate } from '../vars/render.ts'
import { readVars } from './included-vars.ts'
import { findLocal, openPlace, readLocal } from './lookup.ts'
import { type Issue, issueCode } from './param-issue.ts'
import { listOf } from './settings.ts'
import type { Step } from './step.ts'

/**
 * Checks a task's arguments against the module's parameters as far as that is possible without variables: names always,
 * values where they hold no template.
 */
export function checkParams(step: Step, onProblem: OnProblem): void {
  const args = asMap(step)
  if (args === undefined) return checkShape(step, onProblem)
  if (!checkFiles(step, args, onProblem)) return
  const values = staticValues(step, args)
  const parsed = step.module.params.safeParse(values)
  if (parsed.success) return
  for (const issue of parsed.error.issues as readonly Issue[]) {
    if (issue.code === 'unrecognized_keys') reportUnknown(step, args, issue, onProblem)
    else report(step, args, { issue, values }, onProblem)
  }
}

/** Arguments as a map; a bare text stands for the free-form parameter. */
function asMap(step: Step): MapNode | undefined {
  const { args, module } = step
  if (args.kind === 'map') return args
  if (args.kind === 'scalar' && args.value === null) return { kind: 'map', entries: [], at: step.at }
  if (module.freeForm === undefined) return undefined
  const key = {
    kind: 'scalar',
    value: module.freeForm,
    text: module.freeForm,
    quoted: false,
    at: args.at,
    placeOf: () => args.at,
  } as const
  return { kind: 'map', entries: [{ key, value: args }], at: args.at }
}

function checkShape(step: Step, onProblem: OnProblem): void {
  onProblem(
    new SourceError(
      'BAD_PARAM',
      step.args.at,
      `\`${step.module.name}\` takes named parameters, a ${step.args.kind} was found`,
    ),
  )
}

/** Reports files that are named without a template and are not there; returns whether the rest can be checked. */
function checkFiles(step: Step, args: MapNode, onProblem: OnProblem): boolean {
  let isSound = true
  for (const { key, value } of args.entries) {
    const folder = folderOf(step.module.inputs?.[String(key.value)])
    if (
      folder === undefined ||
      isRemote(args) ||
      value.kind !== 'scalar' ||
      typeof value.value !== 'string' ||
      containsTemplate(value)
    )
      continue
    const path = findLocal(value.value, folder, step.settings.places)
    if (path !== undefined && folder === 'vars') isSound &&= checkVars(path, onProblem)
    if (path !== undefined) continue
    isSound = false
    const places = step.settings.places.map(place => `${place}/${folder}`).join(', ')
    onProblem(
      new SourceError(
        folder === 'templates' ? 'MISSING_TEMPLATE' : 'MISSING_FILE',
        value.at,
        `\`${value.value}\` is not on the controller`,
        {
          hint: `put it into one of ${places}`,
        },
      ),
    )
  }
  return isSound
}

function checkVars(path: string, onProblem: OnProblem): boolean {
  try {
    readVars(path)
    return true
  } catch (error) {
    if (!(error instanceof SourceError)) throw error
    onProblem(error)
    return false
  }
}

function folderOf(input: Input | undefined): 'files' | 'templates' | 'vars' | undefined {
  if (input === 'template') return 'templates'
  if (input === 'vars') return 'vars'
  return input === 'file' || input === 'tree' ? 'files' : undefined
}

/** With `remote_src` the source lies on the host. */
function isRemote(args: MapNode): boolean {
  const node = args.entries.find(({ key }) => key.value === 'remote_src')?.value
  return node !== undefined && plain(node) !== false
}

/** Plain values, with stand-ins for what the run puts in place of inputs. */
function staticValues(step: Step, args: MapNode): Record<string, unknown> {
  return Object.fromEntries(
    args.entries.map(({ key, value }) => {
      const name = String(key.value)
      const input = step.module.inputs?.[name]
      return [
        name,
        input === undefined || (isRemote(args) && folderOf(input))
          ? plain(value)
          : standIn(step, input, value),
      ]
    }),
  )
}

function standIn(step: Step, input: Input, value: Node): unknown {
  if (input === 'condition')
    return listOf(value).map(item => ({ text: item.kind === 'scalar' ? item.text : '', holds: true }))
  if (input === 'variable') return null
  if (input === 'template') return ''
  if (input === 'vars') return { path: '', files: [], names: [], maps: [] }
  if (input === 'place') return typeof plain(value) === 'string' ? openPlace('/', '/', '') : plain(value)
  if (value.kind !== 'scalar' || typeof value.value !== 'string' || containsTemplate(value))
    return plain(value)
  const path = findLocal(value.value, 'files', step.settings.places)
  return path === undefined ? plain(value) : readLocal(path)
}

/** What a template will give is left to the run. */
function report(
  step: Step,
  args: MapNode,
  { issue, values }: { readonly issue: Issue; readonly values: unknown },
  onProblem: OnProblem,
): void {
  const [name] = issue.path
  const code = issueCode(issue, values)
  const where = nodeAt(args, issue.path)
  const isGiven = name === undefined || args.entries.some(({ key }) => String(key.value) === String(name))
  if (!isGiven && issue.code !== 'custom') {
    onProblem(new SourceError(code, step.at, `\`${step.module.name}\` needs \`${String(name)}\``))
    return
  }
  const isWhole = name === undefined
  const isOpen =
    isGiven && !isWhole ? containsTemplate(where) : args.entries.some(({ value }) => containsTemplate(value))
  if (isOpen && !(code === 'MISSING_PARAM' && !isGiven)) return
  const title = [step.module.name, ...issue.path.map(String)].join('.')
  const at = isWhole ? step.args.at : isGiven ? where.at : step.at
  onProblem(new SourceError(code, at, `${title}: ${issue.message}`))
}

function reportUnknown(step: Step, args: MapNode, issue: Issue, onProblem: OnProblem): void {
  const holder = nodeAt(args, issue.path)
  const known = issue.path.length === 0 ? (paramNames(step.module) ?? []) : []
  for (const name of issue.keys ?? []) {
    const key =
      holder.kind === 'map' ? holder.entries.find(entry => String(entry.key.value) === name)?.key : undefined
    onProblem(
      new SourceError(
        'UNKNOWN_PARAM',
        key?.at ?? holder.at,
        `\`${step.module.name}\` has no parameter \`${name}\``,
        {
          hint:
            didYouMean(name, known) ??
            (known.length > 0 ? `its parameters are ${known.join(', ')}` : undefined),
        },
      ),
    )
  }
}
