import type { Step } from '../plan/step.ts'
import { notifiedBy } from './guarded.ts'
import type { Lane } from './lanes.ts'
import { handlerName, SELF } from './owed.ts'
import type { Ways } from './perform.ts'
import type { Place, Spot } from './walk.ts'

/** Says that a change of the task is about to be sent in that shell, and returns what the host is to keep in mind with it. */
export function memoryFor(
  spot: Spot,
  where: Place,
  { kept }: Lane,
  change: { readonly run: string; readonly change: number },
): Pick<Ways, 'owes' | 'owedTo' | 'settles'> {
  const { walk, play, step, kind } = spot
  const owedTo = where === walk ? SELF : walk.state.host.name
  if (kept === undefined) return { owes: [], owedTo, settles: [] }
  const owes = toBeNotified(spot).map(handler => handlerName(play, handler))
  walk.owed.sending(step, kept, change, owedTo, owes)
  const isWhole = kind === 'handler_done' && !PIECEMEAL.some(keyword => step.settings.keywords.has(keyword))
  return { owes, owedTo, settles: isWhole ? walk.owed.linesFor(handlerName(play, step), kept) : [] }
}

/** A handler with one of these is not done with its first change, or not by the change alone. */
const PIECEMEAL = ['loop', 'until', 'failed_when', 'ignore_errors']

/** None where that cannot be told before the change is made. */
function toBeNotified(spot: Spot): readonly Step[] {
  if (spot.step.settings.notify.length === 0) return []
  try {
    return notifiedBy(spot)
  } catch {
    return []
  }
}
