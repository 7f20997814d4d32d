import type { OnProblem } from '../base/error.ts'
import type { Span } from '../base/span.ts'
import type { MapNode } from '../syntax/node.ts'

/** What a host's inventory says of the line to it; what it does not say has defaults, or stands in the ssh configuration. */
export interface Line {
  /** `slow` stands for a line of some hundred milliseconds and a few kilobytes a second. */
  readonly speed?: 'normal' | 'slow'
  /** Seconds for a connection. */
  readonly timeout?: number
  /** Seconds between signs of life. */
  readonly keepalive?: number
  readonly compression?: boolean
}

/** How a host is reached, after group and host settings are merged; undefined where the inventory says nothing. */
export interface Reach {
  readonly connection: 'ssh' | 'local'
  readonly host: string
  readonly port: number | undefined
  readonly user: string | undefined
  /** Private key files, `~` not yet expanded. */
  readonly keys: readonly string[]
  readonly jump: string | undefined
  /** Pinned host keys, `ssh-ed25519 AAAA…` or `SHA256:…`. */
  readonly hostKeys: readonly string[]
  /** Seconds that a host whose link was cut is tried to be reached again. */
  readonly reconnect: number | undefined
  readonly line?: Line
  readonly become: boolean | undefined
  readonly becomeUser: string | undefined
  readonly becomeMethod: 'sudo' | 'su' | 'doas' | undefined
}

export interface Group {
  readonly name: string
  readonly parents: readonly string[]
  readonly children: readonly string[]
  /** Hosts named in the group itself, in order of appearance. */
  readonly hosts: readonly string[]
}

/** One source of variables for a host, weakest first in `Host.layers`. */
export interface VarLayer {
  readonly level: 'group' | 'host'
  /** `group web` or `host db1`. */
  readonly origin: string
  readonly vars: MapNode
}

export interface Host {
  readonly name: string
  readonly at: Span
  /** All groups it belongs to, ancestors included, parents before children; `all` first. */
  readonly groups: readonly string[]
  readonly layers: readonly VarLayer[]
  readonly reach: Reach
}

export interface Inventory {
  readonly files: readonly string[]
  /** In order of appearance. */
  readonly hosts: ReadonlyMap<string, Host>
  readonly groups: ReadonlyMap<string, Group>
  /** The controller, for plays that name `localhost` although no inventory does. */
  readonly localhost?: Host
  /** Names of groups that have variables waiting for them in `group_vars/`, whether they are there or not. */
  readonly prepared?: readonly string[]
  /** Returns the inventory with what tasks have added; problems are those of the additions alone. */
  readonly grown?: (additions: readonly Addition[], onProblem: OnProblem) => Inventory
  /** Returns whether a host or group of that name may come to exist in the run; without it, none may. */
  readonly mayCome?: (name: string) => boolean
}

/** A host, known or new, that a task of the run puts into groups; new ones bring variables. */
export interface Addition {
  readonly host: string
  /** Where the task stands. */
  readonly at: Span
  readonly groups: readonly string[]
  /** Groups that these groups belong to from now on. */
  readonly parents: readonly string[]
  readonly vars: MapNode
}

/** Returns the host of that name; `localhost` is there even where no inventory names it. */
export function hostNamed(inventory: Inventory, name: string): Host | undefined {
  return inventory.hosts.get(name) ?? (name === 'localhost' ? inventory.localhost : undefined)
}
