import { hostname, userInfo } from 'node:os'
import { UsageError } from '../base/error.ts'
import type { Operator } from '../run/audit.ts'
import type { LockWish } from '../run/host-lock.ts'
import { lockWord } from '../shell/lock.ts'
import type { PlayFlags } from './options.ts'
import { confirmed } from './confirmed.ts'

/** How long `--wait` waits where it does not say so. */
const WAIT_SECONDS = 600

/** Returns how the hosts of a run are kept from others; undefined where `MSINGI_LOCK=off` says that they are not. */
export function lockWish(
  run: string,
  flags: Pick<PlayFlags, 'wait' | 'steal'>,
  env: NodeJS.ProcessEnv,
): LockWish | undefined {
  if (env['MSINGI_LOCK'] === 'off') return undefined
  const owner = { run, ...operator(), since: new Date().toISOString() }
  return { owner, waitSeconds: waitSeconds(flags), steal: flags.steal === true }
}

/** Returns who answers for what this process does. */
export function operator(): Operator {
  return { user: lockWord(userInfo().username), controller: lockWord(hostname()) }
}

export function waitSeconds({ wait }: Pick<PlayFlags, 'wait'>): number {
  return wait === true ? WAIT_SECONDS : (wait ?? 0)
}

/**
 * Asks whether the work of others may be ended; without `-y` somebody must be there to say so.
 *
 * @throws UsageError NO_ANSWER where nobody can be asked.
 */
export async function maySteal(flags: PlayFlags): Promise<boolean> {
  if (flags.steal !== true || flags.yes === true) return true
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new UsageError(
      'NO_ANSWER',
      '`--steal` ends the work of others, and there is nobody to ask',
      'give `-y`',
    )
  return confirmed('end whatever run holds one of these hosts, in the middle of its work?')
}
