/**
 * The actions of one task as one script that is carried out once, however often the link is cut. The shell that carries it out goes on without
 * a link; what it does stands in a file of the run's private directory, so that another shell can follow it to its end.
 *
 * The file's lines: `by PID START`, the process that carries it out; `do N` or `job N DIRECTORY` before the action of that number; `rc STATUS` when
 * all is over. It exists exactly where the change was begun. Beside it lie the directories of jobs and the output of brief actions.
 */
import { TaskError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import { JOB_KILLED, RELAY } from './job.ts'
import { beginLine, journalFunctions, owedLine, type ChangeName } from './journal.ts'
import { lines, sh, type Sh } from './sh.ts'

/** One action: a job in a directory of its own, or a script that ends at once. */
export type Deed = { readonly job: string; readonly script: Sh } | { readonly script: Sh }

export interface Carried extends ChangeName {
  /** Path of its file. */
  readonly file: string
  readonly deeds: readonly Deed[]
  readonly journal: {
    readonly folder: string
    /** The host of the handlers, see `Owed`, and what they are called. */
    readonly host: string
    readonly owes: readonly string[]
    /** What the handler has settled when this has ended with 0, as `doneLine` says it. */
    readonly settles: readonly string[]
    /** Present where it may not be repeated: what stands in the journal. */
    readonly begin?: { readonly time: string; readonly what: string } | undefined
  }
}

const NOT_KEPT = 74
const NOT_KEPT_TEXT = 'msingi: the host cannot keep in mind what is to be done afterwards'

/** Returns whether the change was not begun because nobody would have remembered what it notifies. */
export function isNotKept({ code, err }: Pick<Completed, 'code' | 'err'>): boolean {
  return code === NOT_KEPT && err.startsWith(NOT_KEPT_TEXT)
}

/** Returns a part that carries out a change, once: where it was begun before, it ends with `JOB_KILLED` and does nothing. */
export function changeScript(change: Carried): Sh {
  const last = change.deeds.length - 1
  return lines(
    sh`c=${change.file} n=`,
    CLAIM,
    remember(change),
    ending(change),
    ...change.deeds.map((deed, index) => deedScript(deed, index)),
    last < 0 ? sh`end 0` : sh`end $r`,
  )
}

/** Somebody else could have made the directory first where everybody may write. */
const CLAIM = sh`umask 077
[ -d "\${c%/*}" ] || { n=1; mkdir -p -- "\${c%/*}"; } || exit ${JOB_KILLED}
[ -O "\${c%/*}" ] || { echo "the directory of the jobs belongs to somebody else" >&2; exit ${JOB_KILLED}; }
read -r s </proc/self/stat; p=\${s%% *}; set -- \${s##*) }
set -C; echo "by $p \${20}" >"$c" && [ -s "$c" ] || { echo "no space for the job" >&2; exit ${JOB_KILLED}; }
set +C; trap : PIPE HUP TERM INT`

/** What is owed must be safe before the change; a command that cannot be written down is run nevertheless. */
function remember({ journal, ...name }: Carried): Sh | false {
  const { begin, owes, host } = journal
  if (begin === undefined && owes.length === 0 && journal.settles.length === 0) return false
  return lines(
    journalFunctions(journal.folder),
    sh`f=; [ -z "$n" ] || trim`,
    begin && sh`! note journal ${beginLine(name, begin.time, begin.what)} || f="$j/journal"`,
    owes.length > 0 &&
      sh`note owed ${owedLine(name, host, owes)} || { rm -f "$c"; echo ${NOT_KEPT_TEXT}": $j/owed" >&2; exit ${NOT_KEPT}; }
f="$f $j/owed"`,
    sh`[ -z "$f" ] || keep $f`,
  )
}

/**
 * Says how it ended, in the journal first: whoever finds the status finds all of it. `k` is set where something was killed, which leaves open what
 * was done.
 */
function ending({ run, change, journal }: Carried): Sh {
  const { owes, settles, begin } = journal
  const hasEnded = begin && sh`{ echo; echo ${`end ${run} ${change}`} $1; } >>"$j/journal"`
  return lines(
    sh`k= r=0; end() { if [ -z "$k" ]; then :`,
    hasEnded,
    owes.length > 0 && sh`[ $1 = 0 ] && x=made || x=void; { echo; echo $x ${run} ${change}; } >>"$j/owed"`,
    settles.length > 0 && sh`[ $1 != 0 ] || [ ! -e "$j/owed" ] || printf '\\n%s\\n' ${settles} >>"$j/owed"`,
    sh`echo "rc $1" >>"$c"; fi; } 2>/dev/null`,
  )
}

function deedScript(deed: Deed, index: number): Sh {
  if ('job' in deed)
    return lines(
      sh`echo ${`job ${index} ${deed.job}`} >>"$c"`,
      sh`( trap : PIPE HUP TERM INT; umask 022`,
      deed.script,
      sh`) || { r=$?; [ -s ${`${deed.job}/rc`} ] || k=1; end $r; exit $r; }`,
    )
  return lines(
    sh`echo ${`do ${index}`} >>"$c"; x=$c.${index}; ( umask 022`,
    deed.script,
    sh`) >"$x.out" 2>"$x.err" || r=$?`,
    sh`[ ! -s "$x.out" ] || cat "$x.out"; [ ! -s "$x.err" ] || cat "$x.err" >&2`,
    sh`[ $r = 0 ] || { [ $r -lt 128 ] || k=1; end $r; exit $r; }`,
  )
}

/** Where a change stands. `undecided` means that it was begun, is over, and nothing tells how far it came. */
export type ChangeState =
  { readonly is: 'absent' | 'running' | 'undecided' } | { readonly is: 'ended'; readonly code: number }

/**
 * Returns two parts: one passes on the output of a change from the beginning until it is over, and ends with another status than 0 where it was
 * not begun; the other says where it stands then, for `readChangeState`. A shell that only waits for its dead link is ended; what it waits to pass on is passed on here.
 */
export function followScripts(change: Carried): readonly [output: Sh, state: Sh] {
  const jobs = change.deeds.flatMap(deed => ('job' in deed ? [deed.job] : []))
  const last = change.deeds.at(-1)
  const known = lines(sh`c=${change.file} last=${last && 'job' in last ? last.job : ''}`, LOOK)
  const output = lines(
    known,
    RELAY,
    sh`o=0 e=0 d=${jobs[0] ?? '/nowhere'} t=0`,
    sh`while look; [ "$is" = running ]; do relay
[ -n "$at" ] && [ -s "$at/rc" ] && t=$((t+1)) || t=0
[ $t -lt 10 ] || kill -9 $p
sleep 0.5 || sleep 1
done 2>/dev/null`,
    ...jobs.map((job, index) => (index === 0 ? sh`relay` : sh`o=0 e=0 d=${job}; relay`)),
    sh`for x in "$c".*.out; do [ ! -s "$x" ] || cat "$x"; done`,
    sh`for x in "$c".*.err; do [ ! -s "$x" ] || cat "$x" >&2; done`,
    sh`[ "$is" != absent ]`,
  )
  return [output, lines(known, sh`look`, change.journal.begin && lookInJournal(change), sh`echo "$is $rc"`)]
}

/** @throws TaskError with code `PROBE_UNREADABLE` where the answer cannot be understood. */
export function readChangeState(out: string): ChangeState {
  const [, word, code] = /^(absent|running|undecided|ended) (\d*)\n$/.exec(out) ?? []
  if (word === 'absent' || word === 'running' || word === 'undecided') return { is: word }
  if (word === 'ended' && code) return { is: word, code: Number(code) }
  throw new TaskError('PROBE_UNREADABLE', `\`${out.trim()}\` came where the state of a change was expected`)
}

/**
 * Where the process that carries it out is gone, the status of its last job counts as that of the whole. Who lives is asked first, so that what is
 * written at the very end is not overlooked.
 */
const LOOK = sh`lives() { read -r s <"/proc/$p/stat" && set -- \${s##*) } && [ "\${20}" = "$b" ] && [ "$1" != Z ]; }
works() { [ -n "$at" ] && [ ! -s "$at/rc" ] && read -r q <"$at/pid" && kill -0 $q; }
look() {
is=absent at= rc= p= b=
[ -s "$c" ] || return 0
read -r w p b <"$c"
is=undecided; ! lives || is=running
while read -r w x y; do case $w in do) at=;; job) at=$y;; rc) rc=$x;; esac; done <"$c"
if [ -n "$rc" ]; then is=ended
elif [ $is = running ] || works; then is=running
elif [ -n "$at" ] && [ "$at" = "$last" ] && [ -s "$at/rc" ] && read -r rc <"$at/rc"; then is=ended
fi; } 2>/dev/null`

/** After a restart nothing else is left of a change. */
function lookInJournal({ run, change, journal }: Carried): Sh {
  return sh`[ "$is" != absent ] || while read -r w x y z; do case "$w $x $y" in
${`begin ${run} ${change}`}) is=undecided;;
${`end ${run} ${change}`}) is=ended rc=$z;;
esac; done 2>/dev/null <${`${journal.folder}/journal`}`
}

/** Returns a part that removes what lies about changes whose answers have arrived, and the directory of their run with the last of them. */
export function discardChanges(files: readonly string[]): Sh {
  const all = files.map(file => sh`${file} ${file}.*`)
  const above = [...new Set(files.map(file => file.replace(/\/[^/]*$/, '')))]
  return lines(sh`rm -rf -- ${joined(all)} || exit`, sh`rmdir -- ${above} 2>/dev/null || :`)
}

function joined(pieces: readonly Sh[]): Sh {
  return pieces.reduce((all, piece) => sh`${all} ${piece}`)
}
