import type { Completed } from '../base/result.ts'
import type { Sh } from '../shell/sh.ts'
import { probeOf, type Family, type Probe, type Resource } from './probe.ts'
import { brokenOff } from './unreadable.ts'

/** One family of facts about a host: a question without an argument. */
export interface Fact<T> {
  readonly name: string
  readonly script: Sh
  /** Called for answers of status 0 only. */
  readonly parse: (out: string) => T
  readonly reads: readonly Resource[]
  /** Seconds; a fact is never worth a long wait. */
  readonly deadline?: number
}

/** Returns the fact as a family of questions. */
export function factFamily<T>({ name, script, parse, reads, deadline = 10 }: Fact<T>): Family<null, T> {
  return {
    name: `fact-${name}`,
    key: () => '',
    script: () => script,
    parse: (answer: Completed, args) => {
      if (answer.code !== 0) throw brokenOff('sh', answer)
      return args.map(() => parse(answer.out))
    },
    reads: () => reads,
    absent: () => false,
    deadline,
  }
}

/** Returns the question for a fact. */
export function factProbe<T>(family: Family<null, T>): Probe<T> {
  return probeOf(family)(null)
}
