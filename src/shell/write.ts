import { TaskError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import { lines, sh, type Sh } from './sh.ts'
import { validatorFor } from './validate.ts'

export interface Write {
  /** Absolute. Where it is a symbolic link, the file that it points to is written. */
  readonly path: string
  /** False replaces a symbolic link by the file; what it points to stays as it is. */
  readonly follow?: boolean | undefined
  /** What the file shall hold, or a file on the host that holds it and is used up. */
  readonly content: string | Uint8Array | { readonly staged: string }
  /** Octal digits or a symbolic mode; an existing file keeps its own where not given, a new one gets 0644. */
  readonly mode?: string | undefined
  /** Name or number; an existing file keeps its own where not given. */
  readonly owner?: string | undefined
  readonly group?: string | undefined
  /** A command in which `%s` stands for the new file before it takes its place; the built-in one of a known path runs as well. */
  readonly validate?: string | undefined
  /** Directory of the run, `…/backup/RUN`, in which the file that is replaced is kept under its full path. */
  readonly backup?: string | undefined
  /** The same as a courtesy: where there is no room for it, or the file is large, the file is written without. */
  readonly spare?: string | undefined
}

/** Why a file could not be written. */
export type WriteCode =
  | 'NO_DIRECTORY'
  | 'IS_DIRECTORY'
  | 'NO_SPACE'
  | 'READ_ONLY'
  | 'PERMISSION'
  | 'BUSY'
  | 'BAD_OWNER'
  | 'BAD_MODE'
  | 'INVALID_CONTENT'
  | 'NOT_WRITTEN'

/** Stands before the code on the standard error of a write that failed. */
const TAG = 'msingi-write:'

/** The status of a write that failed; the code is on standard error. */
export const WRITE_FAILED = 73

/**
 * Returns a part that replaces a file as a whole or not at all: a temporary file in the same directory gets the content, owner
 * and mode, is validated, synced and renamed, and the directory is synced. Nothing is left behind on failure.
 *
 * @throws RangeError where the path is not absolute or holds a NUL byte.
 */
export function writeScript(write: Write): Sh {
  if (!write.path.startsWith('/')) throw new RangeError(`\`${write.path}\` is not an absolute path`)
  const staged = typeof write.content === 'object' && 'staged' in write.content && write.content.staged
  return lines(
    FAIL,
    sh`t=${write.path}`,
    write.follow !== false && FOLLOW_LINKS,
    FIND_DIRECTORY,
    MAKE_TEMPORARY,
    // Not every printf says why it fails, some not even that it does; the size tells, and another attempt says why.
    sh`m=$( { ${emit(write.content)}; } 2>&1 >"$w") && [ $(wc -c <"$w") -eq ${sizeOf(write.content)} ] || fail NOT_WRITTEN "$m $(dd if=/dev/zero bs=64k count=1 2>&1 >>"$w")"`,
    ownership(write),
    validation(write),
    SYNC_FILE,
    write.backup !== undefined && keepOld(write.backup, true),
    write.backup === undefined && write.spare !== undefined && keepOld(write.spare, false),
    RENAME,
    staged !== false && sh`rm -f -- ${staged}`,
    sh`exit 0`,
  )
}

/** Returns why the write failed as an error with a `WriteCode`, or undefined where it did not fail. */
export function writeError(answer: Completed, path: string): TaskError | undefined {
  if (answer.code === 0) return undefined
  const found = new RegExp(`^${TAG} ([A-Z_]+)\\n?([^]*)$`, 'm').exec(answer.err)
  const said = (found?.[2] ?? answer.err).trim()
  const code = CODES.find(known => known === found?.[1]) ?? 'NOT_WRITTEN'
  const why = REASONS[code]
  return new TaskError(
    code,
    `\`${path}\` was not written: ${why.reason}${said === '' ? '' : `: ${said}`}`,
    why.hint,
  )
}

/** Why a file was not written, by code. */
export const REASONS: Readonly<Record<WriteCode, { readonly reason: string; readonly hint?: string }>> = {
  NO_DIRECTORY: { reason: 'its directory does not exist', hint: 'create the directory with `file` first' },
  IS_DIRECTORY: { reason: 'there is a directory in its place', hint: 'name the file, not its directory' },
  NO_SPACE: { reason: 'no space is left', hint: 'free space on the file system' },
  READ_ONLY: {
    reason: 'the file system is read-only',
    hint: 'remount it, and look at why the kernel made it so',
  },
  PERMISSION: { reason: 'permission was denied', hint: 'set `become: true`, or look for `lsattr` flag `i`' },
  BUSY: { reason: 'it is a mount point of its own and cannot be replaced' },
  BAD_OWNER: { reason: 'it cannot be given to that owner or group', hint: 'create the user or group first' },
  BAD_MODE: { reason: 'it cannot get that mode' },
  INVALID_CONTENT: { reason: 'the new content is not valid' },
  NOT_WRITTEN: { reason: 'the host reports an error' },
}
const CODES = Object.keys(REASONS) as readonly WriteCode[]

/** Returns a command that prints the content byte for byte; builtins only, so the length of argument lists does not matter. */
function emit(content: Write['content']): Sh {
  if (typeof content === 'object' && 'staged' in content) return sh`cat -- ${content.staged}`
  if (typeof content === 'string' && !content.includes('\0')) return sh`printf %s ${content}`
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content
  return sh`printf ${octal(bytes)}`
}

function sizeOf(content: Write['content']): Sh {
  if (typeof content === 'object' && 'staged' in content) return sh`$(wc -c <${content.staged})`
  return sh`${typeof content === 'string' ? Buffer.byteLength(content) : content.length}`
}

/** Writes bytes as a format for `printf`, which every shell understands; printable ones stand for themselves. */
function octal(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) {
    const plain = byte >= 0x20 && byte < 0x7f && !SPECIAL.includes(byte)
    text += plain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`
  }
  return text
}

/** `%`, backslash, the quote that surrounds the format, and the dash that would begin an option. */
const SPECIAL: readonly number[] = [0x25, 0x5c, 0x27, 0x2d]

/** `fail CODE TEXT`: a code that says little is made exact by what the system said. */
const FAIL = sh`fail() {
c=$1
case $1 in NO_SPACE|NOT_WRITTEN) case $2 in
*'No space left'*|*'quota exceeded'*) c=NO_SPACE;;
*'Read-only file system'*) c=READ_ONLY;;
*'Permission denied'*|*'not permitted'*) c=PERMISSION;;
*'busy'*) c=BUSY;;
esac;; esac
printf '%s %s\\n%s\\n' ${TAG} $c "$2" >&2
exit ${WRITE_FAILED}
}`

const FOLLOW_LINKS = sh`i=0
while [ -h "$t" ]; do
[ $i -lt 40 ] || fail NO_DIRECTORY "too many symbolic links"
i=$((i+1)); l=$(readlink -- "$t")
case $l in /*) t=$l;; *) t=\${t%/*}/$l;; esac
done`

/** A link that is not followed is like nothing: it gives the new file neither owner nor mode. */
const FIND_DIRECTORY = sh`[ -h "$t" ] || [ ! -d "$t" ] || fail IS_DIRECTORY
old=; [ -h "$t" ] || [ ! -e "$t" ] || old=1
d=\${t%/*}; d=\${d:-/}; n=\${t##*/}
[ -d "$d" ] || fail NO_DIRECTORY "$d"
[ \${#n} -le 200 ] || n=long`

/** Signals must run the trap of EXIT, too. What a write left that ended with the host's power goes first, whoever owns it by then. */
const MAKE_TEMPORARY = sh`umask 077; w=
for o in "$d/.$n.msingi-"??????; do [ ! -f "$o" ] || [ -h "$o" ] || rm -f -- "$o" 2>/dev/null; done
trap '[ -z "$w" ] || rm -f -- "$w"' EXIT
trap 'exit 143' HUP INT TERM PIPE
w=$(mktemp "$d/.$n.msingi-XXXXXX" 2>&1) || { m=$w; w=; fail NOT_WRITTEN "$m"; }`

/** Owner first, because it clears the set-uid bits; an extended ACL before the mode, which sets its mask. */
function ownership({ owner = '', group = '', mode }: Write): Sh {
  const octalMode = mode !== undefined && /^[0-7]+$/.test(mode)
  return lines(
    sh`u=${owner} g=${group} b=644`,
    KEEP_OWNERSHIP,
    sh`[ -z "$u$g" ] || m=$(chown -- "$u\${g:+:$g}" "$w" 2>&1) || fail BAD_OWNER "$m"`,
    sh`m=$(chmod -- ${octalMode ? mode : sh`$b`} "$w" 2>&1) || fail BAD_MODE "$m"`,
    mode !== undefined &&
      !octalMode &&
      sh`umask 022; m=$(chmod -- ${mode} "$w" 2>&1) || fail BAD_MODE "$m"; umask 077`,
  )
}

const KEEP_OWNERSHIP = sh`if [ "$old" ]; then
k=$(stat -c '%u %g %a' -- "$t" 2>&1) || fail NOT_WRITTEN "$k"
b=\${k##* }; k=\${k% *}
[ -z "$u$g" ] && [ -O "$t" ] && [ -G "$t" ] && [ -G "$w" ] || { u=\${u:-\${k% *}}; g=\${g:-\${k#* }}; }
if command -v setfacl >/dev/null && k=$(getfacl -csp -- "$t" 2>/dev/null) && [ -n "$k" ]; then printf '%s\\n' "$k" | setfacl --set-file=- -- "$w"; fi
[ ! -e /sys/fs/selinux/enforce ] || chcon --reference="$t" -- "$w"
fi`

/** The validators see the new file as `$1` and the path it is meant for as `$2`. */
function validation({ path, validate }: Write): Sh | false {
  const own = validate?.replaceAll(/(["']?)%s\1/g, () => '"$1"')
  const scripts = [validatorFor(path)?.text, own].filter(script => script !== undefined)
  return (
    scripts.length > 0 &&
    lines(
      ...scripts.map(
        script => sh`m=$(sh -c ${script} validate "$w" "$t" 2>&1 </dev/null) || fail INVALID_CONTENT "$m"`,
      ),
    )
  )
}

/** A sync that does not take files syncs everything, which is slower and just as good. */
const SYNC_FILE = sh`m=$(sync "$w" 2>&1) || case $m in
*'No space left'*|*'quota exceeded'*|*'put/output error'*) fail NOT_WRITTEN "$m";;
*) sync;;
esac`

/** Of the files that were replaced those of so many runs are kept, and no more than so many KiB; one that is larger than `SPARE_KIB` only where it is asked for. */
export const BACKUP_RUNS = 20
export const BACKUP_KIB = 102_400
const SPARE_KIB = 4096

/** What a file was before the run is kept, not what it was in between. The first file of a run makes room. */
function keepOld(run: string, isMust: boolean): Sh {
  const refuse = isMust ? sh`fail NOT_WRITTEN "no backup: $m"` : sh`:`
  return sh`if [ "$old" ] && [ -f "$t" ] && [ ! -e ${run}"$t" ]${isMust ? sh`` : sh` && [ $(wc -c <"$t") -le ${SPARE_KIB * 1024} ]`}; then
p=${run}; [ -d "$p" ] || { mkdir -p -m 700 -- "$p" && chmod 700 "\${p%/*}" && ( cd "\${p%/*}" && ls -r | tail -n +${BACKUP_RUNS + 1} | while IFS= read -r x; do rm -rf -- "$x"; done
ls | while IFS= read -r x; do [ $(du -sk . | { read -r k x; echo $k; }) -gt ${BACKUP_KIB} ] && [ "$x" != "\${p##*/}" ] || break; rm -rf -- "$x"; done ); } 2>/dev/null
{ m=$(mkdir -p -- "$p$d" 2>&1 && cp -pf -- "$t" "$p$d/.\${t##*/}.part" 2>&1 && mv -f -- "$p$d/.\${t##*/}.part" "$p$t" 2>&1) || ${refuse}; }
fi`
}

/** A link to a directory would get the file inside it, and not every mv can be told otherwise. */
const RENAME = sh`[ ! -h "$t" ] || [ ! -d "$t" ] || rm -f -- "$t"
m=$(mv -f -- "$w" "$t" 2>&1) || fail NOT_WRITTEN "$m"
w=
[ "$old" ] || [ ! -e /sys/fs/selinux/enforce ] || restorecon -- "$t"
sync "$d" 2>/dev/null || sync`
