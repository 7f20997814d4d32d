import { SourceError, type OnProblem } from '../base/error.ts'
import type { Node } from '../syntax/node.ts'
import { allTasks } from './leaves.ts'
import type { PlannedPlay } from './step.ts'

/** Keywords of the grammar that the runner does not act on. To pass over one in silence would be a lie to its author. */
const NOT_CARRIED_OUT = new Set<string>([
  'vars_prompt',
  'async',
  'poll',
  'guard',
  'connection',
  'port',
  'remote_user',
  'become_flags',
  'become_exe',
  'fact_path',
])

/** Reports keywords that are understood but not acted on, each once however many tasks inherit it. */
export function checkCarriedOut(play: PlannedPlay, onProblem: OnProblem): void {
  const steps = [...play.sections.flatMap(section => [...allTasks(section.items)]), ...play.handlers]
  const written = new Map<Node, string>()
  for (const keywords of [play.play.keywords, ...steps.map(step => step.settings.keywords)]) {
    for (const [name, node] of keywords) if (NOT_CARRIED_OUT.has(name)) written.set(node, name)
  }
  const hint = 'take it out; nothing would be done about it'
  for (const [node, name] of written) {
    onProblem(new SourceError('UNKNOWN_KEYWORD', node.at, `\`${name}\` is not carried out`, { hint }))
  }
}
