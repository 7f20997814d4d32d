import { type OnProblem, SourceError, UsageError } from '../base/error.ts'
import type { Node } from '../syntax/node.ts'
import type { Inventory } from './model.ts'
import { matchHosts } from './pattern.ts'

/**
 * Returns the hosts of a play's `hosts`: one pattern, or a list of which each adds its hosts. What is wrong is reported
 * at its place inside the value; what is no text at all was reported by the grammar.
 */
export function playHosts(hosts: Node, inventory: Inventory, onProblem: OnProblem): readonly string[] {
  const patterns = hosts.kind === 'list' ? hosts.items : [hosts]
  const scalars = patterns.flatMap(pattern =>
    pattern.kind === 'scalar' && typeof pattern.value === 'string' ? [pattern] : [],
  )
  const signs = scalars.length > 1 && scalars.some(({ text }) => /^\s*[&!]/.test(text))
  if (signs) {
    const { hosts: found, problem } = matchHosts(scalars.map(({ text }) => text).join(','), inventory)
    if (problem) onProblem(new SourceError(problem.code, hosts.at, problem.message, { hint: problem.hint }))
    return found
  }
  const found = new Set<string>()
  for (const pattern of scalars) {
    const match = matchHosts(pattern.text, inventory)
    for (const host of match.hosts) found.add(host)
    if (match.problem === undefined) continue
    const { code, message, hint, offset, length } = match.problem
    onProblem(new SourceError(code, pattern.placeOf(offset, length), message, { hint }))
  }
  return [...found]
}

/**
 * Returns the hosts that `--limit` leaves: a pattern, or `@file` with one pattern a line.
 *
 * @param readText - returns a file's text, or undefined where there is none
 * @throws UsageError where the pattern is wrong or matches no host
 */
export function limitHosts(
  limit: string,
  inventory: Inventory,
  readText: (file: string) => string | undefined,
): readonly string[] {
  const pattern = limit
    .split(',')
    .map(part => (part.trim().startsWith('@') ? patternsIn(part.trim().slice(1), readText) : part))
    .join(',')
  const { hosts, problem } = matchHosts(pattern, inventory)
  if (problem) {
    throw new UsageError(
      problem.code === 'NO_HOSTS' ? 'NO_MATCH' : 'BAD_OPTION',
      `--limit: ${problem.message}`,
      problem.hint,
    )
  }
  return hosts
}

function patternsIn(file: string, readText: (file: string) => string | undefined): string {
  const text = readText(file)
  if (text === undefined)
    throw new UsageError('BAD_OPTION', `--limit: cannot read \`${file}\``, 'Check the path after `@`.')
  const lines = text.split('\n').map(line => line.replace(/#.*/, '').trim())
  return lines.filter(line => line !== '').join(',')
}
