import { setTimeout as sleep } from 'node:timers/promises'
import { TaskError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import type { Action, Patience } from '../modules/module.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import type { Become } from '../transport/session.ts'
import type { Lane, Lanes } from './lanes.ts'
import { isFinal, isLost, isRefused, pauseAfterRefusal } from './lost.ts'
import { LIFE, readLife } from './recall.ts'

/** What waiting for a host needs. */
export interface Waiting {
  readonly lanes: Lanes
  readonly become: Become | undefined
  readonly signal: AbortSignal
}

/** Milliseconds a host may take over a question while it is waited for. */
const LOOK_MS = 15_000
const LONGEST_PAUSE_SECONDS = 10

/** Lets time go by, or tries to reach the host until it answers. */
export async function bePatient(patience: Patience, on: Waiting): Promise<void> {
  await pause(patience.delay ?? 0, on)
  if (patience.for === 'time') return pause(patience.seconds, on)
  await reachAgain(patience, on, () => Promise.resolve(true), 'the host does not answer')
}

/**
 * Restarts the host and resolves when it answers again in another life than before: which life it is in is told by the kernel's
 * identifier and by the start of the first process, so that a container counts as well.
 */
export async function reboot(action: Action & { do: 'reboot' }, lane: Lane, on: Waiting): Promise<Completed> {
  const began = performance.now()
  await pause(action.preDelay, on)
  const before = await lifeOf(lane, on)
  if (before === undefined)
    throw new TaskError(
      'LIFE_UNREADABLE',
      'the kernel does not tell when the host was started, so nobody could tell a restart',
    )
  const [scheduled] = await on.lanes.exchange(lane, [{ script: schedule(action) }], [], LOOK_MS)
  if (scheduled === undefined || scheduled.code !== 0) return scheduled ?? NO_ANSWER
  await on.lanes.close()
  const left = { seconds: action.seconds, delay: 0, sleep: 1 }
  const isAnother = async (now: Lane): Promise<boolean> => ((await lifeOf(now, on)) ?? before) !== before
  await reachAgain(left, on, isAnother, 'the host was not started anew', 'look at its console')
  await pause(action.postDelay, on)
  await reachAgain(
    left,
    on,
    now => isUp(action.test, now, on),
    'the host is back, but the test command fails',
  )
  return { ...scheduled, ms: Math.round(performance.now() - began) }
}

const NO_ANSWER: Completed = { code: 255, out: '', err: 'no answer', encoding: 'utf8', ms: 0 }

/** The channel must close cleanly, so that the restart happens a moment after the answer has left. */
function schedule({ command }: Action & { do: 'reboot' }): Sh {
  return lines(
    sh`[ "$(id -u)" = 0 ] || { printf 'only root may restart the host\\n' >&2; exit 1; }`,
    sh`if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
systemd-run --quiet --collect --on-active=1 --timer-property=AccuracySec=100ms /bin/sh -c ${command.text}
elif command -v setsid >/dev/null; then setsid sh -c ${`sleep 1; ${command.text}`} </dev/null >/dev/null 2>&1 &
else sh -c ${`sleep 1; ${command.text}`} </dev/null >/dev/null 2>&1 &
fi`,
  )
}

/** Returns a name for the host's present life, or undefined where it cannot be told. */
async function lifeOf(lane: Lane, on: Waiting): Promise<string | undefined> {
  const [answer] = await on.lanes.exchange(lane, [{ script: LIFE }], [], LOOK_MS)
  return answer && readLife(answer.code, answer.out)
}

async function isUp(test: Sh, lane: Lane, on: Waiting): Promise<boolean> {
  const [answer] = await on.lanes.exchange(lane, [{ script: test }], [], LOOK_MS)
  return answer?.code === 0
}

/** @throws TaskError with code `NOT_BACK` where time is up; ConnectError where waiting cannot help. */
async function reachAgain(
  { seconds, sleep: first = 1 }: { readonly seconds: number; readonly sleep?: number | undefined },
  on: Waiting,
  accept: (lane: Lane) => Promise<boolean>,
  complaint: string,
  hint?: string,
): Promise<void> {
  const end = performance.now() + seconds * 1000
  let refusals = 0
  for (let pace = first; ; pace = Math.min(pace * 1.5, LONGEST_PAUSE_SECONDS)) {
    const found = await attempt(on, accept)
    if (found === true) return
    refusals = isRefused(found) ? refusals + 1 : 0
    const rest = refusals === 0 ? pace : pauseAfterRefusal(refusals) / 1000
    if (performance.now() + rest * 1000 > end) {
      const why = found instanceof Error ? `: ${found.message}` : ''
      throw new TaskError('NOT_BACK', `${complaint} within ${seconds} s${why}`, hint)
    }
    await on.lanes.close()
    await pause(rest, on)
  }
}

async function attempt(on: Waiting, accept: (lane: Lane) => Promise<boolean>): Promise<boolean | Error> {
  try {
    return await accept(await on.lanes.lane(on.become))
  } catch (error) {
    on.signal.throwIfAborted()
    if (!isLost(error) || isFinal(error)) throw error
    return error
  }
}

async function pause(seconds: number, { signal }: Waiting): Promise<void> {
  if (seconds > 0) await sleep(seconds * 1000, undefined, { signal })
}
