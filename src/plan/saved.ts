import type { Change } from '../base/result.ts'

/** One task on one host that a plan would change, or cannot foretell. */
export interface SavedItem {
  readonly host: string
  /** Identifier of the task within the project: its place. */
  readonly task: string
  readonly title: string
  /** Which turn of its loop, from 0. */
  readonly turn: number
  readonly status: 'would_change' | 'unknown'
  /** Keyed hash of what was observed on the host; empty where nothing could be. */
  readonly fingerprint: string
  readonly changes: readonly Change[]
}

/** A plan as it is written to a file: what to do, on what it stands, and how to look at it again. */
export interface SavedPlan {
  readonly format: 1
  /** ISO 8601, UTC. */
  readonly created: string
  readonly playbooks: readonly string[]
  readonly inventory: readonly string[]
  readonly limit: string | undefined
  readonly tags: readonly string[]
  readonly skipTags: readonly string[]
  readonly extraVars: readonly string[]
  /** Key of the fingerprints. */
  readonly salt: string
  /** Hash of every file of the project that was read. */
  readonly files: Readonly<Record<string, string>>
  readonly items: readonly SavedItem[]
}

/** How a host's present state differs from the one a plan was made for. */
export interface Drifted {
  readonly item: SavedItem
  readonly why: 'moved' | 'gone' | 'new'
}

/** Identifies an item in plan and run alike. */
export function itemKey(item: Pick<SavedItem, 'host' | 'task' | 'turn'>): string {
  return `${item.host} ${item.task} ${item.turn}`
}

/**
 * Compares a saved plan with the plan of this moment: `moved` items would be applied to another state than the one that
 * was looked at, `gone` ones are already right, `new` ones nobody has approved.
 */
export function compareItems(saved: readonly SavedItem[], now: readonly SavedItem[]): readonly Drifted[] {
  const present = new Map(now.map(item => [itemKey(item), item]))
  const known = new Set(saved.map(itemKey))
  const ofSaved = saved.flatMap((item): Drifted[] => {
    const found = present.get(itemKey(item))
    if (found === undefined) return [{ item, why: 'gone' }]
    return found.fingerprint === item.fingerprint ? [] : [{ item, why: 'moved' }]
  })
  return [
    ...ofSaved,
    ...now.filter(item => !known.has(itemKey(item))).map(item => ({ item, why: 'new' }) as const),
  ]
}
