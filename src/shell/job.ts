/**
 * Changes run as jobs on the host: a job has a private directory with its script, stdin, output and exit status, and goes on when the
 * link dies. Its processes hold files, never the channel, so a child left in the background can neither delay an answer nor garble one.
 *
 * In the directory: `go` starts everything, `pid` is the process of `go` and exists once the job has begun, `out` and `err` grow, `rc` holds the
 * exit status in one line and exists once the job has ended. Who made the job removes the directory, see `discardChanges` of change.ts.
 */
import { TaskError } from '../base/error.ts'
import { Secret } from '../base/secret.ts'
import { HOST_PATH } from './frame.ts'
import { lines, sh, type Sh } from './sh.ts'

export interface Job {
  /** A path on the host that is used by this job alone; its parent is made where it is missing. See `jobBase`. */
  readonly dir: string
  readonly script: Sh
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Reaches the script's standard input through a file of the private directory. */
  readonly stdin?: string | Secret | undefined
  /** False for a script that ends at once: it is run in the shell itself, and its directory is removed right after. Default true. */
  readonly detached?: boolean | undefined
  /** Name of the transient systemd unit, without suffix; made from `dir` where not given. */
  readonly unit?: string | undefined
  /** Default `/`. */
  readonly cwd?: string | undefined
}

/**
 * Questions are asked in the C locale; changes are made in its UTF-8 form, because some of them keep the locale for good: a new
 * PostgreSQL cluster takes its encoding from it.
 */
const JOB_LOCALE = 'C.UTF-8'

/** Returns where the directories of a run's jobs lie. They must survive the session, so its scratch directory will not do. */
export function jobBase(run: string, uid: number): string {
  return uid === 0 ? `/run/msingi/${run}` : `/var/tmp/msingi-${uid}/${run}`
}

/** The status of a job that was killed before it could leave one. */
export const JOB_KILLED = 255

/**
 * Returns a part that runs a job to its end, passes its output on live and ends with its exit status. The directory of a detached job
 * stays, for the answer may get lost.
 *
 * @throws TaskError with code `BAD_ENVIRONMENT` where a variable cannot have that name, RangeError on NUL bytes.
 */
export function jobScript(job: Job): Sh {
  return job.detached === false ? attachedScript(job) : detachedScript(job)
}

/** In the shell itself, with output to files: the cheap way, four processes for all. */
function attachedScript(job: Job): Sh {
  return lines(
    makeDirectory(job),
    sh`( unset d; unset -f keep; umask 022; cd ${job.cwd ?? '/'} || exit`,
    sh`LC_ALL=${JOB_LOCALE}`,
    environment(job.env),
    sh`eval ${job.script.text}`,
    sh`) <${job.stdin === undefined ? sh`/dev/null` : sh`"$d/stdin"`} >"$d/out" 2>"$d/err"`,
    sh`rc=$?`,
    sh`[ ! -s "$d/out" ] || cat "$d/out"; [ ! -s "$d/err" ] || cat "$d/err" >&2`,
    sh`rm -rf -- "$d"; exit $rc`,
  )
}

/*
 * Two children tell the part through a pipe when there is something to do: one that the job has ended, one that a second is over. So
 * a short job is not delayed, and only one process ever relays, which keeps the offsets exact.
 */
function detachedScript(job: Job): Sh {
  return lines(
    makeDirectory(job),
    sh`keep script ${job.script.text}; keep go ${goScript(job).text}`,
    sh`mkfifo "$d/bell" && exec 3<>"$d/bell" || exit ${JOB_KILLED}`,
    sh`o=0 e=0`,
    RELAY,
    ALIVE,
    launch(job),
    sh`( while sleep 1 && kill -0 $$; do echo tick >&3; done ) >/dev/null 2>&1 & ticker=$!`,
    sh`while read -r word <&3 && [ $word = tick ]; do relay; done`,
    sh`kill $ticker 2>/dev/null`,
    // A signal can end the wait before the job.
    sh`while alive; do relay; sleep 0.5 || sleep 1; done 2>/dev/null`,
    FINISH,
  )
}

function makeDirectory(job: Job): Sh {
  const stdin = job.stdin instanceof Secret ? job.stdin.reveal() : job.stdin
  return lines(
    sh`umask 077; d=${job.dir}`,
    // In a directory that everybody may write to, somebody else could have been first.
    sh`[ -d "\${d%/*}" ] || mkdir -p -- "\${d%/*}" || exit ${JOB_KILLED}`,
    sh`[ -O "\${d%/*}" ] || { echo "the directory of the jobs belongs to somebody else" >&2; exit ${JOB_KILLED}; }`,
    sh`mkdir -- "$d" || exit ${JOB_KILLED}`,
    // The size is checked because some printf keep silent about a full disk, and half a script must not run.
    sh`keep() { printf %s "$2" >"$d/$1" && [ $(wc -c <"$d/$1") -eq \${#2} ] || { echo "no space for the job" >&2; exit ${JOB_KILLED}; }; }`,
    stdin !== undefined && sh`keep stdin ${stdin}`,
  )
}

/** What the job's first process runs. Claiming `pid` without overwriting makes sure that the job begins at most once. */
function goScript(job: Job): Sh {
  return lines(
    sh`d=${job.dir}; umask 077`,
    sh`set -C; echo $$ >"$d/pid" || exit; set +C`,
    sh`exec >"$d/out" 2>"$d/err"; umask 022`,
    sh`PATH=${HOST_PATH} LC_ALL=${JOB_LOCALE}; export PATH LC_ALL`,
    environment(job.env),
    sh`cd ${job.cwd ?? '/'} && sh "$d/script" <${job.stdin === undefined ? sh`/dev/null` : sh`"$d/stdin"`}`,
    sh`echo $? >"$d/rc"`,
  )
}

/**
 * systemd takes the job out of the session's reach; where it does not run, or refuses, a session of the kernel's sort has to do.
 * `KillMode=process` leaves alone what the script deliberately left in the background.
 */
function launch({
  dir,
  unit = `msingi${dir.replace(/^.*\/msingi/, '').replaceAll(/[^A-Za-z0-9:_.]+/g, '-')}`,
}: Job): Sh {
  return lines(
    sh`( if [ -d /run/systemd/system ] && [ $(id -u) = 0 ] && command -v systemd-run >/dev/null; then`,
    sh`systemd-run --quiet --wait --collect --unit=${unit} --setenv=HOME="$HOME" --setenv=USER="$USER" --setenv=LOGNAME="$LOGNAME" -p KillMode=process -p OOMPolicy=continue /bin/sh "$d/go"; fi`,
    sh`if [ ! -e "$d/pid" ]; then if command -v setsid >/dev/null; then setsid sh "$d/go"; else sh "$d/go"; fi; fi`,
    sh`while alive; do sleep 0.5 || sleep 1; done`,
    sh`echo ended >&3 ) >/dev/null 2>"$d/launch" </dev/null &`,
  )
}

function environment(env: Readonly<Record<string, string>> = {}): Sh | false {
  const pairs = Object.entries(env)
  const bad = pairs.find(([name]) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
  if (bad) throw new TaskError('BAD_ENVIRONMENT', `\`${bad[0]}\` cannot be the name of a variable`)
  return pairs.length > 0 && lines(...pairs.map(([name, value]) => sh`export ${name}=${value}`))
}

/** Passes on what has been added to `out` and `err`; `o` and `e` count the bytes that are through. */
export const RELAY = sh`relay() {
if [ -s "$d/out" ]; then s=$(wc -c <"$d/out"); [ $s -le $o ] || { tail -c +$((o+1)) "$d/out" | head -c $((s-o)); o=$s; }; fi
if [ -s "$d/err" ]; then s=$(wc -c <"$d/err"); [ $s -le $e ] || { tail -c +$((e+1)) "$d/err" | head -c $((s-e)) >&2; e=$s; }; fi
}`

/** Holds while the job may still leave a status. */
const ALIVE = sh`alive() { [ ! -s "$d/rc" ] && read -r p <"$d/pid" && kill -0 $p; } 2>/dev/null`

const FINISH = sh`relay
[ -s "$d/rc" ] && read -r rc <"$d/rc" && exit $rc
echo "the job was killed before it left an exit status" >&2
exit ${JOB_KILLED}`
