import { clearScript, journalFolder, settleScript, type Owed } from '../shell/journal.ts'
import type { Sh } from '../shell/sh.ts'

/** What one user's file on a host holds of what is owed, as far as this run knows. */
export interface Kept {
  readonly uid: number
  readonly owed: Set<Owed>
  /** Those of them that this run added. */
  readonly ours: Set<Owed>
  /** Lines to be added with the next frame. */
  readonly notes: string[]
  /** Runs whose lines may be removed. */
  readonly runs: Set<string>
  /** The file may hold what is settled: a run that was cut off did not come to removing it. */
  isStale: boolean
}

export function emptyKept(uid: number): Kept {
  return { uid, owed: new Set(), ours: new Set(), notes: [], runs: new Set(), isStale: false }
}

/** Returns what brings the file up to date, or undefined where it is. Sent twice it does no harm. */
export function noteScript({ uid, owed, ours, notes, runs, isStale }: Kept): Sh | undefined {
  const folder = journalFolder(uid)
  if (ours.size > 0) return notes.length === 0 ? undefined : settleScript(folder, notes)
  return notes.length === 0 && !isStale ? undefined : clearScript(folder, [...runs], [...owed])
}

/** Says that what `noteScript` returned has been carried out, with so many lines. */
export function noted(kept: Kept, lines: number): void {
  kept.notes.splice(0, lines)
  if (kept.ours.size === 0) kept.isStale = false
}
