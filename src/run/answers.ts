import { affects, type Probe, type Resource } from '../probes/probe.ts'

/** What is known about one question: its value, or the failure of the probe. */
export type Answer = { readonly value: unknown } | { readonly error: Error }

interface Kept {
  readonly probe: Probe<unknown>
  readonly answer: Answer
}

/**
 * The answers of one shell on one host that still hold. An answer stays until a change touches what it depends on;
 * a change that does not say what it touches makes all of them stale.
 */
export class Answers {
  readonly #kept = new Map<string, Kept>()

  get(probe: Probe<unknown>): Answer | undefined {
    return this.#kept.get(probe.key)?.answer
  }

  set(probe: Probe<unknown>, answer: Answer): void {
    this.#kept.set(probe.key, { probe, answer })
  }

  /** Drops what a change may have altered; `undefined` means it may have altered anything. */
  drop(touched: readonly Resource[] | undefined): void {
    if (touched === undefined) {
      this.#kept.clear()
      return
    }
    for (const [key, { probe }] of this.#kept) if (isTouched(probe, touched)) this.#kept.delete(key)
  }
}

/** Returns whether a change of these resources can alter the answer; `undefined` stands for "anything". */
export function isTouched(probe: Probe<unknown>, touched: readonly Resource[] | undefined): boolean {
  if (touched === undefined) return true
  return probe.family.reads(probe.arg).some(read => touched.some(resource => affects(resource, read)))
}
