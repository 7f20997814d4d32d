import type { Secret } from './secret.ts'
import type { Unknown } from './unknown.ts'

/** How a task ended on a host. `would_change` and `unknown` occur only where nothing is written (`plan`, `drift`, `--check`). */
export type Status = 'ok' | 'changed' | 'would_change' | 'unknown' | 'skipped' | 'failed' | 'unreachable'

/** One difference between the host and the wish; what reports print. Absent things are `null`. */
export interface Change {
  /** One word for the sort of difference, such as `mode`, `content`, `install`. */
  readonly kind: string
  /** The thing that differs: a path, a package, a unit, a user. */
  readonly what: string
  readonly before: Shown
  readonly after: Shown
  /** Marks a difference that destroys data when applied: formatting, wiping, shrinking, removing a volume. */
  readonly destroys?: boolean
}

/** A value as reports print it. A long text is shown as a diff. */
export type Shown = string | number | boolean | null | Secret | Unknown | readonly string[]

/** The answer of one part of a script on the host. */
export interface Completed {
  readonly code: number
  /** Standard output; decoded as `encoding` says, so that writing it back gives the same bytes. */
  readonly out: string
  readonly err: string
  readonly encoding: 'utf8' | 'latin1'
  /** How many bytes were left out of the middle of `out` and `err`, where they were too long to keep. */
  readonly dropped?: number
  /** Time on the host in milliseconds; the clock there ticks in hundredths of a second. */
  readonly ms: number
}

/** What `register` holds: the names people know from Ansible. Values that a plan cannot know are `Unknown`. */
export type Registered = Readonly<Record<string, unknown>>

/** Why a task failed, in the parts a person needs. */
export interface Failure {
  readonly code: string
  readonly message: string
  /** The next step, one imperative sentence. */
  readonly hint?: string
  /** The remote command, secrets masked. */
  readonly command?: string
  readonly rc?: number
  readonly stdout?: string
  readonly stderr?: string
}
