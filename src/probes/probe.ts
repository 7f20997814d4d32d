import type { Completed } from '../base/result.ts'
import type { Sh } from '../shell/sh.ts'

/**
 * A sort of read-only question. Probes of one family that are asked in the same frame are merged: `script` asks for
 * all their arguments in one process where it can, `parse` splits the answer again.
 */
export interface Family<A, T> {
  readonly name: string
  /** Two arguments with equal keys are asked once. */
  readonly key: (arg: A) => string
  /** Returns a script that asks for all arguments and writes nothing on the host. */
  readonly script: (args: readonly A[]) => Sh
  /**
   * Returns one value per argument, in order.
   *
   * @throws TaskError with code `PROBE_UNREADABLE` where the answer cannot be understood: never "unchanged".
   */
  readonly parse: (answer: Completed, args: readonly A[]) => readonly T[]
  /** What on the host the answer depends on; a change that touches none of it leaves the answer valid. */
  readonly reads: (arg: A) => readonly Resource[]
  /** Returns whether the answer says "not there"; without it, `null` does. A plan doubts such answers once a planned package may bring the thing. */
  absent?(this: void, answer: T): boolean
  /** Seconds the host has to answer; 30 where not given. */
  readonly deadline?: number
}

/** A question with its argument. `T` is what the answer means. */
export interface Probe<T> {
  readonly family: Family<unknown, T>
  readonly arg: unknown
  /** Family and argument in one string: the identity of the question. */
  readonly key: string
}

export type Probes = Readonly<Record<string, Probe<unknown>>>

/** The answers to a record of probes. */
export type StateOf<Q extends Probes> = {
  readonly [K in keyof Q]: NonNullable<Q[K]> extends Probe<infer T> ? T : never
}

/**
 * Something on the host that questions read and changes touch.
 * `path` means that very path (its metadata and content); `tree` the path and all below it; `name` `*` means every thing of the kind.
 */
export interface Resource {
  readonly kind:
    | 'path'
    | 'tree'
    | 'package'
    | 'unit'
    | 'user'
    | 'group'
    | 'mount'
    | 'sysctl'
    | 'host'
    | 'process'
    | 'docker'
    | 'device'
  readonly name: string
}

/** Returns a function that makes probes of the family. */
export function probeOf<A, T>(family: Family<A, T>): (arg: A) => Probe<T> {
  return arg => ({
    family: family as unknown as Family<unknown, T>,
    arg,
    key: `${family.name} ${family.key(arg)}`,
  })
}

/** Returns whether a change of `touched` can alter an answer that depends on `read`. */
export function affects(touched: Resource, read: Resource): boolean {
  if (touched.kind === 'tree') {
    return (
      (read.kind === 'path' || read.kind === 'tree') &&
      (isUnder(read.name, touched.name) || (read.kind === 'tree' && isUnder(touched.name, read.name)))
    )
  }
  if (touched.kind === 'path' && read.kind === 'tree') return isUnder(touched.name, read.name)
  return (
    touched.kind === read.kind && (touched.name === read.name || touched.name === '*' || read.name === '*')
  )
}

function isUnder(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`)
}
