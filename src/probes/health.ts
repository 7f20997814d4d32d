import { sh } from '../shell/sh.ts'
import { lockFolder } from '../shell/lock.ts'
import type { Sh } from '../shell/sh.ts'
import { unreadable } from './unreadable.ts'

/** Room on a file system. */
export interface Room {
  readonly path: string
  /** Bytes; what only root may use is not free. */
  readonly size: number
  readonly free: number
  /** 0 where the file system does not count them. */
  readonly inodes: number
  readonly freeInodes: number
}

/** How a job of an earlier run stands of which nobody took the outcome. */
export interface LeftJob {
  readonly dir: string
  readonly is: 'running' | 'ended' | 'killed'
}

/** What can keep any change from going well, whatever it is. */
export interface Health {
  readonly rooms: readonly Room[]
  /** Places that everything writes to and that are mounted read only. */
  readonly readOnly: readonly string[]
  /** Seconds since 1970 by the host's clock. */
  readonly epoch: number
  /** Bytes; null where the kernel does not say. */
  readonly memory: { readonly total: number; readonly available: number } | null
  /** Packages that dpkg left half done; null where there is no dpkg. */
  readonly halfDone: readonly string[] | null
  /** Process that holds a lock of dpkg or apt. */
  readonly packageLock: { readonly pid: number; readonly name: string } | null
  readonly needsReboot: boolean
  readonly jobs: readonly LeftJob[]
  /** A guard is armed, or takes a change back. */
  readonly guard: boolean
  /** Lines about handlers that were notified and may not have run. */
  readonly owed: number
}

/** Places looked at; a mounted file system of another machine is not among them, because it may hang. */
const PLACES = ['/', '/boot', '/var', '/var/lib', '/tmp', '/run']
const WRITTEN = sh`/ /etc /var /var/lib /tmp /run`

/** Returns a script that looks at what makes changes fail: room, places that cannot be written, the clock, half a package. Ends with 0. */
export function fitnessScript(): Sh {
  return sh`set --; for p in ${PLACES}; do [ ! -d $p ] || set -- "$@" $p; done
stat -f -c 'room %S %b %a %c %d %n' "$@"
while read -r x p x o x; do
case " ${WRITTEN} " in *" $p "*) case ,$o, in *,ro,*) echo "ro $p";; *) echo "rw $p";; esac;; esac
done </proc/self/mounts
date '+clock %s'
d=/var/lib/dpkg
if [ -r $d/status ]; then echo dpkg
sed -n '/^Package: /h;/^Status: .* \\(half-installed\\|half-configured\\|unpacked\\)$/{g;s/^Package: /half /p;}' $d/status
for f in $d/updates/[0-9]*; do [ ! -e "$f" ] || echo "half dpkg"; break; done; fi`
}

/** Returns a script that looks at the host as a whole, in four processes. It ends with 0 whatever it finds. */
export function healthScript(uid: number): Sh {
  return sh`${fitnessScript()}
t= a=; while read -r k v x; do case $k in MemTotal:) t=$v;; MemAvailable:) a=$v; break;; esac; done </proc/meminfo
[ -z "$a" ] || echo "memory $t $a"
if [ -r $d/status ]; then
for i in $(stat -c %i $d/lock-frontend $d/lock /var/lib/apt/lists/lock); do
while read -r x x x x p f x; do case $f in *:$i) read -r n </proc/$p/comm; echo "held $p $n";; esac; done </proc/locks
done; fi
for f in /run/reboot-required /var/run/reboot-required; do [ ! -e $f ] || { echo reboot; break; }; done
for j in ${lockFolder(uid)}/*/*/pid; do
[ -s "$j" ] || continue
j=\${j%/pid}; if [ -s "$j/rc" ]; then s=ended; elif read -r p <"$j/pid" && kill -0 $p; then s=running; else s=killed; fi
echo "job $s $j"
done
for g in armed reverting; do [ ! -e /var/lib/msingi/guard/$g ] || echo guard; done
n=0; if [ -s /var/lib/msingi/owed ]; then while read -r w x; do case $w in owed) n=$((n+1));; void|done) n=$((n-1));; esac; done </var/lib/msingi/owed; fi
[ $n -le 0 ] || echo "owed $n"
exit 0`
}

/** @throws TaskError PROBE_UNREADABLE where there is not even a clock in the answer. */
export function parseHealth(out: string): Health {
  const said = out.split('\n').flatMap(line => {
    const [, word, rest = ''] = /^(\w+) ?(.*)$/.exec(line) ?? []
    return word === undefined ? [] : [{ word, rest }]
  })
  const all = (word: string): readonly string[] =>
    said.filter(one => one.word === word).map(({ rest }) => rest)
  const epoch = Number(all('clock')[0])
  if (!Number.isFinite(epoch) || all('clock').length === 0)
    throw unreadable(`expected a look at the host, found \`${out.slice(0, 120)}\``)
  const [total, available] = (all('memory')[0] ?? '').split(' ').map(Number)
  const [holder] = all('held')
  return {
    rooms: distinct(all('room').map(parseRoom)),
    readOnly: readOnlyIn(said),
    epoch,
    memory:
      total === undefined || available === undefined
        ? null
        : { total: total * 1024, available: available * 1024 },
    halfDone: all('dpkg').length > 0 ? [...new Set(all('half'))] : null,
    packageLock: holder === undefined ? null : parseHolder(holder),
    needsReboot: all('reboot').length > 0,
    jobs: all('job').flatMap(parseJob),
    guard: all('guard').length > 0,
    owed: Number(all('owed')[0] ?? 0),
  }
}

function parseRoom(rest: string): Room {
  const [block = 0, blocks = 0, free = 0, inodes = 0, freeInodes = 0] = rest.split(' ').map(Number)
  const path = rest.split(' ').slice(5).join(' ')
  return { path, size: block * blocks, free: block * free, inodes, freeInodes }
}

/** Places on one file system have the same numbers; the first stands for all of them. */
function distinct(rooms: readonly Room[]): readonly Room[] {
  const seen = new Set<string>()
  return rooms.filter(({ path: _, ...numbers }) => {
    const key = JSON.stringify(numbers)
    const isNew = !seen.has(key)
    seen.add(key)
    return isNew && numbers.size > 0
  })
}

/** A later mount hides an earlier one at the same place. */
function readOnlyIn(said: readonly { readonly word: string; readonly rest: string }[]): readonly string[] {
  const last = new Map(
    said.flatMap(({ word, rest }) => (word === 'ro' || word === 'rw' ? [[rest, word]] : [])),
  )
  return [...last].flatMap(([path, word]) => (word === 'ro' && path !== undefined ? [path] : []))
}

function parseHolder(rest: string): { readonly pid: number; readonly name: string } {
  const [pid, ...name] = rest.split(' ')
  return { pid: Number(pid), name: name.join(' ') }
}

function parseJob(rest: string): readonly LeftJob[] {
  const [, is, dir = ''] = /^(running|ended|killed) (.*)$/.exec(rest) ?? []
  return is === 'running' || is === 'ended' || is === 'killed' ? [{ is, dir }] : []
}
