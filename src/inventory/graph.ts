import type { Inventory } from './model.ts'

/** Returns the groups with their hosts as a tree of text, one name a line; a host's address stands behind it where it differs. */
export function graph(inventory: Inventory): string {
  const lines = ['all']
  branch('all', '', inventory, lines)
  return lines.join('\n')
}

function branch(group: string, indent: string, inventory: Inventory, lines: string[]): void {
  const found = inventory.groups.get(group)
  const children = (found?.children ?? []).filter(
    child => child !== 'ungrouped' || hasHosts(child, inventory),
  )
  const grouped = new Set(children.flatMap(child => inventory.groups.get(child)?.hosts ?? []))
  const hosts = (found?.hosts ?? []).filter(host => !grouped.has(host))
  const rows = [
    ...children.map(name => ({ name, isGroup: true })),
    ...hosts.map(name => ({ name, isGroup: false })),
  ]
  rows.forEach(({ name, isGroup }, i) => {
    const isLast = i === rows.length - 1
    lines.push(`${indent}${isLast ? '└── ' : '├── '}${isGroup ? name : labelOf(name, inventory)}`)
    if (isGroup) branch(name, `${indent}${isLast ? '    ' : '│   '}`, inventory, lines)
  })
}

function hasHosts(group: string, inventory: Inventory): boolean {
  return (inventory.groups.get(group)?.hosts.length ?? 0) > 0
}

function labelOf(name: string, inventory: Inventory): string {
  const reach = inventory.hosts.get(name)?.reach
  if (reach === undefined || reach.connection === 'local') return `${name} (local)`
  const port = reach.port === undefined ? '' : `:${reach.port}`
  return reach.host === name && port === '' ? name : `${name} (${reach.host}${port})`
}
