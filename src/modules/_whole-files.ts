import type { Change } from '../base/result.ts'
import { pathResources } from '../probes/resources.ts'
import type { Resource } from '../probes/probe.ts'
import { stat, visible } from '../probes/stat.ts'
import { TaskError } from '../base/error.ts'
import { lines } from '../shell/sh.ts'
import {
  contentTouches,
  pathState,
  type ContentQuestions,
  type ContentState,
  type FileWish,
} from './_content.ts'
import { pieceActions, pieceAfter, pieceDiff, pieceQuestions, type FolderWish } from './_pieces.ts'
import { removalScript } from './_removal.ts'
import type { Action, Content, HostView, Ownership } from './module.ts'

/** Files that a module writes as a whole, with the folders they need, and files that should not be there. */
export interface WholeFiles {
  readonly folders: readonly FolderWish[]
  readonly files: readonly FileWish[]
  readonly gone: readonly string[]
}

/** Returns the wish for a file that a module writes as a whole: a link in its place is replaced. */
export function wholeFile(
  path: string,
  content: Content,
  more: Ownership & { readonly validate?: string | undefined; readonly backup?: boolean } = {},
): FileWish {
  const { backup = false, ...rest } = more
  return {
    path,
    content,
    force: true,
    follow: false,
    backup,
    owner: 'root',
    group: 'root',
    mode: '0644',
    ...rest,
  }
}

export function wholeQuestions({ folders, files, gone }: WholeFiles, host: HostView): ContentQuestions {
  return {
    ...pieceQuestions({ folders, links: [], files }, host),
    ...(Object.fromEntries(gone.map(path => [path, stat(path)])) as ContentQuestions),
  }
}

/** @throws TaskError where something else than a file stands in the place of one. */
export function wholeDiff({ folders, files, gone }: WholeFiles, state: ContentState): readonly Change[] {
  return [...pieceDiff({ folders, links: [], files }, state), ...gone.flatMap(path => goneDiff(path, state))]
}

export function wholeActions(
  found: readonly Change[],
  { folders, files, gone }: WholeFiles,
  state: ContentState,
): readonly Action[] {
  const removed = found.filter(({ what, after }) => after === 'absent' && gone.includes(what))
  const script = lines(...removed.map(({ what }) => removalScript(what, false)))
  return [
    ...pieceActions(found, { folders, links: [], files }, state),
    ...(removed.length === 0 ? [] : [{ do: 'run', script, detached: false } as const]),
  ]
}

/** Returns the answers as they will be. */
export function wholeAfter({ folders, files, gone }: WholeFiles, state: ContentState): ContentState {
  return {
    ...pieceAfter({ folders, links: [], files }, state),
    ...(Object.fromEntries(gone.map(path => [path, null])) as ContentState),
  }
}

export function wholeTouches(
  found: readonly Change[],
  { folders, files, gone }: WholeFiles,
): readonly Resource[] {
  return [
    ...contentTouches(
      found,
      [...folders, ...files].map(({ path }) => path),
    ),
    ...gone.flatMap(path => pathResources(path)),
  ]
}

function goneDiff(path: string, state: ContentState): readonly Change[] {
  const seen = visible(pathState(state, path))
  if (!seen) return []
  if (seen.kind === 'file' || seen.kind === 'link')
    return [{ kind: 'state', what: path, before: seen.kind, after: 'absent' }]
  throw new TaskError('NOT_A_FILE', `\`${path}\` is a ${seen.kind}, not a file`)
}
