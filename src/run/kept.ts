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
}

export function emptyKept(uid: number): Kept {
  return { uid, owed: new Set(), ours: new Set(), notes: [], runs: new Set() }
}

/** Returns what brings the file up to date, or undefined where it is. Sent twice it does no harm. */
export function noteScript({ uid, owed, ours, notes, runs }: Kept): Sh | undefined {
  if (notes.length === 0) return undefined
  const folder = journalFolder(uid)
  return ours.size > 0 ? settleScript(folder, notes) : clearScript(folder, [...runs], [...owed])
}
