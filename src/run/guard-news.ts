import type { Mode } from '../base/event.ts'
import { TaskError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import { readFate, readStories, storiesScript, takeBackScript, type Story } from '../shell/guard.ts'
import type { Part, Session } from '../transport/session.ts'

/** For the host to take everything back, services and all. */
export const TAKING_BACK_MS = 150_000
const LOOK_MS = 20_000

/** What earlier runs have left undecided on one host: it is told, and a run that writes begins by having it taken back. */
export class GuardNews {
  readonly #writes: boolean
  readonly #warn: (message: string) => void
  readonly #isOurs: (token: string) => boolean
  #isKnown = false

  /** `isOurs` says whether a guard is one that this very run has armed just now. */
  constructor(mode: Mode, warn: (message: string) => void, isOurs: (token: string) => boolean) {
    this.#writes = mode === 'apply'
    this.#warn = warn
    this.#isOurs = isOurs
  }

  /** Returns the piece to send along with the first questions of a shell of root; undefined where there is nothing to find out any more. */
  part({ uid }: Session): Part | undefined {
    return this.#isKnown || uid !== 0 ? undefined : { script: storiesScript(this.#writes) }
  }

  /** Reads the answer to that piece. Returns the guard that has to be ended before anything else. */
  read(completed: Completed): Story | undefined {
    this.#isKnown = true
    const stories = readStories(completed)
    for (const story of stories) if (story.is === 'taken back') this.#warn(told(story))
    const open = stories.find(({ is, token }) => is === 'open' && !this.#isOurs(token))
    if (open && !this.#writes)
      this.#warn(`a change is on trial here, of the task \`${open.task}\` (${open.token})`)
    return this.#writes ? open : undefined
  }

  /** Makes room for another guard. */
  async settle(session: Session): Promise<void> {
    const [answer] = await session.exchange([{ script: storiesScript(true) }], { deadlineMs: LOOK_MS })
    const open = answer && this.read(answer)
    if (open) await this.end(open, session)
  }

  /** Has the change taken back that nobody will decide about any more. @throws TaskError GUARD_UNARMED where it is not. */
  async end({ token, task }: Story, session: Session): Promise<void> {
    const script = takeBackScript({ token })
    const [answer] = await session.exchange([{ script }], { deadlineMs: TAKING_BACK_MS })
    if (answer === undefined || readFate(answer).is !== 'taken back')
      throw new TaskError(
        'GUARD_UNARMED',
        `the change of the task \`${task}\` is on trial since an earlier run, and the host does not take it back`,
        'look into `/var/lib/msingi/guard` on the host',
      )
    this.#warn(
      `the change of the task \`${task}\` was left on trial by an earlier run (${token}) and is taken back now`,
    )
  }
}

function told({ task, token, when, why }: Story): string {
  return `the host has taken back the change of the task \`${task}\` on ${when}: ${why} (${token})`
}
