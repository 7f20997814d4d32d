import type { Change, Registered } from '../base/result.ts'
import { chmodWord, resolveMode } from '../probes/mode.ts'
import type { FileStat } from '../probes/stat.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { changes, type Ownership } from './module.ts'

export interface AttributeChange extends Change {
  readonly kind: 'mode' | 'owner' | 'group'
}

/** Returns what differs between the owner and permissions of what is there and those wished; links have no permissions of their own. */
export function attributeChanges(
  path: string,
  seen: FileStat,
  { mode, owner, group }: Ownership,
): readonly AttributeChange[] {
  const user = nameOrId(owner, seen.user, seen.uid)
  const team = nameOrId(group, seen.group, seen.gid)
  const bits = mode === undefined || seen.kind === 'link' ? seen.mode : modeFor(mode, seen)
  return changes(
    owner !== undefined && user !== owner && { kind: 'owner', what: path, before: user, after: owner },
    group !== undefined && team !== group && { kind: 'group', what: path, before: team, after: group },
    bits !== seen.mode && { kind: 'mode', what: path, before: seen.mode, after: bits },
  )
}

/** Returns the script that makes one such change. */
export function attributeScript({ kind, what, after }: Change): Sh {
  return ownershipScript(what, { [kind]: String(after) })
}

/** Returns the script that sets owner and permissions, where they are given. */
export function ownershipScript(path: string | Sh, { mode, owner, group }: Ownership): Sh {
  const both = `${owner ?? ''}${group === undefined ? '' : `:${group}`}`
  return lines(
    both !== '' && sh`chown -h -- ${both} ${path} || exit`,
    mode !== undefined && sh`chmod -- ${chmodWord(mode)} ${path} || exit`,
  )
}

/** Returns what is there as it will be with the owner and permissions wished. */
export function withAttributes(seen: FileStat, { mode, owner, group }: Ownership): FileStat {
  return {
    ...seen,
    ...(mode !== undefined && seen.kind !== 'link' && { mode: modeFor(mode, seen) }),
    ...(owner !== undefined && account(owner, 'user', 'uid', seen)),
    ...(group !== undefined && account(group, 'group', 'gid', seen)),
  }
}

/** Returns what is at the path as it will be; with `follow`, what a symbolic link leads to is what changes. */
export function afterwards(seen: FileStat, wish: Ownership, follow: boolean): FileStat {
  if (!follow || seen.kind !== 'link') return withAttributes(seen, wish)
  if (!seen.leadsTo || seen.leadsTo.kind === 'hidden') return seen
  return { ...seen, leadsTo: withAttributes(seen.leadsTo, wish) }
}

/** Returns a file, folder or link as it will be once it is made. */
export function newStat(kind: 'file' | 'directory' | 'link', wish: Ownership, size = 0): FileStat {
  const mode = { file: '0644', directory: '0755', link: '0777' }[kind]
  const bare: FileStat = { ...NEW, kind, mode, size }
  return withAttributes(bare, wish)
}

/** Returns what `register` says of a path, in Ansible's words. */
export function describe({ kind, mode, user, group, uid, gid, size }: FileStat): Registered {
  return { state: kind, mode, owner: user, group, uid, gid, size }
}

const NEW = { uid: 0, gid: 0, user: 'root', group: 'root', mtime: 0, nlink: 1, inode: 0, device: 0 } as const

function modeFor(wish: string, seen: FileStat): string {
  return resolveMode(wish, { mode: seen.mode, isDirectory: seen.kind === 'directory' })
}

/** An owner given by number is compared by number. */
function nameOrId(wish: string | undefined, name: string, id: number): string {
  return wish !== undefined && /^\d+$/.test(wish) ? String(id) : name
}

function account(wish: string, name: 'user' | 'group', id: 'uid' | 'gid', seen: FileStat): Partial<FileStat> {
  if (/^\d+$/.test(wish)) return { [id]: Number(wish), ...(seen[id] !== Number(wish) && { [name]: wish }) }
  return { [name]: wish }
}
