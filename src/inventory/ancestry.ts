import { type OnProblem, SourceError } from '../base/error.ts'
import type { Span } from '../base/span.ts'
import type { Draft } from './draft.ts'

/** How the groups stand to each other once circles are cut. */
export interface Ancestry {
  readonly parents: ReadonlyMap<string, readonly string[]>
  readonly children: ReadonlyMap<string, readonly string[]>
  /** Orders groups from the weakest to the strongest: `all`, then by depth, priority and name. */
  readonly compare: (a: string, b: string) => number
  /** Returns the group's ancestors and itself. */
  readonly lineage: (name: string) => ReadonlySet<string>
}

/** Puts the groups in order. A group that is its own ancestor is reported, and the link that closes the circle is cut. */
export function ancestryOf(draft: Draft, onProblem: OnProblem): Ancestry {
  const children = cutCircles(draft, onProblem)
  const parents = new Map<string, string[]>()
  for (const [name, below] of children) for (const child of below) listOf(parents, child).push(name)
  for (const name of draft.groups.keys()) {
    if (name === 'all' || listOf(parents, name).length > 0) continue
    listOf(parents, name).push('all')
    listOf(children, 'all').push(name)
  }
  const depths = new Map<string, number>([['all', 0]])
  function depthOf(name: string): number {
    const known = depths.get(name)
    if (known !== undefined) return known
    const depth = 1 + Math.max(...listOf(parents, name).map(depthOf))
    depths.set(name, depth)
    return depth
  }
  const lineages = new Map<string, ReadonlySet<string>>()
  function lineage(name: string): ReadonlySet<string> {
    const known = lineages.get(name)
    if (known) return known
    const found = new Set([...listOf(parents, name).flatMap(parent => [...lineage(parent)]), name])
    lineages.set(name, found)
    return found
  }
  function compare(a: string, b: string): number {
    return (
      depthOf(a) - depthOf(b) || priorityOf(draft, a) - priorityOf(draft, b) || (a < b ? -1 : a > b ? 1 : 0)
    )
  }
  return { parents, children, compare, lineage }
}

function listOf(map: Map<string, string[]>, name: string): string[] {
  const list = map.get(name) ?? []
  map.set(name, list)
  return list
}

/** Walks from every group downwards; a child that is still open closes a circle. */
function cutCircles(draft: Draft, onProblem: OnProblem): Map<string, string[]> {
  const kept = new Map<string, string[]>()
  const done = new Set<string>()
  const open = new Map<string, Span | undefined>()
  function visit(name: string, at: Span | undefined): void {
    open.set(name, at)
    const below = listOf(kept, name)
    for (const [child, place] of draft.groups.get(name)?.children ?? []) {
      if (open.has(child) || child === 'all') onProblem(circular(child, place, open))
      else {
        below.push(child)
        if (!done.has(child)) visit(child, place)
      }
    }
    open.delete(name)
    done.add(name)
  }
  visit('all', undefined)
  for (const name of draft.groups.keys()) if (!done.has(name)) visit(name, undefined)
  return kept
}

function circular(child: string, at: Span, open: ReadonlyMap<string, Span | undefined>): SourceError {
  const names = [...open.keys()]
  const route = open.has(child) ? names.slice(names.indexOf(child)) : [child, names.at(-1) ?? child]
  const related = route.slice(1).flatMap(name => open.get(name) ?? [])
  return new SourceError(
    'CIRCULAR_GROUP',
    at,
    `the group \`${child}\` is its own descendant: ${[...route, child].join(' → ')}`,
    {
      hint: 'Take one of these groups out of `children`.',
      related,
    },
  )
}

/** Ansible's `ansible_group_priority`: among groups of one depth the higher one is stronger. */
function priorityOf(draft: Draft, name: string): number {
  let priority = 1
  for (const { vars } of draft.groups.get(name)?.layers ?? []) {
    for (const { key, value } of vars?.entries ?? []) {
      if (key.value === 'ansible_group_priority' && value.kind === 'scalar') priority = Number(value.value)
    }
  }
  return Number.isFinite(priority) ? priority : 1
}
