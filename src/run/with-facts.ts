import { TaskError } from '../base/error.ts'
import { Unknown } from '../base/unknown.ts'
import type { PlannedPlay, Step } from '../plan/step.ts'
import { Pending } from '../vars/pending.ts'
import type { Become } from '../transport/session.ts'
import { laneOrUnknown } from './lane-or-unknown.ts'
import type { Names, Walk } from './walk.ts'

/** Whose texts are worked out, and where. */
export interface Reader {
  readonly walk: Walk
  readonly play: PlannedPlay
  readonly step: Pick<Step, 'settings' | 'at'>
  readonly names: Names
}

/**
 * Returns what the work comes to. Where it meets a fact that was not asked for yet, the host is asked and the work begins
 * anew; so it must have no effects.
 *
 * @throws TaskError FACT_UNKNOWN where the host does not give it; whatever the work throws.
 */
export async function withFacts<T>(reader: Reader, work: () => T): Promise<T> {
  for (let missing: string | undefined; ;) {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof Pending)) throw error
      if (error.name_ === missing)
        throw new TaskError('FACT_UNKNOWN', `\`${missing}\` is mentioned, and the host did not give it`)
      missing = error.name_
      await askFacts(reader, missing)
    }
  }
}

/** Facts need no privilege: they are asked in the shell the task runs in, along with the coming tasks' questions. */
async function askFacts(reader: Reader, missing: string): Promise<void> {
  const { walk, play, names } = reader
  walk.state.want(missing.split('.')[1] ?? '')
  const own = await laneOrUnknown(becomeOf(reader), { ...walk, mode: walk.context.mode })
  const lane = own instanceof Unknown ? await walk.lanes.lane(undefined) : own
  const questions = walk.ahead.questions(play, walk.coming, lane, names)
  await walk.lanes.exchange(lane, [], [...walk.state.openFacts(play), ...questions], 0)
  walk.state.absorbFacts(play, lane)
}

/** Whom a task becomes may depend on a fact as well; then it is asked as the user who logged in. */
function becomeOf({ walk, play, step, names }: Reader): Become | undefined {
  try {
    return walk.turns.becomeOf(play, step, names)
  } catch (error) {
    if (error instanceof Pending) return undefined
    throw error
  }
}
