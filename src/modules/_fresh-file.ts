import { lines, sh, type Sh } from '../shell/sh.ts'
import { ownershipScript } from './_attributes.ts'
import { draftScript } from './_drafts.ts'
import { folderOf } from './_paths.ts'
import type { Ownership } from './module.ts'

/**
 * Returns the script that fills a new file beside the target, gives it its owner and permissions and puts it in place in one
 * step. `fill` finds the path in the shell's `$t` and ends the script where it fails; nothing is left behind then.
 */
export function freshFileScript(target: string, fill: Sh, kept: Ownership): Sh {
  return lines(
    sh`umask 077; t=`,
    sh`trap '[ -z "$t" ] || rm -f -- "$t"' EXIT; trap 'exit 143' HUP INT TERM`,
    draftScript(target),
    fill,
    ownershipScript(sh`"$t"`, { ...kept, mode: kept.mode ?? '0644' }),
    sh`sync "$t" 2>/dev/null || sync`,
    sh`mv -f -- "$t" ${target} || exit`,
    sh`t=; sync ${folderOf(target)} 2>/dev/null || sync`,
  )
}
