import type { KeyWish } from './keys.ts'
import type { KnownHost, KnownName } from './known-hosts.ts'

/** A host with everything settled that is needed to log in to it. */
export interface SshTarget {
  /** The name in the inventory; what messages call it. */
  readonly name: string
  readonly host: string
  readonly port: number
  readonly user: string
  /** `HostKeyAlias`: the name under which its key is known. */
  readonly alias: string | undefined
  readonly keys: KeyWish
  /** Host keys pinned in the inventory; they win over every known_hosts file. */
  readonly pins: readonly string[]
  readonly known: readonly KnownHost[]
  readonly via: Via
  /** For the name lookup and the TCP connection together; the login may take three times as long. */
  readonly connectTimeoutMs: number
  /** 0 for none. */
  readonly keepaliveMs: number
  readonly keepaliveCount: number
  readonly compression: boolean
  /** Added to the deadline of every frame: what a slow line takes. */
  readonly patienceMs: number
  /** Bytes of an upload between two answers. */
  readonly uploadChunk: number
}

/** What lies between here and the host. */
export type Via =
  | { readonly kind: 'direct' }
  | { readonly kind: 'jump'; readonly target: SshTarget }
  /** A command of the person's own ssh configuration, whose stdin and stdout are the connection. */
  | { readonly kind: 'command'; readonly command: string }

/** Returns `host:port`, with brackets around an IPv6 address. */
export function showAddress({ host, port }: Pick<SshTarget, 'host' | 'port'>): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Returns how the host is looked up in known_hosts files. */
export function knownName({ host, port, alias }: SshTarget): KnownName {
  return { host, port, alias }
}

/** Returns a text that is equal for two targets that may share one connection. */
export function identityOf(target: SshTarget): string {
  const { user, alias, keys, pins, via } = target
  const way = via.kind === 'jump' ? identityOf(via.target) : via
  return JSON.stringify([user, showAddress(target), alias, keys.named, pins, way])
}
