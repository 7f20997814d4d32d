import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import type { Secret } from '../base/secret.ts'
import { followed, stat, visible, type FileStat, type Stat } from '../probes/stat.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { afterwards, attributeChanges, attributeScript, newStat } from './_attributes.ts'
import { keptOwnership } from './_content.ts'
import { freshFileScript } from './_fresh-file.ts'
import { folderOf, realPath, requireFolder } from './_paths.ts'
import { removalScript } from './_removal.ts'
import type { Action, Ownership } from './module.ts'

/** A file of which the host itself makes the content. */
export interface MadeFile extends Ownership {
  readonly path: string
  readonly state: 'present' | 'absent'
  /** Keep what is replaced, beside it. */
  readonly backup: boolean
}

export interface MadeState {
  readonly file: Stat
  readonly folder: Stat
}

/** Kinds of changes that need no new content. */
const ATTRIBUTES = ['mode', 'owner', 'group']

export function madeQuestions({ path }: Pick<MadeFile, 'path'>) {
  return { file: stat(path), folder: stat(folderOf(path)) }
}

/**
 * Returns what differs; `content` says what is wrong with a file that is there, `fresh` names one that is not.
 *
 * @throws TaskError where something else stands in its place, or its folder is missing.
 */
export function madeDiff(
  wish: MadeFile,
  { file, folder }: MadeState,
  { content, fresh }: { readonly content: () => readonly Change[]; readonly fresh: string },
): readonly Change[] {
  const seen = followed(file)
  if (seen && seen.kind !== 'file')
    throw new TaskError('NOT_A_FILE', `\`${wish.path}\` is a ${seen.kind}, not a file`)
  if (wish.state === 'absent')
    return seen
      ? [{ kind: 'state', what: wish.path, before: 'present', after: 'absent', destroys: true }]
      : []
  if (seen) return [...content(), ...attributeChanges(realPath(wish.path, visible(file)), seen, wish)]
  requireFolder(wish.path, folder)
  return [{ kind: 'state', what: wish.path, before: 'absent', after: fresh }]
}

/** Returns what to do: `fill` writes the content to the file that the shell's `$t` names, or only owner and permissions are set. */
export function madeActions(
  found: readonly Change[],
  wish: MadeFile,
  { file }: MadeState,
  { fill, stdin }: { readonly fill: Sh; readonly stdin?: Secret | undefined },
): readonly Action[] {
  const seen = visible(file)
  const path = realPath(wish.path, seen)
  if (wish.state === 'absent')
    return [{ do: 'run', script: removalScript(wish.path, false), detached: false }]
  if (found.every(({ kind }) => ATTRIBUTES.includes(kind)))
    return [{ do: 'run', script: lines(...found.map(attributeScript)), detached: false }]
  const old = wish.backup && seen !== null && sh`ln -- ${path} ${path}.$(date -u +%Y%m%dT%H%M%SZ).old || exit`
  const script = freshFileScript(path, lines(fill, old), keptOwnership(wish, followed(seen)))
  return [{ do: 'run', script, ...(stdin && { stdin }) }]
}

/** Returns the file as it will be. */
export function madeAfter(wish: MadeFile, { file, folder }: MadeState): MadeState {
  const seen = visible(file)
  if (wish.state === 'absent') return { folder, file: null }
  const will: FileStat = seen ? afterwards(seen, wish, true) : newStat('file', wish)
  return { folder, file: will }
}
