import { lines, sh, type Sh } from '../shell/sh.ts'
import { baseOf, folderOf, inside } from './_paths.ts'

/**
 * Returns the script that makes an empty file or folder beside the target and keeps its path in the shell's `$t`. What an earlier
 * one left behind, on a host that lost its power in the middle, goes first: there may be a key in it.
 */
export function draftScript(target: string, kind: 'file' | 'folder' = 'file'): Sh {
  const draft = inside(folderOf(target), `.${baseOf(target).slice(0, 200)}.msingi-`)
  return lines(
    sh`rm -rf -- ${draft}??????`,
    sh`t=$(mktemp ${kind === 'folder' ? ['-d'] : []} ${`${draft}XXXXXX`}) || exit`,
  )
}
