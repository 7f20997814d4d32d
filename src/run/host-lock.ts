import { TaskError } from '../base/error.ts'
import type { Mode } from '../base/event.ts'
import type { Completed } from '../base/result.ts'
import {
  holderScript,
  lockFile,
  lockFolder,
  lockScript,
  readHolder,
  readLock,
  readShared,
  readTaken,
  type Holder,
  type LockOwner,
} from '../shell/lock.ts'
import { lines, sh } from '../shell/sh.ts'
import type { Part, Session } from '../transport/session.ts'
import type { HostHealth } from './health.ts'

/** Whether and how a run locks the hosts it changes. */
export interface LockWish {
  readonly owner: LockOwner
  /** Seconds to wait for whoever holds a host. */
  readonly waitSeconds: number
  /** Ends whoever holds a host. */
  readonly steal: boolean
}

/** Longest stay of one question on the host; between two of them an interrupt is noticed. */
const STAY_SECONDS = 10
const ANSWER_MS = 30_000
/** A file system that gives an open file another number than its name would never be done. */
const MOST_REPLACED = 8

/** Keeps other runs off one host; a reader only finds out who is at work there. */
export class HostLock {
  readonly #wish: LockWish | undefined
  readonly #writes: boolean
  readonly #signal: AbortSignal
  readonly #warn: (message: string) => void
  readonly #health: HostHealth
  /** Users whose shells have held it: whoever lost it to another run must not go on as if nothing had been. */
  readonly #held = new Set<number>()
  /** Users whose shells hold it, or have looked. */
  readonly #settled = new Set<number>()
  #refusal: TaskError | undefined
  /** The host has no flock. */
  #isBare = false
  /** The name under which this run holds the machine already. It is asked for again before each change: that one may let go first. */
  #shared: string | undefined

  /** A run that writes nothing only looks who is at work; without a wish not even that. */
  constructor(
    wish: LockWish | undefined,
    mode: Mode,
    signal: AbortSignal,
    health: HostHealth,
    warn: (message: string) => void,
  ) {
    this.#wish = wish
    this.#writes = mode === 'apply'
    this.#signal = signal
    this.#warn = warn
    this.#health = health
  }

  /** Returns the piece to send ahead of a shell's first questions; undefined where there is nothing to find out any more. */
  part(session: Session): Part | undefined {
    const { uid } = session
    if (this.#wish === undefined || this.#isSettled(uid)) return undefined
    return this.#writes ? this.#taking(session, this.#wish, 0) : { script: holderScript(lockFolder(uid)) }
  }

  /**
   * Reads the answer to that piece. Returns false where the lock was had only after a while, so that what was asked along with it must
   * be asked again.
   *
   * @throws TaskError LOCKED where somebody else holds the host.
   */
  async answered(session: Session, completed: Completed): Promise<boolean> {
    if (!this.#writes) {
      const holder = completed.code === 0 ? readHolder(completed.out) : undefined
      if (holder) this.#warn(describe(holder))
      this.#settled.add(session.uid)
      return true
    }
    return this.#settle(session, this.#read(session, completed))
  }

  /**
   * Makes sure that the host may be changed from this shell, by the module where one is named.
   *
   * @throws TaskError LOCKED, or HOST_UNFIT where the module would do harm.
   */
  async take(session: Session, module?: string): Promise<void> {
    if (this.#wish === undefined || !this.#writes) return
    if (!this.#isSettled(session.uid)) await this.#settle(session, await this.#ask(session, 0))
    if (module === undefined || !this.#health.isUnfitFor(module)) return
    const look = { script: this.#health.script() }
    const [now] = await session.exchange([look], { deadlineMs: ANSWER_MS })
    this.#health.take(now?.out ?? '', Date.now() / 1000)
    this.#health.refuse(module)
  }

  /** Says that shells are gone or replaced, and their locks with them: the next one takes it anew, from its own run's old shell as well. */
  forget(): void {
    this.#settled.clear()
  }

  #isSettled(uid: number): boolean {
    if (this.#refusal) throw this.#refusal
    return this.#settled.has(0) || this.#settled.has(uid)
  }

  /** Waits for whoever holds it as long as the run may; returns whether the first answer was it. */
  async #settle(session: Session, first: Holder | 'again' | 'bare' | undefined): Promise<boolean> {
    const wait = this.#wish?.waitSeconds ?? 0
    const end = performance.now() + wait * 1000
    if (typeof first === 'object' && wait > 0) this.#warn(`${describe(first)}; waiting`)
    let replaced = 0
    for (let answer = first; answer !== undefined; answer = await this.#ask(session, this.#stay(end))) {
      this.#signal.throwIfAborted()
      if (answer === 'again' && ++replaced > MOST_REPLACED)
        throw new TaskError('LOCK_UNUSABLE', 'the file of the lock is replaced again and again')
      if (answer === 'bare') this.#isBare = true
      else if (answer !== 'again' && performance.now() >= end) throw this.#refuse(answer)
    }
    if (this.#shared === undefined) this.#settled.add(session.uid)
    this.#held.add(session.uid)
    return first === undefined
  }

  #stay(end: number): number {
    return Math.max(0, Math.min(STAY_SECONDS, Math.ceil((end - performance.now()) / 1000)))
  }

  #refuse(holder: Holder): TaskError {
    this.#refusal = new TaskError(
      'LOCKED',
      describe(holder),
      'wait for it with `--wait`, or end it with `--steal` when nobody needs it any more',
    )
    return this.#refusal
  }

  async #ask(session: Session, seconds: number): Promise<Holder | 'again' | 'bare' | undefined> {
    const parts = this.#wish ? [this.#taking(session, this.#wish, seconds)] : []
    const [completed] = await session.exchange(parts, { deadlineMs: seconds * 1000 + ANSWER_MS })
    if (completed === undefined) throw new TaskError('NO_ANSWER', 'the host did not answer to the lock')
    return this.#read(session, completed)
  }

  #read({ host }: Session, completed: Completed): Holder | 'again' | 'bare' | undefined {
    const taken = readTaken(completed.out)
    if (taken && taken.run !== this.#wish?.owner.run)
      this.#warn(`taken from run ${taken.run} of ${taken.user} on ${taken.controller}`)
    const holder = readLock(completed)
    const shared = readShared(completed.out)
    if (shared !== undefined && this.#shared === undefined)
      this.#warn(`\`${host}\` and \`${shared}\` are one machine: what is done to both is done side by side`)
    this.#shared = shared
    if (holder === undefined) this.#health.take(completed.out, Date.now() / 1000)
    return holder
  }

  #taking({ uid, host }: Session, { owner, steal }: LockWish, seconds: number): Part {
    const folder = lockFolder(uid)
    const lock = lockScript({
      folder,
      owner,
      name: host,
      seconds,
      steal,
      again: this.#held.has(uid),
      bare: this.#isBare,
    })
    const script = lines(sh`( ${lock}`, sh`) || exit`, this.#health.script())
    return { script, holds: lockFile(folder) }
  }
}

/** Returns who holds a host, in a sentence. */
export function describe(holder: Holder): string {
  if (holder.by === 'job') return `a change of an earlier run goes on here: ${holder.job}`
  if (holder.owner === undefined) return 'another run holds this host, and there was no room to say which'
  const { run, user, controller, since } = holder.owner
  return `${user} on ${controller} holds this host with run ${run} since ${since}`
}
