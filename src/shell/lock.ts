/**
 * One run at a time changes a host. The shell of the run keeps a file open (`holds` of a frame's piece) and a lock on it, so the lock ends with
 * the shell, however that ends. The file says who holds it. A job that still runs counts as well: it outlives its shell.
 */
import { TaskError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import { lines, sh, type Sh } from './sh.ts'

/** Who runs. None of the words has a blank; see `lockWord`. */
export interface LockOwner {
  readonly run: string
  readonly user: string
  readonly controller: string
  /** ISO 8601 in UTC. */
  readonly since: string
}

/** Who holds a host that is wanted: a run whose shell is there, or a job that goes on without one. */
export type Holder =
  | { readonly by: 'shell'; readonly owner: LockOwner | undefined }
  /** `job` is the directory of the job on the host. */
  | { readonly by: 'job'; readonly job: string }

/** The lock's own directory, which is that of the jobs: only its owner may look into it. */
export function lockFolder(uid: number): string {
  return uid === 0 ? '/run/msingi' : `/var/tmp/msingi-${uid}`
}

/** Returns the path that a piece with `lockScript` must hold. */
export function lockFile(folder: string): string {
  return `${folder}/lock`
}

/** Returns the text as one word that the lock's file may hold. */
export function lockWord(text: string): string {
  return text.replaceAll(/[^\w.@:+-]/g, '_') || '_'
}

export interface LockWish {
  readonly folder: string
  readonly owner: LockOwner
  /** What the run calls the host. Names may stand for one machine: they share its lock, and none of them ends another's shell. */
  readonly name: string
  /** Seconds to wait on the host for whoever holds it. */
  readonly seconds: number
  /** Ends the shell that holds it, and takes no notice of jobs. */
  readonly steal: boolean
  /** The run has had it before, and takes it only where nobody else has had it since. */
  readonly again?: boolean
  /** The host has no flock, as `bare` said in answer to the first try. */
  readonly bare?: boolean
}

const HELD = 1
const UNUSABLE = 2
const AGAIN = 75
const BARE = 76

/** Returns a piece that takes the lock; `holds` must be the lock's file. Read its answer with `readLock`. */
export function lockScript(wish: LockWish): Sh {
  const { folder, owner, name, seconds, steal, again = false, bare = false } = wish
  const { run, user, controller, since } = owner
  return lines(
    sh`d=${folder} run=${run} n=${lockWord(name)} w=${seconds} s=${steal ? 1 : 0} f=${steal ? 1 : 0} h=${again ? 1 : 0} i=0 t=; l=$d/lock me="${sh`${run} ${user} ${controller} ${since}`} $n $$"`,
    sh`{ true >&9; } 2>/dev/null || { echo "$l cannot be opened" >&2; exit ${UNUSABLE}; }`,
    bare ? WITHOUT_FLOCK : WITH_FLOCK,
    BUSY_JOB,
    ...(steal ? [CUT_OFF] : []),
    // The lock's file goes with its shell, so who had it last, or takes it away, stands beside it.
    // A shell of the same run and name may be at work without a link, on something that is to go on.
    // Whoever held it may have removed or replaced the file after it was opened here.
    sh`while :; do
if try; then
[ -z "$t" ] || { echo "took $t"; t=; }
[ ! -e /proc/self/fd/9 ] || [ /proc/self/fd/9 -ef "$l" ] || exit ${AGAIN}
o=; [ $h = 0 ] || [ ! -s "$d/last" ] || read -r o <"$d/last"
case $o in ''|"$run "*) ;; *) drop; echo "held $o"; exit ${HELD};; esac
if [ $s = 1 ] || ! job; then echo "$me" >"$l"; echo "$me" >"$d/last"; exit 0; fi
drop; said="job $j"
else
o=; read -r o <"$l"; said="held $o"; p=\${o##* }
case $o in "$run "*" $n $p") s=1;; "$run "*) if held; then echo "shared $o"; exit 0; fi; sleep 1; exit ${AGAIN};; esac
if [ $s = 1 ]; then t="$o"; [ $w -ge 9 ] || w=9
[ $f = 0 ] || echo "$me" >"$d/last"
case $p in *[!0-9]*|'') ;; *) case $i in 0) kill -TERM $p;; 3) [ $f = 1 ] && cut_off || kill -KILL $p;; esac 2>/dev/null;; esac
[ $i -lt 8 ] || { echo "took $t"; : >"$l.$$" && mv -f "$l.$$" "$l"; rm -rf "$l.d"; exit ${AGAIN}; }
fi
fi
[ $i -lt $w ] || { echo "$said"; exit ${HELD}; }
i=$((i+1)); sleep 1
done`,
  )
}

/** Returns a piece that only says who holds the host; it takes no lock, not even for a moment. */
export function holderScript(folder: string): Sh {
  return lines(
    sh`d=${folder} run=-; l=$d/lock; [ -d "$d" ] || exit 0`,
    BUSY_JOB,
    sh`o=; [ ! -s "$l" ] || read -r o <"$l"; p=\${o##* }
if [ "$o" ] && { [ /proc/$p/fd/9 -ef "$l" ] || [ "$p" = "$(cat "$l.d/pid" 2>/dev/null)" ]; }; then echo "held $o"
elif job; then echo "job $j"; fi`,
  )
}

/**
 * Returns who holds the host; undefined where it is ours now, \`again\` where the file was replaced meanwhile and the piece must be sent
 * once more, `bare` where it must be sent for a host without flock.
 *
 * @throws TaskError LOCK_UNUSABLE where the host cannot keep a lock, PROBE_UNREADABLE where the answer cannot be understood.
 */
export function readLock({ code, out, err }: Completed): Holder | 'again' | 'bare' | undefined {
  if (code === 0) return undefined
  if (code === AGAIN) return 'again'
  if (code === BARE) return 'bare'
  const holder = readHolder(out)
  if (code === HELD && holder) return holder
  if (code === UNUSABLE)
    throw new TaskError(
      'LOCK_UNUSABLE',
      `the host cannot keep a lock: ${err.trim()}`,
      'see that its directory can be written and belongs to the user who runs the tasks',
    )
  throw new TaskError('PROBE_UNREADABLE', `the lock answered ${code}: ${(out + err).trim()}`)
}

/** Returns who holds the host as \`holderScript\` tells it; undefined for nobody. */
export function readHolder(out: string): Holder | undefined {
  const [, word, rest = ''] = /^(held|job) ?(.*)\n/.exec(out) ?? []
  if (word === 'job') return { by: 'job', job: rest }
  return word === 'held' ? { by: 'shell', owner: readOwner(rest) } : undefined
}

/** Returns whose shell was ended to get the lock. */
export function readTaken(out: string): LockOwner | undefined {
  return readOwner(/^took (.*)$/m.exec(out)?.[1] ?? '')
}

/** Returns under which other name the same run holds the host; undefined where it does not. */
export function readShared(out: string): string | undefined {
  return /^shared (?:\S+ ){4}(\S+) \d+$/m.exec(out)?.[1]
}

/** The file may be empty: a full disk keeps a lock, but no text. */
function readOwner(text: string): LockOwner | undefined {
  const [run, user, controller, since] = text.split(' ')
  return run && user && controller && since ? { run, user, controller, since } : undefined
}

/** Sets \`j\` to a job of another run that has not ended. */
const BUSY_JOB = sh`job() {
for j in "$d"/*/*/pid; do
case $j in "$d/$run-"*) continue;; esac
j=\${j%/pid}; [ ! -s "$j/rc" ] && read -r x <"$j/pid" && kill -0 $x && return 0
done 2>/dev/null
return 1
}`

/**
 * Ends whatever holds the shell's channel open, for the other controller would not notice before. Jobs do not, they stand apart. Nothing is
 * stopped first: sudo would stop as well, and keep the channel.
 */
const CUT_OFF = sh`cut_off() {
k=
for c in /proc/[0-9]*; do [ $c/fd/1 -ef /proc/$p/fd/1 ] && k="$k \${c#/proc/}"; done
kill -KILL $p $k
}`

const WITH_FLOCK = sh`command -v flock >/dev/null || exit ${BARE}
try() { flock -n 9; }
held() { [ /proc/$p/fd/9 -ef "$l" ]; }
drop() { flock -u 9; }`

/**
 * A directory is made by one only. Who made it is told by process and start time, so that one whose maker is gone can be taken away; whoever
 * takes away the wrong one puts it back.
 */
const WITHOUT_FLOCK = sh`born() { read -r z <"/proc/$1/stat" && set -- \${z##*)} && echo "\${20}"; } 2>/dev/null
try() {
if mkdir "$l.d" 2>/dev/null; then echo $$ >"$l.d/pid"; born $$ >"$l.d/born"; return 0; fi
read -r p <"$l.d/pid" || { [ $i -ge 3 ] || return 1; p=0; }
[ "$p" != $$ ] || return 0
read -r b <"$l.d/born"
kill -0 "$p" && [ "$(born "$p")" = "$b" ] && return 1
mv "$l.d" "$l.$$" || return 1
read -r q <"$l.$$/pid" || q=0
if [ "$q" = "$p" ]; then rm -rf "$l.$$"; else mv "$l.$$" "$l.d"; return 1; fi
mkdir "$l.d" && echo $$ >"$l.d/pid" && born $$ >"$l.d/born"
} 2>/dev/null
held() { [ "$p" = "$(cat "$l.d/pid")" ]; } 2>/dev/null
drop() { rm -rf "$l.d"; }`
