import { posix } from 'node:path'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { followed, type FileStat, type Stat } from '../probes/stat.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { newStat } from './_attributes.ts'
import { folderOf } from './_paths.ts'

/** A symbolic or hard link to be made. */
export interface LinkWish {
  readonly path: string
  readonly state: 'link' | 'hard'
  /** As written; relative to the link's folder where it does not begin with a slash. */
  readonly src: string
  readonly force: boolean
}

export interface LinkChange extends Change {
  readonly kind: 'state' | 'target'
}

/** Returns the absolute path that the link's source names. */
export function sourceOf({ path, src }: Pick<LinkWish, 'path' | 'src'>): string {
  return posix.resolve(folderOf(path), src)
}

/**
 * Returns what differs between what is there and the link wished.
 *
 * @throws TaskError with code `SOURCE_MISSING` or `NOT_REPLACED`.
 */
export function linkDiff(wish: LinkWish, seen: FileStat | null, source: Stat): readonly LinkChange[] {
  const target = followed(source)
  if (!target && (!wish.force || wish.state === 'hard')) {
    const hint = wish.state === 'link' ? 'set `force: true` to make the link all the same' : undefined
    throw new TaskError(
      'SOURCE_MISSING',
      `\`${sourceOf(wish)}\`, which the link should lead to, is not there`,
      hint,
    )
  }
  if (!seen) return [{ kind: 'state', what: wish.path, before: 'absent', after: wish.state }]
  if (wish.state === 'hard' && target && isSame(seen, target)) return []
  if (wish.state === 'link' && seen.kind === 'link') {
    if (seen.target === wish.src) return []
    return [{ kind: 'target', what: wish.path, before: seen.target ?? null, after: wish.src }]
  }
  if (!wish.force || (seen.kind === 'directory' && wish.state === 'hard')) {
    throw new TaskError(
      'NOT_REPLACED',
      `\`${wish.path}\` is a ${seen.kind} and is not replaced by a link`,
      seen.kind === 'directory' ? undefined : 'set `force: true` to replace it',
    )
  }
  return [{ kind: 'state', what: wish.path, before: seen.kind, after: wish.state }]
}

/**
 * Returns the script that puts the link in place in one step. `mv -T` is missing from old busybox; there the link is
 * removed and made anew. Only an empty folder gives way.
 */
export function linkScript({ path, state, src }: LinkWish, before: Change['before']): Sh {
  const fresh = `${path}.msingi-link`
  const make = state === 'link' ? sh`ln -s -- ${src}` : sh`ln -- ${src}`
  return lines(
    before === 'directory' && sh`rmdir -- ${path} || exit`,
    sh`rm -f -- ${fresh} && ${make} ${fresh} || exit`,
    sh`mv -f -T -- ${fresh} ${path} 2>/dev/null || { rm -f -- ${fresh}; [ ! -d ${path} ] || [ -L ${path} ] || exit 1; rm -f -- ${path} && ${make} ${path}; } || exit`,
  )
}

/** Returns the link as it will be. */
export function linkedStat(wish: LinkWish, source: Stat): FileStat {
  const target = followed(source)
  if (wish.state === 'hard' && target) return { ...target, nlink: target.nlink + 1 }
  const link: FileStat = { ...newStat('link', {}), target: wish.src }
  return target ? { ...link, real: sourceOf(wish), leadsTo: target } : link
}

function isSame(a: FileStat, b: FileStat): boolean {
  return a.inode === b.inode && a.device === b.device
}
