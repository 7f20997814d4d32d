import type { Span } from '../base/span.ts'
import type { MapNode } from '../syntax/node.ts'

/** Variables and our own settings, as they stand in one place. */
export interface Layer {
  readonly vars: MapNode | undefined
  /** The keys `ssh`, `connection` and `become`, which say how a host is reached. */
  readonly settings: MapNode | undefined
}

/** A group while the inventory is being read; definitions in several places add up. */
export interface GroupDraft {
  readonly name: string
  /** Child groups with the place that makes them so. */
  readonly children: Map<string, Span>
  readonly hosts: Set<string>
  readonly layers: Layer[]
}

export interface HostDraft {
  readonly name: string
  readonly at: Span
  port: number | undefined
  readonly layers: Layer[]
}

/** What the inventory files say, before groups are put in order. */
export interface Draft {
  readonly groups: Map<string, GroupDraft>
  /** In order of appearance. */
  readonly hosts: Map<string, HostDraft>
  readonly files: string[]
}

export function openDraft(): Draft {
  const draft: Draft = { groups: new Map(), hosts: new Map(), files: [] }
  groupOf(draft, 'all')
  groupOf(draft, 'ungrouped')
  return draft
}

/** Returns the group, made where it is new. */
export function groupOf(draft: Draft, name: string): GroupDraft {
  let group = draft.groups.get(name)
  if (group === undefined) {
    group = { name, children: new Map(), hosts: new Set(), layers: [] }
    draft.groups.set(name, group)
  }
  return group
}

/** Returns the host, made where it is new. */
export function hostOf(draft: Draft, name: string, at: Span): HostDraft {
  let host = draft.hosts.get(name)
  if (host === undefined) {
    host = { name, at, port: undefined, layers: [] }
    draft.hosts.set(name, host)
  }
  return host
}
