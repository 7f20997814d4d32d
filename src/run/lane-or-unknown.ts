import { ConnectError } from '../base/error.ts'
import type { Mode } from '../base/event.ts'
import { Unknown } from '../base/unknown.ts'
import type { Become } from '../transport/session.ts'
import type { Lane, Lanes } from './lanes.ts'
import type { Overlay } from './overlay.ts'

/**
 * Returns the shell of that user. Where nothing is written, a planned task may be what makes the user, or lets the login
 * become the user; then what is done in that shell is unknown until the task is applied.
 *
 * @throws ConnectError where no planned task explains that the shell does not open.
 */
export async function laneOrUnknown(
  become: Become | undefined,
  on: { readonly mode: Mode; readonly lanes: Lanes; readonly overlay: Overlay },
): Promise<Lane | Unknown> {
  try {
    return await on.lanes.lane(become)
  } catch (error) {
    if (on.mode === 'apply' || !become || !(error instanceof ConnectError) || error.stage !== 'become')
      throw error
    const maker = on.overlay.makerOf({ kind: 'user', name: become.user })
    if (maker === undefined) throw error
    return new Unknown(maker)
  }
}
