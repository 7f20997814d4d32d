/**
 * Guarded changes: before one is made the host keeps a copy of what it touches and starts a watcher of its own, which takes the change back unless
 * it hears in time that a fresh connection came in. Nothing of it depends on the controller or on the link.
 */
import { TaskError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import { guardProgram, GUARDS } from './guard-script.ts'
import { lines, sh, type Sh } from './sh.ts'

/** What belongs together: one reload, one way to be locked out. */
export type Domain = 'sshd' | 'firewall' | 'network' | 'sudo' | 'pam'

/** What a change may alter, and so what is kept before it. */
export interface Scope {
  readonly paths: readonly string[]
  /** Folders with all below them. */
  readonly trees: readonly string[]
  readonly units: readonly { readonly name: string; readonly restarts: boolean }[]
  /** Paths below `/proc/sys`. */
  readonly sysctls: readonly string[]
  readonly domains: readonly Domain[]
  /** Domains of which the running state may become another one. */
  readonly effects: readonly Domain[]
}

export interface Guard {
  /** Names the guard: one word. */
  readonly token: string
  /** What the task is called. */
  readonly task: string
  /** Seconds after which the host takes the change back. */
  readonly seconds: number
}

/** How many stories of changes that were taken back are kept, told ones included. */
const STORIES = 20

/** The status of a part that found another guard armed. */
const OTHER = 75
/** The status of a part for a change that the host has taken back. */
const TAKEN_BACK = 76

/** Returns a part that keeps what the scope names and starts the watcher; nothing is left behind where it fails. */
export function armScript({ token, task, seconds }: Guard, scope: Scope): Sh {
  return lines(
    sh`umask 077; g=${GUARDS} t=${token}; n=$g/.new-$t`,
    sh`for a in armed reverting; do [ ! -e "$g/$a" ] || { cat "$g/$a/task" >&2; exit ${OTHER}; }; done`,
    sh`rm -rf "$g"/.new-*; ls -dt "$g"/told-* 2>/dev/null | tail -n +${STORIES} | while read -r x; do rm -rf "$x"; done`,
    sh`mkdir -p -- "$n" && chmod 700 "$g" || exit`,
    sh`put() { printf '%s\\n' "$2" >"$n/$1" && [ $(wc -c <"$n/$1") -gt \${#2} ] || { echo "no space for the guard" >&2; rm -rf "$n"; exit 73; }; }`,
    sh`put program ${guardProgram().text}; put token "$t"; put task ${oneLine(task)}; put seconds ${seconds}`,
    sh`(D=$n; export D; exec sh "$n/program" save ${wordsOf(scope)}) || { c=$?; rm -rf "$n"; exit $c; }`,
    BOOT_UNIT,
    // A slow disk may take its time, which is not the change's.
    sh`sync; read -r u x </proc/uptime; put until $((\${u%%.*}+${seconds})); mv "$n" "$g/armed" || exit`,
    START_WATCHER,
    REMOVE_BOOT_UNIT,
    sh`rm -rf "$g/armed"; echo "the watcher does not start" >&2; exit 74`,
  )
}

/** Returns a part that keeps more before a further change under the same guard, and lets the deadline begin anew. */
export function widenScript({ token }: Pick<Guard, 'token'>, scope: Scope): Sh {
  return lines(
    sh`g=${GUARDS}; read -r t <"$g/armed/token" && [ "$t" = ${token} ] || exit ${TAKEN_BACK}`,
    sh`D=$g/armed; export D; exec sh "$D/program" save ${wordsOf(scope)}`,
  )
}

/** Returns a part that keeps the change for good. What nothing has put into effect yet is left waiting for what does. */
export function disarmScript({ token }: Pick<Guard, 'token'>, open: readonly Domain[]): Sh {
  return lines(
    sh`g=${GUARDS} k=${token}; read -r t <"$g/armed/token" && [ "$t" = "$k" ] && mv "$g/armed" "$g/kept-$k" 2>/dev/null`,
    sh`if [ -d "$g/kept-$k" ]; then echo "$k" >"$g/last-kept"`,
    REMOVE_BOOT_UNIT,
    sh`for e in "$g"/waiting-*; do [ -d "$e" ] || continue`,
    sh`while read -r d; do grep -q -x -e "$d" "$g/kept-$k/effects" 2>/dev/null && { rm -rf "$e"; break; }; done <"$e/domains"; done`,
    open.length === 0
      ? sh`rm -rf "$g/kept-$k"; exit 0`
      : lines(
          sh`i=1; for e in "$g"/waiting-*; do n=\${e##*waiting-}; n=\${n%%-*}; case $n in *[!0-9]*|'') ;; *) [ $n -lt $i ] || i=$((n+1));; esac; done`,
          sh`printf '%s\\n' ${open} >"$g/kept-$k/domains"; read -r x </proc/sys/kernel/random/boot_id; echo "$x" >"$g/kept-$k/life"; read -r u x </proc/uptime; echo "\${u%%.*}" >"$g/kept-$k/since"`,
          sh`mv "$g/kept-$k" "$g/waiting-$i-$k"; exit 0`,
        ),
    sh`fi`,
    // The answer may have been lost on its way.
    sh`read -r x <"$g/last-kept" && [ "$x" = "$k" ] && exit 0`,
    TELL_STORY,
  )
}

/** Returns a part that has the change taken back at once and waits until it is; also finds out that it already was. */
export function takeBackScript({ token }: Pick<Guard, 'token'>): Sh {
  return lines(
    sh`g=${GUARDS} k=${token} p=$g/armed/program`,
    sh`if read -r t <"$g/armed/token" && [ "$t" = "$k" ]; then`,
    // It must go on where it ends this very link.
    sh`set -- /bin/sh "$p" back "the run asked for it"
if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null && systemd-run --quiet --collect "$@" >/dev/null 2>&1; then :
elif command -v setsid >/dev/null; then setsid "$@" </dev/null >/dev/null 2>&1 &
else "$@" </dev/null >/dev/null 2>&1 & fi
i=0; while [ -d "$g/armed" ] && [ $i -lt 100 ]; do i=$((i+1)); sleep 0.1 || { sleep 1; i=$((i+9)); }; done 2>/dev/null
fi`,
    TELL_STORY,
  )
}

/** What became of a guarded change. */
export type Fate =
  | { readonly is: 'kept' }
  /** With what the host did about it, and the tasks whose changes went along. */
  | { readonly is: 'taken back'; readonly did: readonly string[]; readonly along: readonly string[] }
  /** The host knows nothing of it. */
  | { readonly is: 'unknown' }

/** Reads the answer of `disarmScript` and `takeBackScript`. */
export function readFate({ code, out }: Completed): Fate {
  if (code === 0) return { is: 'kept' }
  if (code !== TAKEN_BACK) return { is: 'unknown' }
  const of = (word: string): readonly string[] =>
    out.split('\n').flatMap(line => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []))
  return { is: 'taken back', did: of('did'), along: of('along') }
}

/** Returns whether another guard stands in the way. */
export function isOccupied({ code }: Completed): boolean {
  return code === OTHER
}

/** @throws TaskError GUARD_UNARMED where the host could not be made ready to take the change back. */
export function requireArmed({ code, err }: Completed): void {
  if (code === 0) return
  if (code === OTHER) {
    throw new TaskError(
      'GUARD_UNARMED',
      `another guarded change is not decided yet: ${err.trim()}`,
      'wait until the host has taken it back, which takes minutes at most',
    )
  }
  throw new TaskError(
    'GUARD_UNARMED',
    `the host cannot make ready to take the change back: ${err.trim() || `status ${code}`}`,
    'see what it says; `guard: none` makes the change without',
  )
}

/** A guard that the run before has left behind, or a change that the host has taken back since. */
export interface Story {
  readonly is: 'open' | 'taken back'
  readonly token: string
  readonly task: string
  /** Of a change that was taken back: when, in UTC, and why. */
  readonly when: string
  readonly why: string
}

/** Returns a part that asks what became of earlier guards; it starts no process where there were none. With `tells` they count as told. */
export function storiesScript(tells: boolean): Sh {
  return lines(
    sh`g=${GUARDS}; [ -d "$g" ] || exit 0`,
    sh`line() { for f in token when why task; do x=; [ ! -s "$2/$f" ] || read -r x <"$2/$f"; printf '%s\n' "$1 $f $x"; done; }`,
    sh`for d in armed reverting; do [ ! -s "$g/$d/token" ] || line open "$g/$d"; done`,
    sh`for d in "$g"/taken-back-*; do [ ! -d "$d" ] || { line back "$d"${tells ? sh`; mv "$d" "$g/told-\${d##*/taken-back-}"` : sh``}; }; done; exit 0`,
  )
}

/** @throws TaskError PROBE_UNREADABLE where the answer cannot be understood. */
export function readStories({ code, out, err }: Completed): readonly Story[] {
  const rows = out.split('\n').slice(0, -1)
  if (code !== 0 || rows.length % 4 !== 0)
    throw new TaskError('PROBE_UNREADABLE', `the guards answered ${code}: ${(out + err).trim()}`)
  return Array.from({ length: rows.length / 4 }, (_, index) => {
    const [token = '', when = '', why = '', task = ''] = rows
      .slice(index * 4, index * 4 + 4)
      .map(row => row.replace(/^\S+ \S+ /, ''))
    return { is: rows[index * 4]?.startsWith('open') ? 'open' : 'taken back', token, when, why, task }
  })
}

function wordsOf({ paths, trees, units, sysctls, domains, effects }: Scope): readonly string[] {
  return [
    ...domains.flatMap(domain => ['domain', domain]),
    ...effects.flatMap(domain => ['effect', domain]),
    ...paths.flatMap(path => ['path', path]),
    ...trees.flatMap(path => ['tree', path]),
    ...units.flatMap(({ name, restarts }) => ['unit', name, restarts ? 'restart' : 'state']),
    ...sysctls.flatMap(path => ['sysctl', path]),
  ]
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}

/** The power may fail while a change is on trial: the next start of the host goes on with the guard. */
const BOOT_UNIT = sh`b=/etc/systemd/system
if [ -d /run/systemd/system ] && [ -d $b ]; then
printf '%s\\n' '[Unit]' 'Description=Take back a change that nobody has proved' '[Service]' "ExecStart=/bin/sh -c 'for d in reverting armed; do [ ! -e $g/\\$\\$d/program ] || exec sh $g/\\$\\$d/program boot; done'" >$b/.msingi-guard && mv -f $b/.msingi-guard $b/msingi-guard.service &&
mkdir -p -m 755 $b/multi-user.target.wants && ln -sf ../msingi-guard.service $b/multi-user.target.wants/msingi-guard.service
chmod 644 $b/msingi-guard.service
fi`

/** systemd has heard of the unit only where somebody made it read its files meanwhile. */
const REMOVE_BOOT_UNIT = sh`if [ -d /run/systemd/system ]; then b=/etc/systemd/system
rm -f $b/msingi-guard.service $b/multi-user.target.wants/msingi-guard.service
[ -z "$(systemctl list-units --all --plain --no-legend msingi-guard.service 2>/dev/null)" ] || systemctl daemon-reload; fi`

/** systemd takes the watcher out of the session's reach, and starts it again should it be killed. */
const START_WATCHER = sh`seen() { i=0; while [ $i -lt 30 ]; do [ -s "$g/armed/pid" ] && exit 0
[ -d "$g/armed" ] || { echo "its time was over before the change began" >&2; exit 74; }; sleep 0.1 || sleep 1; i=$((i+1)); done; }
if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
systemd-run --quiet --collect --unit="msingi-guard-$t" -p Restart=on-failure -p RestartSec=1 -p OOMScoreAdjust=-900 /bin/sh -c 'for d in reverting armed; do [ ! -e "$0/$d/program" ] || exec sh "$0/$d/program" watch "$1"; done' "$g" "$t" >/dev/null 2>&1 && seen
fi
if command -v setsid >/dev/null; then setsid sh "$g/armed/program" watch "$t" </dev/null >/dev/null 2>&1 &
else sh "$g/armed/program" watch "$t" </dev/null >/dev/null 2>&1 & fi
seen`

/** Whoever was told of it need not be told again. */
const TELL_STORY = sh`i=0; while [ -d "$g/reverting" ] && [ $i -lt 1200 ]; do i=$((i+1)); sleep 0.1 || { sleep 1; i=$((i+9)); }; done 2>/dev/null
s=$g/taken-back-$k; [ -d "$s" ] || s=$g/told-$k
[ -d "$s" ] || exit 1
[ ! -s "$s/log" ] || sed 's/^/did /' "$s/log"
[ ! -s "$s/along" ] || sed 's/^/along /' "$s/along"
[ "$s" = "$g/told-$k" ] || mv "$s" "$g/told-$k"; exit ${TAKEN_BACK}`
