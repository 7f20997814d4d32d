import { SourceError } from '../base/error.ts'
import { allTasks } from '../plan/leaves.ts'
import type { PlannedPlay } from '../plan/step.ts'
import { listOf } from '../plan/settings.ts'
import { plain, type Node } from '../syntax/node.ts'

/** Returns the hosts in the order the play asks for; `shuffle` draws anew each time. */
export function ordered(hosts: readonly string[], order: string | undefined): readonly string[] {
  switch (order) {
    case 'reverse_inventory':
      return hosts.toReversed()
    case 'sorted':
      return hosts.toSorted()
    case 'reverse_sorted':
      return hosts.toSorted().toReversed()
    case 'shuffle':
      return hosts
        .map(host => ({ host, at: Math.random() }))
        .toSorted((a, b) => a.at - b.at)
        .map(({ host }) => host)
    default:
      return hosts
  }
}

/**
 * Returns the batches of `serial`: a number, a percentage of all hosts, or a list of them of which the last repeats.
 *
 * @throws SourceError where it is neither.
 */
export function batches(hosts: readonly string[], serial: Node | undefined): readonly (readonly string[])[] {
  if (serial === undefined || hosts.length === 0) return [hosts]
  const sizes = listOf(serial).map(node => sizeOf(node, hosts.length))
  const found: string[][] = []
  let start = 0
  while (start < hosts.length) {
    const size = sizes[Math.min(found.length, sizes.length - 1)] ?? hosts.length
    found.push(hosts.slice(start, start + size))
    start += size
  }
  return found
}

/** Returns whether so many failed hosts of a batch end the play: more than the percentage, as in Ansible. */
export function tooManyFailed(failed: number, batch: number, most: Node | undefined): boolean {
  if (failed === 0) return false
  if (most === undefined) return failed === batch
  return (failed / batch) * 100 > Number(plain(most))
}

/** Returns the place of each task in the play; hosts that go in step compare theirs. */
export function taskOrder(play: PlannedPlay): ReadonlyMap<string, number> {
  const tasks = play.sections.flatMap(section => [...allTasks(section.items)])
  return new Map(tasks.map((step, index) => [step.id, index]))
}

function sizeOf(node: Node, all: number): number {
  const value = plain(node)
  const percent = typeof value === 'string' ? /^(\d+(?:\.\d+)?)%$/.exec(value)?.[1] : undefined
  const size = percent === undefined ? Number(value) : Math.floor((all * Number(percent)) / 100)
  if (!Number.isFinite(size) || size < 0)
    throw new SourceError(
      'BAD_VALUE',
      node.at,
      `\`serial\` is \`${String(value)}\`, expected a number or a percentage`,
    )
  return Math.max(1, size === 0 && percent === undefined ? all : size)
}
