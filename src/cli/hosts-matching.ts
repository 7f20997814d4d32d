import { readFileSync } from 'node:fs'
import { UsageError } from '../base/error.ts'
import { hostNamed } from '../inventory/model.ts'
import type { Host, Inventory } from '../inventory/model.ts'
import { matchHosts } from '../inventory/pattern.ts'
import { limitHosts } from '../inventory/select.ts'

/**
 * Returns the hosts that a pattern of the command line matches, narrowed by `--limit`.
 *
 * @throws UsageError NO_MATCH where there is none, BAD_ARGUMENT where the pattern is wrong.
 */
export function chooseHosts(
  inventory: Inventory,
  pattern: string,
  limit: string | undefined,
): readonly Host[] {
  const { hosts, problem } = matchHosts(pattern, inventory)
  if (problem) {
    const code = problem.code === 'NO_HOSTS' ? 'NO_MATCH' : 'BAD_ARGUMENT'
    throw new UsageError(code, problem.message, problem.hint)
  }
  const allowed = limit === undefined ? undefined : new Set(limitHosts(limit, inventory, readText))
  const chosen = allowed ? hosts.filter(name => allowed.has(name)) : hosts
  if (chosen.length === 0) {
    throw new UsageError('NO_MATCH', `no host matches both \`${pattern}\` and \`--limit ${limit ?? ''}\``)
  }
  return chosen.flatMap(name => hostNamed(inventory, name) ?? [])
}

/** Returns a file's text, or undefined where it cannot be had. */
export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
