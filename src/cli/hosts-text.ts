import { graph } from '../inventory/graph.ts'
import type { Host } from '../inventory/model.ts'
import { printableLine } from '../report/printable.ts'
import { chooseHosts } from './hosts-matching.ts'
import { openInventory, refuseProblems } from './inventory.ts'
import type { InventoryFlags } from './options.ts'

/** Returns the hosts of a pattern, one a line; `long` adds address, user and groups behind tabs. */
export function hostList(pattern: string, flags: InventoryFlags & { readonly long?: true }): string {
  const opened = openInventory(flags, [], process.env)
  refuseProblems(opened)
  return chooseHosts(opened.inventory, pattern, flags.limit)
    .map(host => `${flags.long ? longLine(host) : printableLine(host.name)}\n`)
    .join('')
}

/** Returns groups and hosts as a tree. */
export function hostGraph(flags: InventoryFlags): string {
  const opened = openInventory(flags, [], process.env)
  refuseProblems(opened)
  return `${graph(opened.inventory)}\n`
}

function longLine({ name, reach, groups }: Host): string {
  const port = reach.port === undefined ? '' : `:${reach.port}`
  const address = reach.connection === 'local' ? 'local' : `${reach.host}${port}`
  const belongs = groups.filter(group => group !== 'all').join(',')
  return [name, address, reach.user ?? '-', belongs].map(printableLine).join('\t')
}
