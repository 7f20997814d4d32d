import { createHash } from 'node:crypto'
import { isUtf8 } from 'node:buffer'
import { TaskError } from '../base/error.ts'
import type { Change, Shown } from '../base/result.ts'
import { Secret } from '../base/secret.ts'
import { checksum, readable, type Checksum, type Unread } from '../probes/checksum.ts'
import { resolveMode } from '../probes/mode.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import { pathResources } from '../probes/resources.ts'
import { followed, stat, visible, type FileStat, type Stat } from '../probes/stat.ts'
import { text, type FileText } from '../probes/text.ts'
import { lines } from '../shell/sh.ts'
import { afterwards, attributeChanges, attributeScript, newStat } from './_attributes.ts'
import { isLocalFile } from './_params.ts'
import { folderOf, realPath, requireFolder } from './_paths.ts'
import type { Action, Content, HostView, Ownership } from './module.ts'

/** A file as it should be. */
export interface FileWish extends Ownership {
  readonly path: string
  readonly content: Content
  /** False leaves a file alone that is already there, whatever it holds. */
  readonly force: boolean
  /** Write to where a symbolic link leads; else a file takes the link's place. */
  readonly follow: boolean
  readonly validate?: string | undefined
  readonly backup: boolean
}

/** What must be known of the files: each path by itself, its checksum, and its text where differences will be shown. */
export type ContentQuestions = {
  readonly [path: `/${string}`]: Probe<Stat>
  readonly [sum: `sum /${string}`]: Probe<Checksum>
  readonly [text: `text /${string}`]: Probe<FileText | Unread | null>
}
export type ContentState = StateOf<ContentQuestions>

/** The largest text of which a difference is shown. */
const LARGEST_SHOWN = 100 * 1024

/** Returns the questions about a file that should have the content. */
export function contentQuestions(path: string, content: Content, host: HostView): ContentQuestions {
  return {
    [folderOf(path)]: stat(folderOf(path)),
    [path]: stat(path),
    [`sum ${path}`]: checksum({ path }),
    ...(host.wantsDiff === true && textOf(content) !== undefined && { [`text ${path}`]: text(path) }),
  } as ContentQuestions
}

/** Returns the answer about the path itself. */
export function pathState(state: ContentState, path: string): Stat {
  return state[path as `/${string}`] ?? null
}

/**
 * Returns what differs between the file and the wish.
 *
 * @throws TaskError where a folder stands in its place, or the folder it should lie in is missing.
 */
export function contentDiff(wish: FileWish, state: ContentState): readonly Change[] {
  const { path, follow, force } = wish
  const seen = visible(pathState(state, path))
  const subject = follow ? followed(seen) : seen
  if (!seen) {
    requireFolder(path, pathState(state, folderOf(path)))
    return [contentChange(wish, state, null)]
  }
  if (!force) return []
  if (!subject) throw new TaskError('LINK_DANGLING', `\`${path}\` is a symbolic link that leads nowhere`)
  if (subject.kind === 'link') return [replacedLink(wish, subject, state)]
  if (subject.kind !== 'file')
    throw new TaskError('NOT_A_FILE', `\`${path}\` is a ${subject.kind}, not a file`)
  const sum = readable(state[`sum ${path}` as `sum /${string}`] ?? null)
  const attributes = attributeChanges(follow ? realPath(path, seen) : path, subject, wish)
  return sum === sumOf(wish.content) ? attributes : [contentChange(wish, state, sum), ...attributes]
}

/** Returns whether the change is about this file, or what the symbolic link in its place leads to. */
export function isAbout({ what }: Change, { path }: FileWish, state: ContentState): boolean {
  return what === path || what === realPath(path, visible(pathState(state, path)))
}

/** Returns what to do about what differs: one atomic write, or owner and permissions alone. */
export function contentActions(
  found: readonly Change[],
  wish: FileWish,
  state: ContentState,
): readonly Action[] {
  if (found.length === 0) return []
  if (!found.some(({ kind }) => kind === 'content')) {
    return [{ do: 'run', script: lines(...found.map(attributeScript)), detached: false }]
  }
  const { path, content, validate, backup } = wish
  const seen = visible(pathState(state, path))
  const target = wish.follow ? realPath(path, seen) : path
  return [
    {
      do: 'write',
      path: target,
      ...(seen?.kind === 'link' && !wish.follow && { follow: false }),
      content,
      backup,
      ...(validate !== undefined && { validate }),
      ...keptOwnership(wish, wish.follow ? followed(seen) : seen),
    },
  ]
}

/** Returns the owner and permissions that a rewritten file must have: those wished, else those it has. */
export function keptOwnership({ mode, owner, group }: Ownership, seen: FileStat | null): Ownership {
  const isFile = seen?.kind === 'file'
  const base = isFile ? seen.mode : '0644'
  const bits = mode === undefined ? undefined : resolveMode(mode, { mode: base, isDirectory: false })
  if (!isFile) return { mode: bits ?? (seen ? base : undefined), owner, group }
  return { mode: bits ?? seen.mode, owner: owner ?? String(seen.uid), group: group ?? String(seen.gid) }
}

/** Returns the answers as they will be. */
export function contentAfter(wish: FileWish, state: ContentState): ContentState {
  const { path, content, follow, force } = wish
  const seen = visible(pathState(state, path))
  if (seen && !force) return {}
  const size = bytesIn(content)
  const isFile = seen !== null && (seen.kind === 'file' || follow)
  const will = isFile ? afterwards({ ...seen, size }, wish, follow) : newStat('file', wish, size)
  const asked = textOf(content)
  return {
    [path]: will,
    [`sum ${path}`]: sumOf(content),
    ...(asked !== undefined &&
      `text ${path}` in state && { [`text ${path}`]: { text: asked, encoding: 'utf8' } }),
  } as ContentState
}

/** Returns what writing to the paths alters: they themselves, and what symbolic links in their place lead to. */
export function contentTouches(
  found: readonly Change[],
  paths: readonly string[],
): ReturnType<typeof pathResources> {
  return [...new Set([...paths, ...found.map(({ what }) => what)])].flatMap(what => pathResources(what))
}

/** Returns the SHA-256 of the content. */
export function sumOf(content: Content): string {
  return isLocalFile(content) ? content.sha256 : createHash('sha256').update(rawOf(content)).digest('hex')
}

function replacedLink(wish: FileWish, seen: FileStat, state: ContentState): Change {
  if (followed(seen)?.kind !== 'directory') return contentChange(wish, state, `link to ${seen.target ?? ''}`)
  throw new TaskError('NOT_A_FILE', `\`${wish.path}\` is a symbolic link to a folder and is not replaced`)
}

function contentChange(wish: FileWish, state: ContentState, before: string | null): Change {
  const { path, content, follow } = wish
  const what = follow ? realPath(path, visible(pathState(state, path))) : path
  if (content instanceof Secret) {
    return { kind: 'content', what, before: before === null ? null : 'other content', after: content }
  }
  const old = state[`text ${path}` as `text /${string}`]
  const isShown = old !== undefined && !(old && 'unread' in old) && (old?.text.length ?? 0) <= LARGEST_SHOWN
  const after = textOf(content)
  if (isShown && after !== undefined && old?.encoding !== 'latin1') {
    return { kind: 'content', what, before: before === null ? null : (old?.text ?? before), after }
  }
  return { kind: 'content', what, before: shortSum(before), after: shortSum(sumOf(content)) }
}

function shortSum(sum: string | null): Shown {
  return sum !== null && /^[0-9a-f]{64}$/.test(sum) ? `sha256 ${sum.slice(0, 12)}…` : sum
}

/** Returns the content as text where it can be shown: no secret, no bytes that are no text, not too long. */
function textOf(content: Content): string | undefined {
  if (content instanceof Secret || bytesIn(content) > LARGEST_SHOWN) return undefined
  const raw = Buffer.from(rawOf(content))
  return isUtf8(raw) && !raw.includes(0) ? raw.toString('utf8') : undefined
}

function bytesIn(content: Content): number {
  return isLocalFile(content) ? content.bytes : Buffer.from(rawOf(content)).length
}

function rawOf(content: Content): Uint8Array | string {
  if (content instanceof Secret) return content.reveal()
  return isLocalFile(content) ? content.content() : content
}
