import { setTimeout as sleep } from 'node:timers/promises'
import { ConnectError, TaskError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import {
  armScript,
  disarmScript,
  isOccupied,
  readFate,
  requireArmed,
  takeBackScript,
  widenScript,
  type Domain,
  type Fate,
  type Guard,
} from '../shell/guard.ts'
import type { Sh } from '../shell/sh.ts'
import type { Become, Connect, Connection, Way } from '../transport/session.ts'
import { domainsOf, scopeOf, type Deed } from './guard-scope.ts'
import { TAKING_BACK_MS, type GuardNews } from './guard-news.ts'
import type { GuardWish } from './guard-wish.ts'
import type { Lane, Lanes } from './lanes.ts'
import { isLost, isRefused } from './lost.ts'

/** Who is about to change something, and in which shell. */
export interface Doer {
  /** Tasks of one owner share a guard: a task and the handlers that run under it. */
  readonly owner: object
  readonly token: string
  readonly title: string
  readonly wish: GuardWish
  readonly lane: Lane
}

interface Armed extends Guard {
  readonly owner: object
  /** Where a fresh connection is looked for. */
  readonly way: Way
  /** The shell that arms, and all users that a fresh connection must be able to become. */
  readonly root: Lane
  readonly becomes: Map<string, Become | undefined>
  /** Domains of which files were changed that nothing has put into effect yet. */
  readonly open: Set<Domain>
  /** When the host takes the change back, on the controller's clock. */
  end: number
  isLinkDead: boolean
  /** How often a fresh login was refused. */
  refusals: number
}

/** How a trial ended. */
export type Trial = Fate | { readonly is: 'unreachable'; readonly why: string }

const ARM_MS = 60_000
const ANSWER_MS = 20_000
/** A login that takes longer is none. */
const LONGEST_LOGIN_MS = 90_000
/** So long, or so often, a fresh connection is tried: services take their time to come up. */
const LONG_ENOUGH_MS = 15_000
const OFTEN_ENOUGH = 3
const PAUSE_MS = 1000
/** A login that is refused is tried once more, a little later; who fails too often is shut out by fail2ban, and the change is back by then. */
const REFUSED_OFTEN_ENOUGH = 2
const REFUSED_PAUSE_MS = 3000
/** No more than so many for one change: the fifth is one too many for fail2ban, as it usually is. */
const MOST_REFUSALS = 4
/** Before its end a trial must be over, so that nothing is kept and taken back at once. */
const MARGIN_MS = 2000
/** What the host may need beyond the deadline until it answers again. */
const RETURN_MS = 90_000

/** The guard of one host: at most one change at a time is on trial. */
export class HostGuard {
  readonly #host: string
  readonly #connect: Connect
  readonly #lanes: Lanes
  readonly #news: GuardNews
  #armed: Armed | undefined
  #waiting: (() => void)[] = []
  #way: Way = {}

  constructor(host: string, connect: Connect, lanes: Lanes, news: GuardNews) {
    this.#host = host
    this.#connect = connect
    this.#lanes = lanes
    this.#news = news
  }

  /** Where the host is reached since a guarded change has moved it. */
  get way(): Way {
    return this.#way
  }

  /** True while a change of this owner is on trial. */
  isHeldBy(owner: object): boolean {
    return this.#armed?.owner === owner
  }

  /** True for the guard that is armed by this run now. */
  holds(token: string): boolean {
    return this.#armed?.token === token
  }

  /** Milliseconds that an order to the host may take while a change is on trial; undefined where none is. */
  get leftMs(): number | undefined {
    return this.#armed && Math.max(0, this.#armed.end - performance.now())
  }

  /**
   * Makes the host ready to take back what is about to be done, where it is asked for or the deed may lock people out.
   *
   * @throws TaskError GUARD_UNARMED where it cannot; nothing must be done then.
   */
  async before(deed: Deed, doer: Doer): Promise<void> {
    const { wish, owner, lane } = doer
    if (wish.is === 'none') return
    if (this.#armed?.owner === owner) return this.#widen(this.#armed, deed, lane)
    const isImplied = lane.session.uid === 0 && domainsOf(deed).length > 0
    if (wish.is === 'auto' && !isImplied) return
    while (this.#armed) await new Promise<void>(resolve => this.#waiting.push(resolve))
    await this.#arm(deed, doer)
  }

  /** The link is gone: whatever is decided is told over a fresh one. */
  linkDied(): void {
    if (this.#armed) this.#armed.isLinkDead = true
  }

  /** Opens a fresh connection, with a login and an escalation of its own, and keeps the change over it. */
  async prove(): Promise<Trial> {
    const armed = this.#armed
    if (armed === undefined) return { is: 'unknown' }
    const started = performance.now()
    for (let tries = 1; ; tries += 1) {
      const found = await this.#afresh(armed, disarmScript(armed, [...armed.open]), ANSWER_MS, armed.way)
      if (!(found instanceof Error)) return this.#ended(found)
      const now = performance.now()
      const isEnough =
        armed.refusals >= REFUSED_OFTEN_ENOUGH || (tries >= OFTEN_ENOUGH && now - started > LONG_ENOUGH_MS)
      const rest = isRefused(found) ? REFUSED_PAUSE_MS : PAUSE_MS
      if (isEnough || isFinal(found) || now + rest + MARGIN_MS > armed.end)
        return { is: 'unreachable', why: found.message }
      await sleep(rest)
    }
  }

  /** Has the change taken back, over the link that is there or a fresh one; where there is neither, the host does it when the time is over. */
  async takeBack(isPatient: () => boolean): Promise<Trial> {
    const armed = this.#armed
    if (armed === undefined) return { is: 'unknown' }
    const order = takeBackScript(armed)
    const direct = armed.isLinkDead ? undefined : await this.#overLane(armed, order)
    if (direct) return this.#ended(direct)
    armed.isLinkDead = true
    for (;;) {
      const found = await this.#afresh(armed, order, TAKING_BACK_MS, this.#way)
      if (!(found instanceof Error)) return this.#ended(found)
      const isEnough = armed.refusals >= MOST_REFUSALS || performance.now() > armed.end + RETURN_MS
      if (!isPatient() || isEnough) {
        await this.#release('dead')
        return { is: 'unreachable', why: found.message }
      }
      // Refused as long as the change is there: the host is asked again once it has taken it back by itself.
      const next = isRefused(found) ? Math.max(armed.end, performance.now() + RETURN_MS / 3) : 0
      do await sleep(PAUSE_MS)
      while (performance.now() < next && isPatient())
    }
  }

  async #arm(deed: Deed, { owner, token, title, wish, lane }: Doer): Promise<void> {
    const scope = scopeOf(deed)
    const root = await this.#rootOf(lane)
    await this.#lanes.own(root)
    const guard = { token, task: title, seconds: wish.seconds }
    const parts = [{ script: armScript(guard, scope) }]
    let [answer = NO_ANSWER] = await this.#lanes.exchange(root, parts, [], ARM_MS)
    if (isOccupied(answer)) {
      await this.#news.settle(root.session)
      ;[answer = NO_ANSWER] = await this.#lanes.exchange(root, parts, [], ARM_MS)
    }
    requireArmed(answer)
    this.#armed = {
      ...guard,
      owner,
      root,
      way: wish.port === undefined ? this.#way : { port: wish.port },
      becomes: new Map([[nameOf(root), root.become]]),
      open: new Set(),
      end: performance.now() + wish.seconds * 1000,
      isLinkDead: false,
      refusals: 0,
    }
    this.#note(this.#armed, scope, lane)
  }

  async #widen(armed: Armed, deed: Deed, lane: Lane): Promise<void> {
    const scope = scopeOf(deed)
    const [answer] = await this.#lanes.exchange(
      armed.root,
      [{ script: widenScript(armed, scope) }],
      [],
      ARM_MS,
    )
    if (answer && readFate(answer).is === 'taken back')
      throw new TaskError('GUARD_EXPIRED', 'the time of the guard is over', MORE_TIME)
    requireArmed(answer ?? NO_ANSWER)
    armed.end = performance.now() + armed.seconds * 1000
    this.#note(armed, scope, lane)
  }

  #note(armed: Armed, { domains, effects }: ReturnType<typeof scopeOf>, lane: Lane): void {
    armed.becomes.set(nameOf(lane), lane.become)
    for (const domain of domains) if (!effects.includes(domain)) armed.open.add(domain)
    for (const domain of effects) armed.open.delete(domain)
  }

  /** Only root can put back what root has changed. */
  async #rootOf(lane: Lane): Promise<Lane> {
    if (lane.session.uid === 0) return lane
    try {
      return await this.#lanes.lane({ user: 'root', method: lane.become?.method ?? 'sudo' })
    } catch (error) {
      if (!(error instanceof ConnectError) || error.stage !== 'become') throw error
      throw new TaskError(
        'GUARD_UNARMED',
        `a change is taken back by root, and \`${lane.session.user}\` cannot become root: ${error.message}`,
        'let the login become root, or set `guard: none`',
      )
    }
  }

  async #overLane(armed: Armed, script: Sh): Promise<Completed | undefined> {
    try {
      return (await armed.root.session.exchange([{ script }], { deadlineMs: ANSWER_MS }))[0]
    } catch (error) {
      if (!isLost(error)) throw error
      return undefined
    }
  }

  async #afresh(armed: Armed, script: Sh, answerMs: number, way: Way): Promise<Completed | Error> {
    const signal = AbortSignal.timeout(LONGEST_LOGIN_MS)
    let connection: Connection | undefined
    try {
      connection = await this.#connect(this.#host, signal, way)
      const root = await connection.shell(armed.root.become)
      for (const become of armed.becomes.values()) await connection.shell(become)
      const [answer] = await root.exchange([{ script }], { deadlineMs: answerMs })
      return answer ?? NO_ANSWER
    } catch (error) {
      if (isRefused(error)) armed.refusals += 1
      if (isLost(error)) return error
      if (!signal.aborted) throw error
      return new ConnectError(this.#host, 'tcp', `no login within ${LONGEST_LOGIN_MS / 1000} s`)
    } finally {
      await connection?.close()
    }
  }

  async #ended(answer: Completed): Promise<Trial> {
    const fate = readFate(answer)
    if (fate.is === 'kept' && this.#armed) this.#way = this.#armed.way
    const isDead = this.#armed?.isLinkDead === true || fate.is !== 'kept'
    await this.#release(isDead ? 'dead' : 'alive')
    return fate
  }

  /** What was known of the host before a change that was taken back is not relied upon, nor is its link. */
  async #release(link: 'alive' | 'dead'): Promise<void> {
    this.#armed = undefined
    const waiting = this.#waiting
    this.#waiting = []
    if (link === 'dead') await this.#lanes.close('dead')
    for (const wake of waiting) wake()
  }
}

/** Returns in words why a deed would be on trial and how long; undefined where it would not be. */
export function guardedBy(deed: Deed, { wish, lane }: Pick<Doer, 'wish' | 'lane'>): string | undefined {
  if (wish.is === 'none') return undefined
  const domains = lane.session.uid === 0 ? domainsOf(deed) : []
  if (wish.is === 'auto' && domains.length === 0) return undefined
  const why = wish.is === 'auto' ? `it may lock people out: ${domains.join(', ')}` : 'the task asks for it'
  return `kept only over a new connection within ${wish.seconds} s (${why})`
}

export const MORE_TIME = 'give the guard more time, such as `guard: { reconnect: 5m }`'

const NO_ANSWER: Completed = { code: 255, out: '', err: 'no answer', encoding: 'utf8', ms: 0 }

function nameOf({ become }: Lane): string {
  return become ? `${become.method} ${become.user}` : ''
}

/** What goes wrong at these stages does not get better by waiting. */
function isFinal(error: Error): boolean {
  return error instanceof ConnectError && ['config', 'hostkey'].includes(error.stage)
}
