import { SourceError, type OnProblem } from '../base/error.ts'
import type { Keywords } from '../playbook/model.ts'
import { allTasks } from './leaves.ts'
import type { PlannedPlay } from './step.ts'

/** Keywords of the grammar that the runner does not act on. To pass over one in silence would be a lie to its author. */
const NOT_CARRIED_OUT = new Set<string>([
  'serial',
  'max_fail_percentage',
  'any_errors_fatal',
  'order',
  'throttle',
  'gate',
  'vars_prompt',
  'module_defaults',
  'until',
  'delegate_to',
  'run_once',
  'ignore_unreachable',
  'check_mode',
  'diff',
  'timeout',
  'async',
  'poll',
])

/** Reports keywords that are understood but not acted on. */
export function checkCarriedOut(play: PlannedPlay, onProblem: OnProblem): void {
  complain(play.play.keywords, onProblem)
  for (const section of play.sections)
    for (const step of allTasks(section.items)) complain(step.settings.keywords, onProblem)
}

function complain(keywords: Keywords, onProblem: OnProblem): void {
  for (const [name, node] of keywords) {
    if (!NOT_CARRIED_OUT.has(name)) continue
    onProblem(
      new SourceError('UNKNOWN_KEYWORD', node.at, `\`${name}\` is not carried out`, {
        hint: 'take it out; nothing would be done about it',
      }),
    )
  }
}
