import { ConnectError, DeadlineError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import type { Probe, Resource } from '../probes/probe.ts'
import type { Become, Connect, Connection, Part, Session, Usage } from '../transport/session.ts'
import { discardJobs } from '../shell/job.ts'
import { Answers, type Answer } from './answers.ts'
import { batch } from './batch.ts'
import type { GuardNews } from './guard-news.ts'
import type { HostLock } from './host-lock.ts'

/** One shell of a host with the answers it gave that still hold. */
export interface Lane {
  readonly become: Become | undefined
  readonly session: Session
  readonly answers: Answers
  /** Directories of finished jobs, removed with the next frame. */
  readonly spent: string[]
}

/** Slack for the way there and back, on top of the time the host itself may take. */
const LINK_SLACK_MS = 15_000

const NOTHING: Usage = { frames: 0, bytesSent: 0, bytesReceived: 0 }

/** All shells of one host: opened when first needed, kept for the run. */
export class Lanes {
  readonly #host: string
  readonly #connect: Connect
  readonly #signal: AbortSignal
  readonly #onConnected: (ms: number, warnings: readonly string[]) => void
  readonly #lock: HostLock
  readonly #news: GuardNews
  readonly #open = new Map<string, Promise<Lane>>()
  #connection: Promise<Connection> | undefined
  #past: Usage = NOTHING

  constructor(
    host: string,
    connect: Connect,
    signal: AbortSignal,
    { lock, news }: { readonly lock: HostLock; readonly news: GuardNews },
    onConnected: (ms: number, warnings: readonly string[]) => void,
  ) {
    this.#host = host
    this.#connect = connect
    this.#signal = signal
    this.#lock = lock
    this.#news = news
    this.#onConnected = onConnected
  }

  /** Returns the shell of that user, connecting where needed. */
  lane(become: Become | undefined): Promise<Lane> {
    const key = become ? `${become.method} ${become.user}` : ''
    let lane = this.#open.get(key)
    if (lane === undefined) {
      lane = this.#start(become)
      this.#open.set(key, lane)
      lane.catch(() => this.#open.delete(key))
    }
    return lane
  }

  /** Sends the parts followed by the questions as one frame and keeps the answers to the questions. */
  async exchange(
    lane: Lane,
    parts: readonly Part[],
    probes: readonly Probe<unknown>[],
    partsDeadlineMs: number,
  ): Promise<readonly Completed[]> {
    const questions = batch(probes)
    const spent = lane.spent.splice(0)
    const isLook = parts.length === 0 && probes.length > 0
    const lock = isLook ? this.#lock.part(lane.session) : undefined
    const news = isLook ? this.#news.part(lane.session) : undefined
    const ahead = [lock, news].filter(part => part !== undefined)
    const all = [
      ...ahead,
      ...parts,
      ...questions.parts,
      ...(spent.length === 0 ? [] : [{ script: discardJobs(spent) }]),
    ]
    if (all.length === 0) return []
    const deadlineMs = partsDeadlineMs + questions.deadlineMs + LINK_SLACK_MS
    const completed = await lane.session.exchange(all, { deadlineMs, ...this.#interruptible(parts) })
    const last = completed[ahead.length - 1]
    const open = news && last ? this.#news.read(last) : undefined
    const isOwn = !lock || !completed[0] || (await this.#lock.answered(lane.session, completed[0]))
    if (open) await this.#news.end(open, lane.session)
    // What was asked along with it may be otherwise by now.
    if (!isOwn || open) return this.exchange(lane, parts, probes, partsDeadlineMs)
    const answers = questions.answers(completed.slice(parts.length + ahead.length))
    for (const [probe, answer] of answers) lane.answers.set(probe, answer)
    await this.#askAlone(lane, probes, answers)
    return completed.slice(0, parts.length)
  }

  /** Makes sure that this run alone changes the host. @throws TaskError LOCKED where another one does. */
  async own(lane: Lane): Promise<void> {
    await this.#lock.take(lane.session)
  }

  /** Lets the directories of jobs go whose answers have arrived. */
  discard(lane: Lane, dirs: readonly string[]): void {
    lane.spent.push(...dirs)
  }

  /** Forgets what a change may have altered, whichever shell asked for it. */
  async drop(touched: readonly Resource[] | undefined): Promise<void> {
    for (const lane of this.#open.values()) (await lane).answers.drop(touched)
  }

  /** What travelled over this host's connections so far. */
  async usage(): Promise<Usage> {
    return addUsage(this.#past, await usageOf(this.#connection))
  }

  /** Closes everything; the next task connects anew. A link that is known to be dead is not asked to tidy up. */
  async close(link: 'alive' | 'dead' = 'alive'): Promise<void> {
    if (link === 'alive') for (const lane of this.#open.values()) await this.#tidy(lane)
    const connection = this.#connection
    this.#past = addUsage(this.#past, await usageOf(connection))
    this.#connection = undefined
    this.#open.clear()
    this.#lock.forget()
    await (await connection?.catch(() => undefined))?.close()
  }

  /** Questions may be cut short; a change that has begun is waited for, so that its outcome is known. */
  #interruptible(parts: readonly Part[]): { signal?: AbortSignal } {
    return parts.length === 0 && !this.#signal.aborted ? { signal: this.#signal } : {}
  }

  /** What is left over goes before the shell does; a host that is lost keeps it until its next start. */
  async #tidy(opening: Promise<Lane>): Promise<void> {
    try {
      const lane = await opening
      if (lane.spent.length > 0) await this.exchange(lane, [], [], LINK_SLACK_MS)
    } catch (error) {
      if (!isLost(error)) throw error
    }
  }

  async #start(become: Become | undefined): Promise<Lane> {
    const started = performance.now()
    const isFirst = this.#connection === undefined
    this.#connection ??= this.#connect(this.#host, this.#signal)
    const session = await (await this.#connection).shell(become)
    if (isFirst) this.#onConnected(Math.round(performance.now() - started), session.warnings)
    return { become, session, answers: new Answers(), spent: [] }
  }

  /** One odd argument makes a merged question unreadable as a whole; each is then asked by itself. */
  async #askAlone(
    lane: Lane,
    probes: readonly Probe<unknown>[],
    answers: ReadonlyMap<Probe<unknown>, Answer>,
  ): Promise<void> {
    const families = Map.groupBy(answers.keys(), probe => probe.family)
    const unclear = [...families.values()].flatMap(asked =>
      asked.length > 1 ? asked.filter(probe => 'error' in (answers.get(probe) ?? {})) : [],
    )
    for (const probe of unclear) {
      const alone = batch([probe])
      const completed = await lane.session.exchange(alone.parts, {
        deadlineMs: alone.deadlineMs + LINK_SLACK_MS,
      })
      for (const [one, answer] of alone.answers(completed)) lane.answers.set(one, answer)
    }
  }
}

/** Returns whether the error means that the host is lost for the run, not just the task. */
export function isLost(error: unknown): error is ConnectError | DeadlineError {
  return error instanceof ConnectError || error instanceof DeadlineError
}

function addUsage(a: Usage, b: Usage): Usage {
  return {
    frames: a.frames + b.frames,
    bytesSent: a.bytesSent + b.bytesSent,
    bytesReceived: a.bytesReceived + b.bytesReceived,
  }
}

async function usageOf(connection: Promise<Connection> | undefined): Promise<Usage> {
  return (await connection?.catch(() => undefined))?.usage() ?? NOTHING
}
