import type { PlannedPlay, Step } from '../plan/step.ts'
import type { Registered } from '../base/result.ts'
import type { Unknown } from '../base/unknown.ts'
import { Gate } from './parallel.ts'

/** What the first host found out for all. */
export type SharedResult = Registered | Unknown | undefined

/**
 * The hosts that go through a play together: all of them, or one batch of `serial`. What one host's fate or work means
 * for the others is settled here.
 */
export class Stage {
  readonly play: PlannedPlay
  readonly hosts: readonly string[]
  readonly #walking: Set<string>
  readonly #once = new Map<string, Promise<SharedResult>>()
  readonly #gates = new Map<string, Gate>()
  readonly #arrived = new Map<string, number>()
  readonly #order: ReadonlyMap<string, number>
  #waiting: (() => void)[] = []
  #isOver = false

  /** `order` gives the place of each task in the play, for hosts that go in step. */
  constructor(play: PlannedPlay, hosts: readonly string[], order: ReadonlyMap<string, number>) {
    this.play = play
    this.hosts = hosts
    this.#walking = new Set(hosts)
    this.#order = order
  }

  /** True once a failure elsewhere ends the play for all. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Ends the play for every host at its next task. */
  end(): void {
    this.#isOver = true
    this.#wake()
  }

  /** Takes a host out that is through, or out of the run: nobody waits for it any more. */
  leave(host: string): void {
    this.#walking.delete(host)
    this.#wake()
  }

  /** Returns the result of a `run_once` task; the first host that comes does the work, the others wait for it. */
  once(
    step: Step,
    work: () => Promise<SharedResult>,
  ): { readonly isMine: boolean; readonly result: Promise<SharedResult> } {
    const known = this.#once.get(step.id)
    if (known) return { isMine: false, result: known }
    const result = work()
    result.catch(() => undefined)
    this.#once.set(step.id, result)
    return { isMine: true, result }
  }

  /** Lets at most `width` hosts into the task at a time. */
  async throttled<T>(step: Step, width: number | undefined, work: () => Promise<T>): Promise<T> {
    if (width === undefined || width < 1) return work()
    const gate = this.#gates.get(step.id) ?? new Gate(width)
    this.#gates.set(step.id, gate)
    return gate.through(work)
  }

  /** With `strategy: linear`, waits until every host still walking has come as far as this task. */
  async inStep(host: string, step: Step): Promise<void> {
    const place = this.#order.get(step.id)
    if (place === undefined) return
    this.#arrived.set(host, place)
    this.#wake()
    while (!this.#isOver && [...this.#walking].some(other => (this.#arrived.get(other) ?? -1) < place)) {
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    }
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }
}
