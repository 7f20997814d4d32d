import { TaskError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import type { Family, Probe } from '../probes/probe.ts'
import type { Part } from '../transport/session.ts'
import type { Answer } from './answers.ts'

/** The longest a family may take to answer when it does not say so itself, in seconds. */
const FAMILY_DEADLINE = 30

/** Questions of one family, merged into one part of a frame. */
interface Merged {
  readonly family: Family<unknown, unknown>
  readonly probes: readonly Probe<unknown>[]
}

/** Many questions in few parts, and the way back from the parts' answers to the questions. */
export interface Batch {
  readonly parts: readonly Part[]
  /** Milliseconds the host may take for all parts. */
  readonly deadlineMs: number
  readonly answers: (completed: readonly Completed[]) => ReadonlyMap<Probe<unknown>, Answer>
}

/** Merges the questions: equal ones are asked once, those of a family in one script. */
export function batch(probes: readonly Probe<unknown>[]): Batch {
  const merged = merge(probes)
  return {
    parts: merged.map(({ family, probes: asked }) => ({
      script: family.script(asked.map(probe => probe.arg)),
    })),
    deadlineMs:
      1000 * merged.reduce((longest, { family }) => Math.max(longest, family.deadline ?? FAMILY_DEADLINE), 0),
    answers: completed => new Map(merged.flatMap((one, index) => split(one, completed[index]))),
  }
}

function merge(probes: readonly Probe<unknown>[]): Merged[] {
  const unique = new Map(probes.map(probe => [probe.key, probe]))
  const families = Map.groupBy(unique.values(), probe => probe.family)
  return [...families].map(([family, asked]) => ({ family, probes: asked }))
}

function split({ family, probes }: Merged, completed: Completed | undefined): [Probe<unknown>, Answer][] {
  try {
    if (completed === undefined) throw new TaskError('PROBE_UNREADABLE', `no answer to ${family.name}`)
    const values = family.parse(
      completed,
      probes.map(probe => probe.arg),
    )
    if (values.length !== probes.length) {
      throw new TaskError(
        'PROBE_UNREADABLE',
        `${values.length} answers to ${probes.length} questions of ${family.name}`,
      )
    }
    return probes.map((probe, index) => [probe, { value: values[index] }])
  } catch (error) {
    return probes.map(probe => [probe, { error: error as Error }])
  }
}
