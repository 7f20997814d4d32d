import type { Change } from '../base/result.ts'
import { followed, stat, visible, type Stat } from '../probes/stat.ts'
import { lines } from '../shell/sh.ts'
import { afterwards, attributeChanges, attributeScript, newStat } from './_attributes.ts'
import {
  contentActions,
  contentAfter,
  contentDiff,
  contentQuestions,
  isAbout,
  pathState,
  type ContentQuestions,
  type ContentState,
  type FileWish,
} from './_content.ts'
import { folderScript, missingFolders } from './_folders.ts'
import { linkDiff, linkedStat, linkScript, type LinkWish } from './_links.ts'
import type { Action, HostView, Ownership } from './module.ts'

/** A folder as it should be; one that is there already may differ in what is not wished of it. */
export interface FolderWish {
  readonly path: string
  readonly whenNew: Ownership
  readonly always: Ownership
}

/** Everything that is to be put on the host, parents before children. */
export interface Pieces {
  readonly folders: readonly FolderWish[]
  readonly links: readonly LinkWish[]
  readonly files: readonly FileWish[]
}

/** Returns the questions about all of it. */
export function pieceQuestions({ folders, links, files }: Pieces, host: HostView): ContentQuestions {
  return Object.assign(
    Object.fromEntries([...folders, ...links].map(({ path }) => [path, stat(path)])),
    ...files.map(({ path, content }) => contentQuestions(path, content, host)),
  ) as ContentQuestions
}

/** Returns what differs; where folders are still to be made, what lies in them is told as well. */
export function pieceDiff({ folders, links, files }: Pieces, state: ContentState): readonly Change[] {
  const made = missingFolders(
    folders.map(({ path }) => path),
    path => pathState(state, path),
  )
  const soon = { ...state, ...foldersAfter(folders, state) }
  return [
    ...made,
    ...folders.flatMap(folder => existingFolderDiff(folder, state)),
    ...links.flatMap(link => linkDiff(link, visible(pathState(state, link.path)), null)),
    ...files.flatMap(file => contentDiff(file, soon)),
  ]
}

/** Returns what to do, in the order folders, links, files; owners and permissions of all folders go in one script. */
export function pieceActions(
  found: readonly Change[],
  pieces: Pieces,
  state: ContentState,
): readonly Action[] {
  const { folders, links, files } = pieces
  const of = (path: string): readonly Change[] => found.filter(({ what }) => what === path)
  const script = lines(
    ...folders.flatMap(({ path, whenNew }) =>
      of(path).map(change =>
        change.kind === 'state' ? folderScript(path, whenNew) : attributeScript(change),
      ),
    ),
    ...links.flatMap(link => of(link.path).map(change => linkScript(link, change.before))),
  )
  const writes = files.flatMap(file =>
    contentActions(
      found.filter(change => isAbout(change, file, state)),
      file,
      state,
    ),
  )
  return script.text === '' ? writes : [{ do: 'run', script, detached: false }, ...writes]
}

/** Returns the answers as they will be. */
export function pieceAfter(pieces: Pieces, state: ContentState): ContentState {
  return Object.assign(
    {},
    foldersAfter(pieces.folders, state),
    ...pieces.links.map(link => ({ [link.path]: linkedStat(link, null) })),
    ...pieces.files.map(file => contentAfter(file, state)),
  ) as ContentState
}

function existingFolderDiff({ path, always }: FolderWish, state: ContentState): readonly Change[] {
  const seen = followed(pathState(state, path))
  return seen ? attributeChanges(path, seen, always) : []
}

function foldersAfter(folders: readonly FolderWish[], state: ContentState): Readonly<Record<string, Stat>> {
  return Object.fromEntries(
    folders.map(({ path, whenNew, always }) => {
      const seen = visible(pathState(state, path))
      return [path, seen ? afterwards(seen, always, true) : newStat('directory', whenNew)]
    }),
  )
}
