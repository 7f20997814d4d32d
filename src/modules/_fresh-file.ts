import { lines, sh, type Sh } from '../shell/sh.ts'
import { ownershipScript } from './_attributes.ts'
import { baseOf, folderOf, inside } from './_paths.ts'
import type { Ownership } from './module.ts'

/**
 * Returns the script that fills a new file beside the target, gives it its owner and permissions and puts it in place in one
 * step. `fill` finds the path in the shell's `$t` and ends the script where it fails; nothing is left behind then.
 */
export function freshFileScript(target: string, fill: Sh, kept: Ownership): Sh {
  const draft = inside(folderOf(target), `.${baseOf(target).slice(0, 200)}.msingi-XXXXXX`)
  return lines(
    sh`umask 077; t=`,
    sh`trap '[ -z "$t" ] || rm -f -- "$t"' EXIT; trap 'exit 143' HUP INT TERM`,
    sh`t=$(mktemp ${draft}) || exit`,
    fill,
    ownershipScript(sh`"$t"`, { ...kept, mode: kept.mode ?? '0644' }),
    sh`sync "$t" 2>/dev/null || sync`,
    sh`mv -f -- "$t" ${target} || exit`,
    sh`t=; sync ${folderOf(target)} 2>/dev/null || sync`,
  )
}
