import { TaskError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import type { Probe } from '../probes/probe.ts'
import { changeScript, followScripts, readChangeState, type Carried } from '../shell/change.ts'
import { JOB_KILLED } from '../shell/job.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import type { Lane, Lanes } from './lanes.ts'

/** A change that is to be made once, whatever becomes of the link. */
export interface Errand {
  readonly lane: Lane
  readonly lanes: Lanes
  /** Gets ready what is sent; called again where it has to be sent again. */
  readonly prepare: () => Promise<Carried>
  /** Follows the change wherever it is carried out, and finds its exit status in `$_r`. */
  readonly after?: Sh | undefined
  /** Questions that travel along. */
  readonly probes: () => readonly Probe<unknown>[]
  readonly deadlineMs: number
  readonly onOutput: (stream: 'stdout' | 'stderr', text: string) => void
}

/**
 * Makes a change. Where the link is cut, the change goes on; it is followed to its end over a new connection, and sent again only where the host
 * never began it.
 *
 * @returns `undecided` where it was begun and nothing tells how far it came; the probes are answered in any case.
 * @throws ConnectError where the host is not reached again in time.
 */
export async function carryOut(errand: Errand): Promise<Completed | 'undecided'> {
  const { lane, lanes, deadlineMs } = errand
  const told = new Told(errand.onOutput)
  for (let isFirst = true; ; isFirst = false) {
    let change: Carried | undefined
    try {
      change = await errand.prepare()
      const part = { script: followed(changeScript(change), errand.after), onOutput: told.fromStart() }
      const [completed] = await lanes.exchange(lane, [part], errand.probes(), deadlineMs)
      if (completed === undefined)
        throw new TaskError('NO_ANSWER', 'the host did not say how the change ended')
      if (isFirst || completed.code !== JOB_KILLED) return over(errand, change, completed)
    } catch (error) {
      if (!lanes.isCut(error)) throw error
      await lanes.comeBack(lane, error)
    }
    const end = change && (await follow(errand, change, told))
    if (change && end && end !== 'absent') return over(errand, change, end)
  }
}

/** The shell that sent it may be ended while the change goes on; what follows it goes on as well. */
function followed(change: Sh, after: Sh | undefined): Sh {
  return after === undefined ? change : lines(sh`( ${change}`, sh`); _r=$?`, after, sh`exit $_r`)
}

function over<T>({ lane, lanes }: Errand, change: Carried, end: T): T {
  lanes.discard(lane, change.file)
  lanes.fine()
  return end
}

async function follow(
  { lane, lanes, probes, deadlineMs }: Errand,
  change: Carried,
  told: Told,
): Promise<Completed | 'undecided' | 'absent'> {
  const [output, state] = followScripts(change)
  for (;;) {
    try {
      const parts = [{ script: output, onOutput: told.fromStart() }, { script: state }]
      const [passed, answer] = await lanes.exchange(lane, parts, probes(), deadlineMs)
      if (passed === undefined || answer === undefined)
        throw new TaskError('NO_ANSWER', 'the host did not say where the change stands')
      const now = readChangeState(answer.out)
      const isWhole = (now.is === 'absent') !== (passed.code === 0)
      if (now.is === 'ended' && isWhole) return { ...passed, code: now.code }
      if (now.is === 'undecided' || (now.is === 'absent' && isWhole)) return now.is
    } catch (error) {
      if (!lanes.isCut(error)) throw error
      await lanes.comeBack(lane, error)
    }
  }
}

/** Passes output on once, although it comes from the beginning each time. */
class Told {
  readonly #pass: Errand['onOutput']
  readonly #length = { stdout: 0, stderr: 0 }

  constructor(pass: Errand['onOutput']) {
    this.#pass = pass
  }

  fromStart(): Errand['onOutput'] {
    const seen = { stdout: 0, stderr: 0 }
    return (stream, text) => {
      const fresh = text.slice(Math.max(0, this.#length[stream] - seen[stream]))
      seen[stream] += text.length
      this.#length[stream] = Math.max(this.#length[stream], seen[stream])
      if (fresh !== '') this.#pass(stream, fresh)
    }
  }
}
