import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { followed, type Stat } from '../probes/stat.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { ownershipScript } from './_attributes.ts'
import type { Ownership } from './module.ts'

/**
 * Returns a change for each of the folders that is not there.
 *
 * @throws TaskError with code `NOT_A_DIRECTORY` or `LINK_DANGLING` where something else is in the way.
 */
export function missingFolders(paths: readonly string[], at: (path: string) => Stat): readonly Change[] {
  return paths
    .filter(path => !isFolder(path, at(path)))
    .map(path => ({ kind: 'state', what: path, before: 'absent', after: 'directory' }))
}

function isFolder(path: string, answer: Stat): boolean {
  const seen = followed(answer)
  if (!seen && answer)
    throw new TaskError('LINK_DANGLING', `\`${path}\` is a symbolic link that leads nowhere`)
  if (seen && seen.kind !== 'directory') {
    throw new TaskError('NOT_A_DIRECTORY', `\`${path}\` is a ${seen.kind}, not a folder`)
  }
  return seen !== null
}

/** Returns the script that makes the folder; one that will be closed to others is never open to them. */
export function folderScript(path: string, wish: Ownership): Sh {
  const make = wish.mode === undefined ? sh`mkdir -- ${path} || exit` : sh`mkdir -m 0700 -- ${path} || exit`
  return lines(make, ownershipScript(path, wish))
}
