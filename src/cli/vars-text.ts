import { UsageError } from '../base/error.ts'
import { didYouMean } from '../base/nearest.ts'
import { showSpan } from '../base/span.ts'
import type { Span } from '../base/span.ts'
import { hostNamed } from '../inventory/model.ts'
import type { Host, Inventory } from '../inventory/model.ts'
import { leaves } from '../plan/leaves.ts'
import type { Project } from '../plan/step.ts'
import { printableLine } from '../report/printable.ts'
import { Scope } from '../vars/scope.ts'
import type { Layer } from '../vars/scope.ts'
import { openInventory, refuseProblems } from './inventory.ts'
import type { InventoryFlags } from './options.ts'
import { openProject } from './project.ts'

/**
 * Returns the variables of a host as text: of one the winner and all it beats, of all the winners alone.
 *
 * @throws UsageError NO_MATCH for an unknown host, BAD_ARGUMENT for a variable that nobody sets.
 */
export function varsText(
  hostName: string,
  name: string | undefined,
  flags: InventoryFlags & { readonly playbook?: string },
): string {
  const { inventory, layers } = layersFor(hostName, flags)
  const host = hostNamed(inventory, hostName)
  if (host === undefined) {
    const hint = didYouMean(hostName, inventory.hosts.keys()) ?? 'run `msingi hosts list`'
    throw new UsageError('NO_MATCH', `there is no host \`${hostName}\` in the inventory`, hint)
  }
  const localData = new Map<string, unknown>([
    ['inventory_hostname', host.name],
    ['group_names', host.groups.filter(group => group !== 'all')],
  ])
  const scope = new Scope({ layers: [...host.layers, ...layers], hostData: new Map(), localData })
  return name === undefined ? allText(scope) : oneText(scope, name)
}

function layersFor(
  hostName: string,
  flags: InventoryFlags & { readonly playbook?: string },
): { inventory: Inventory; layers: readonly Layer[] } {
  if (flags.playbook === undefined) {
    const opened = openInventory(flags, [], process.env)
    refuseProblems(opened)
    return { inventory: opened.inventory, layers: opened.extra ? [opened.extra] : [] }
  }
  const opened = openProject([flags.playbook], { ...flags, tags: [], skipTags: [] }, process.env)
  const layers = projectLayers(opened.project, hostName)
  return { inventory: opened.inventory, layers: opened.extra ? [...layers, opened.extra] : layers }
}

/** What the plays of the host and the roles in them set; a layer that several tasks share counts once. */
function projectLayers({ plays }: Project, host: Host['name']): readonly Layer[] {
  const own = plays.filter(play => play.hosts.includes(host))
  const found = own.flatMap(play => [
    ...play.vars,
    ...play.sections.flatMap(section =>
      [...leaves(section.items)].flatMap(({ settings }) => [
        ...settings.roleDefaults,
        ...settings.roleParams,
      ]),
    ),
  ])
  const distinct = new Map(found.map(layer => [`${layer.origin} ${showSpan(layer.vars.at)}`, layer]))
  return [...distinct.values()]
}

function oneText(scope: Scope, name: string): string {
  const found = scope.explain(name)
  if (found === undefined) {
    const hint = didYouMean(name, scope.names())
    throw new UsageError('BAD_ARGUMENT', `nobody sets \`${name}\` for this host`, hint)
  }
  const { winner, losers } = found
  return [
    `${name} = ${valueText(winner.value)}`,
    `  ${originText(winner)}`,
    ...losers.map(loser => `  beats ${originText(loser)}: ${valueText(loser.value)}`),
    '',
  ].join('\n')
}

function allText(scope: Scope): string {
  return [...new Set(scope.names())]
    .toSorted()
    .map(name => {
      const found = scope.explain(name)
      return found ? `${name} = ${valueText(found.winner.value)}  # ${originText(found.winner)}\n` : ''
    })
    .join('')
}

function originText(setting: {
  readonly level: string
  readonly origin: string
  readonly at?: Span
}): string {
  const place = setting.at ? ` ${showSpan(setting.at)}` : ''
  return printableLine(`${setting.origin} (${setting.level})${place}`)
}

function valueText(value: unknown): string {
  return printableLine(JSON.stringify(value) ?? 'null')
}
