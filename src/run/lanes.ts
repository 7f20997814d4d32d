import type { ConnectError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import type { Probe, Resource } from '../probes/probe.ts'
import type { Become, Connect, Connection, Part, Session, Usage } from '../transport/session.ts'
import { discardChanges } from '../shell/change.ts'
import { Answers, type Answer } from './answers.ts'
import { batch } from './batch.ts'
import type { GuardNews } from './guard-news.ts'
import type { HostLock } from './host-lock.ts'
import { emptyKept, noted, noteScript, type Kept } from './kept.ts'
import type { Back, Link } from './link.ts'
import { isLost } from './lost.ts'
import { LIFE, readLife, readRecalled, recallScript, type Recalled } from './recall.ts'

/** One shell of a host with the answers it gave that still hold. */
export interface Lane {
  readonly become: Become | undefined
  /** Another one after the link was cut. */
  session: Session
  readonly answers: Answers
  /** Files of changes whose answers have arrived; what lies about them is removed with the next frame. */
  readonly spent: string[]
  /** What the host keeps in mind for this user; undefined where nothing is to be kept. */
  readonly kept: Kept | undefined
}

/** What lanes tell of, and how they bear with a link. */
export interface LaneWays {
  readonly link: Link
  readonly lock: HostLock
  readonly news: GuardNews
  readonly onConnected: (ms: number, warnings: readonly string[]) => void
  readonly onCut: (cut: ConnectError) => void
  /** `isRestarted` where the host is in another life than before. */
  readonly onBack: (back: Back, isRestarted: boolean) => void
  /** Given where the host's memory counts: told what it owes, once a user. */
  readonly onRecalled?: ((kept: Kept, recalled: Recalled) => void) | undefined
}

/** Slack for the way there and back, on top of the time the host itself may take. */
const LINK_SLACK_MS = 15_000

const NOTHING: Usage = { frames: 0, bytesSent: 0, bytesReceived: 0 }

interface Entry {
  readonly parts: readonly Part[]
  readonly isAsBefore: (all: readonly Completed[]) => Promise<boolean>
}

const NO_ENTRY: Entry = { parts: [], isAsBefore: () => Promise.resolve(true) }

/** All shells of one host: opened when first needed, kept for the run. */
export class Lanes {
  readonly #host: string
  readonly #connect: Connect
  readonly #signal: AbortSignal
  readonly #ways: LaneWays
  readonly #open = new Map<string, Promise<Lane>>()
  readonly #kept = new Map<number, Kept>()
  readonly #recalled = new Set<Kept>()
  /** Connections that were given up, each with the one that took its place. */
  readonly #after = new WeakMap<Connection, Promise<Connection>>()
  readonly #of = new WeakMap<Lane, Connection>()
  #life: string | undefined
  #connection: Promise<Connection> | undefined
  #past: Usage = NOTHING

  constructor(host: string, connect: Connect, signal: AbortSignal, ways: LaneWays) {
    this.#host = host
    this.#connect = connect
    this.#signal = signal
    this.#ways = ways
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

  /**
   * Sends the parts followed by the questions as one frame and keeps the answers to the questions. Where the link is cut, questions are asked
   * again over a new connection; a frame with parts fails.
   */
  async exchange(
    lane: Lane,
    parts: readonly Part[],
    probes: readonly Probe<unknown>[],
    partsDeadlineMs: number,
  ): Promise<readonly Completed[]> {
    for (;;) {
      try {
        const completed = await this.#frame(lane, parts, probes, partsDeadlineMs)
        if (parts.length === 0) this.#ways.link.fine()
        return completed
      } catch (error) {
        if (parts.length > 0 || !this.isCut(error)) throw error
        await this.comeBack(lane, error)
      }
    }
  }

  /** Returns whether the error means that the link was cut, and that the run may wait for it. */
  isCut(error: unknown): error is ConnectError {
    return this.#ways.link.isCut(error)
  }

  /** Says that what was cut before is through: patience begins anew. */
  fine(): void {
    this.#ways.link.fine()
  }

  /**
   * Gives the lane a new shell over a new connection. Nothing that was answered before holds any longer.
   *
   * @throws ConnectError where the host is not reached again in time.
   */
  async comeBack(lane: Lane, cut: ConnectError): Promise<void> {
    const before = this.#of.get(lane)
    if (before === undefined) throw cut
    const after = this.#after.get(before) ?? this.#replace(before, lane.become, cut)
    this.#after.set(before, after)
    const connection = await after
    this.#of.set(lane, connection)
    lane.answers.drop(undefined)
    try {
      lane.session = await connection.shell(lane.become)
      await this.#ways.lock.take(lane.session)
    } catch (error) {
      if (!isLost(error) || !this.isCut(cut)) throw error
      await this.comeBack(lane, cut)
    }
  }

  /**
   * Makes sure that the host may be changed, and that nothing an earlier run left undecided stands in the way.
   *
   * @throws TaskError LOCKED where another run changes it; HOST_UNFIT where the module must not.
   */
  async own(lane: Lane, module?: string): Promise<void> {
    try {
      await this.#ways.lock.take(lane.session, module)
      if (this.#ways.news.part(lane.session)) await this.#ways.news.settle(lane.session)
    } catch (error) {
      if (!this.isCut(error)) throw error
      await this.comeBack(lane, error)
      await this.own(lane, module)
    }
  }

  /** Lets what lies about a change go whose answer has arrived. */
  discard(lane: Lane, file: string): void {
    lane.spent.push(file)
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
    this.#ways.lock.forget()
    this.#recalled.clear()
    this.#life = undefined
    await (await connection?.catch(() => undefined))?.close()
  }

  /** Questions may be cut short; a change that has begun is waited for, so that its outcome is known. */
  #interruptible(parts: readonly Part[]): { signal?: AbortSignal } {
    return parts.length === 0 && !this.#signal.aborted ? { signal: this.#signal } : {}
  }

  /** What is left over goes before the shell does; a host that is lost, or not waited for any more, keeps it until its next start. */
  async #tidy(opening: Promise<Lane>): Promise<void> {
    try {
      const lane = await opening
      const isTidy =
        lane.spent.length === 0 && (lane.kept === undefined || noteScript(lane.kept) === undefined)
      if (!isTidy) await this.#frame(lane, [], [], LINK_SLACK_MS)
    } catch (error) {
      if (!isLost(error) && !this.#signal.aborted) throw error
    }
  }

  async #start(become: Become | undefined): Promise<Lane> {
    const started = performance.now()
    const isFirst = this.#connection === undefined
    this.#connection ??= this.#connect(this.#host, this.#signal)
    const connection = await this.#connection
    const session = await connection.shell(become)
    if (isFirst) this.#ways.onConnected(Math.round(performance.now() - started), session.warnings)
    const kept = this.#ways.onRecalled && (this.#kept.get(session.uid) ?? emptyKept(session.uid))
    if (kept) this.#kept.set(session.uid, kept)
    const lane: Lane = { become, session, answers: new Answers(), spent: [], kept }
    this.#of.set(lane, connection)
    return lane
  }

  /** What the host is told comes first, so that it never undoes what the parts tell it; what it is asked of itself comes last. */
  async #frame(
    lane: Lane,
    parts: readonly Part[],
    probes: readonly Probe<unknown>[],
    partsDeadlineMs: number,
  ): Promise<readonly Completed[]> {
    const questions = batch(probes)
    const { kept, session } = lane
    const [told, spent] = [kept?.notes.length ?? 0, lane.spent.length]
    const notes = kept && noteScript(kept)
    const isNew = kept !== undefined && !this.#recalled.has(kept)
    const isLook = parts.length === 0 && probes.length > 0
    const entry = isLook ? this.#entry(session) : NO_ENTRY
    const head = [...entry.parts, ...(notes ? [{ script: notes }] : [])]
    const own = [...head, ...parts, ...questions.parts]
    const more = [
      ...(spent > 0 ? [{ script: discardChanges(lane.spent) }] : []),
      ...(isNew ? [{ script: recallScript(session.uid) }] : []),
    ]
    if (own.length + spent === 0) return []
    const deadlineMs = partsDeadlineMs + questions.deadlineMs + LINK_SLACK_MS
    const all = await session.exchange([...own, ...more], { deadlineMs, ...this.#interruptible(parts) })
    if (kept && notes) noted(kept, told)
    lane.spent.splice(0, spent)
    // What was asked along with it may be otherwise by now, and so may be what the host owes.
    if (!(await entry.isAsBefore(all))) return this.#frame(lane, parts, probes, partsDeadlineMs)
    if (isNew) this.#recall(kept, readRecalled(all.at(-1)?.out ?? ''))
    const completed = all.slice(head.length)
    const answers = questions.answers(completed.slice(parts.length))
    for (const [probe, answer] of answers) lane.answers.set(probe, answer)
    await this.#askAlone(lane, probes, answers)
    return completed.slice(0, parts.length)
  }

  /** What stands ahead of questions: the lock, and guards that earlier runs left. */
  #entry(session: Session): Entry {
    const lock = this.#ways.lock.part(session)
    const news = this.#ways.news.part(session)
    const parts = [lock, news].filter(part => part !== undefined)
    const isAsBefore = async (all: readonly Completed[]): Promise<boolean> => {
      const last = all[parts.length - 1]
      const open = news && last ? this.#ways.news.read(last) : undefined
      const isOwn = !lock || !all[0] || (await this.#ways.lock.answered(session, all[0]))
      if (open) await this.#ways.news.end(open, session)
      return isOwn && !open
    }
    return { parts, isAsBefore }
  }

  #recall(kept: Kept, recalled: Recalled): void {
    this.#recalled.add(kept)
    this.#life ??= recalled.life
    this.#ways.onRecalled?.(kept, recalled)
  }

  /** Nobody waits for the end of a link that hears nothing. */
  async #replace(before: Connection, become: Become | undefined, cut: ConnectError): Promise<Connection> {
    this.#ways.onCut(cut)
    const { result, ...back } = await this.#ways.link.restore(cut, () => this.#connectAnew(become))
    const { connection, life } = result
    this.#past = addUsage(this.#past, before.usage())
    this.#ways.lock.forget()
    void before.close().catch(() => undefined)
    this.#connection = Promise.resolve(connection)
    const isRestarted = this.#life !== undefined && life !== undefined && life !== this.#life
    this.#life = life ?? this.#life
    this.#ways.onBack(back, isRestarted)
    return connection
  }

  /** A connection counts once a shell has answered. */
  async #connectAnew(
    become: Become | undefined,
  ): Promise<{ readonly connection: Connection; readonly life: string | undefined }> {
    const connection = await this.#connect(this.#host, this.#signal)
    try {
      const session = await connection.shell(become)
      const [answer] = await session.exchange([{ script: LIFE }], { deadlineMs: LINK_SLACK_MS })
      return { connection, life: answer && readLife(answer.code, answer.out) }
    } catch (error) {
      void connection.close().catch(() => undefined)
      throw error
    }
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
