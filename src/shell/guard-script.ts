import { lines, sh, type Sh } from './sh.ts'

/** Where guards lie on a host: `armed` and `reverting` at most once each, `waiting-N` and `taken-back-TOKEN` any number of times. */
export const GUARDS = '/var/lib/msingi/guard'

/** More than this is not copied before a guarded change; in KiB. */
const MOST_KIB = 65_536

/** So long a change waits at most for what puts it into effect; in seconds. Later nobody would reckon with its being taken back. */
const WAITING_SECONDS = 3600

/**
 * Returns the program that lies beside a snapshot on the host and does everything with it, so that taking a change back needs nobody else:
 * `save`, `watch`, `boot`, `back`.
 *
 * In its directory: `token`, `task` and `seconds` say whose guard it is; `until` is the second of the kernel's clock at which the change is taken
 * back; each `layer.N` has what was kept before one of the changes, `roots` of `files`, absent things included; `domains` and `effects` say what
 * else is put right. Layers are put back from the newest to the oldest: a later one may hold what the first change made.
 */
export function guardProgram(): Sh {
  return lines(
    sh`g=${GUARDS}; b=/etc/systemd/system; umask 077`,
    BASICS,
    sh`most=${MOST_KIB} patience=${WAITING_SECONDS}`,
    SAVE_FILES,
    SAVE_STATE,
    RESTORE_FILES,
    RESTORE_UNITS,
    RESTORE_NETWORK,
    RESTORE_FIREWALL,
    STOP_JOBS,
    TAKE_BACK,
    WATCH,
    sh`w=$1; shift; case $w in save) save "$@";; watch) watch "$@";; boot) boot;; back) back "$@";; esac`,
  )
}

const BASICS = sh`now() { read -r u x </proc/uptime; u=\${u%%.*}; }
has() { command -v "$1" >/dev/null 2>&1; }
booted() { [ -d /run/systemd/system ] && has systemctl; }
say() { printf '%s\\n' "$*" >>"$D/log"; }
lists() { grep -q -x -F -e "$2" "$D/$1" 2>/dev/null; }
layer() { j=1; while [ -d "$1/layer.$j" ]; do j=$((j+1)); done; }
adds() { lists "$1" "$2" || printf '%s\\n' "$2" >>"$D/$1"; }
refuse() { printf '%s\\n' "$*" >&2; exit 73; }
fresh() { now; read -r l </proc/sys/kernel/random/boot_id; read -r x <"$1/life" && [ "$x" = "$l" ] && read -r x <"$1/since" && [ $((u-x)) -lt $patience ]; }`

/** A folder that is named itself counts with its owner and mode alone; `tree` means all below it. */
const SAVE_FILES = sh`keep() {
case $2 in /proc/*|/sys/*|/dev/*|/run/*) return;; *'
'*) refuse "the name of a file holds a line end";; esac
grep -q -x -F -e "$1 $2" "$L/roots" 2>/dev/null && return
if [ -h "$2" ] && [ ! -d "$2" ]; then l=$(readlink -f -- "$2") && [ "$l" != "$2" ] && keep path "$l"; fi
p=$L/files$2
if [ -e "$2" ] || [ -h "$2" ]; then
mkdir -p -- "\${p%/*}" || refuse "no room for a copy of $2"
if [ ! -d "$2" ] || [ -h "$2" ]; then [ -e "$p" ] || cp -a -- "$2" "$p" || refuse "no copy of $2"
elif [ "$1" = tree ]; then
k=$(du -skx -- "$2") || k=0; k=\${k%%[!0-9]*}; sum=$((sum+k))
[ $sum -le $most ] || refuse "$2 is too large to be kept: $k KiB of $most"
mkdir -p -- "$p" && cp -a -- "$2/." "$p/" || refuse "no copy of $2"
else mkdir -p -- "$p" && alike "$2" "$p" || refuse "no copy of $2"; fi
fi
printf '%s\\n' "$1 $2" >>"$L/roots" || refuse "no room for a copy of $2"
}
alike() { o=$(stat -c '%u:%g' -- "$1") && m=$(stat -c %a -- "$1") && chown -- "$o" "$2" && chmod -- "$m" "$2"; }`

/**
 * Rules of iptables are listed by nft in a form that it cannot read again; their own tools keep them. `unit NAME HOW`: a unit is restarted where
 * it is to read its files again, else only brought back into its state.
 */
const SAVE_STATE = sh`save() {
sum=0; layer "$D"; L=$D/layer.$j; mkdir -- "$L" || refuse "no room for the guard"
while [ $# -gt 0 ]; do
case $1 in
path|tree) keep "$1" "$2";;
unit) unit "$2" "$3"; shift;;
sysctl) grep -q "^$2 " "$D/sysctls" 2>/dev/null || { v=$(cat "$2" 2>/dev/null) && printf '%s %s\\n' "$2" "$v" >>"$D/sysctls"; };;
domain) adds domains "$2"; [ "$2" != firewall ] || [ -e "$D/rules" ] || rules;;
effect) adds effects "$2";;
esac
shift 2
done
now; read -r s <"$D/seconds"; echo $((u+s)) >"$D/.until" && mv -f "$D/.until" "$D/until" || refuse "no room for the guard"
}
unit() {
booted || return 0
n=$(systemctl show -p Id --value -- "$1" 2>/dev/null); n=\${n:-$1}
grep -q "^$n " "$D/units" 2>/dev/null && return
[ "$(systemctl show -p LoadState --value -- "$n")" != not-found ] || return 0
printf '%s %s %s %s\\n' "$n" "$(systemctl is-active -- "$n")" "$(systemctl is-enabled -- "$n" 2>/dev/null || :)" "$2" >>"$D/units"
}
foreign() { case $1 in *'managed by iptables'*|*' xt match '*|*' xt target '*|*'# xt_'*|*'xt match "'*|*'xt target "'*) return 0;; esac; return 1; }
rules() {
: >"$D/rules"
if has nft && nft list tables >"$D/tables" 2>/dev/null; then
while read -r x f n; do
t=$(nft -s list table "$f" "$n" 2>&1) || continue
if foreign "$t"; then echo "$f $n" >>"$D/foreign"; else printf '%s\\n' "$t" >>"$D/rules"; fi
done <"$D/tables"
fi
for c in iptables ip6tables; do ! has $c-save || $c-save >"$D/$c" 2>/dev/null || rm -f "$D/$c"; done
}`

const RESTORE_FILES = sh`same() {
if [ -h "$1" ]; then [ -h "$2" ] && [ "$(readlink -- "$1")" = "$(readlink -- "$2")" ]
else [ ! -h "$2" ] && [ -f "$2" ] && cmp -s -- "$1" "$2" && [ "$(stat -c '%u %g %a' -- "$1")" = "$(stat -c '%u %g %a' -- "$2")" ]; fi
}
one() {
! same "$1" "$2" || return 0
q=\${2%/*}; q=\${q:-/}; n=\${2##*/}; [ \${#n} -le 200 ] || n=long
[ -d "$q" ] || mkdir -p -m 755 -- "$q"
if [ -d "$2" ]; then if [ -h "$2" ]; then rm -f -- "$2"; else rm -rf -- "$2"; fi; fi
t=$q/.$n.msingi-guard; rm -rf -- "$t"
if cp -a -- "$1" "$t" && { sync "$t" 2>/dev/null || sync; } && mv -f -- "$t" "$2"; then say "put back $2"; else rm -f -- "$t"; say "could not put back $2"; fi
}
gone() { if [ -h "$1" ] || [ -f "$1" ]; then rm -f -- "$1" && say "removed $1" || say "could not remove $1"; fi; }
tree() {
if [ -d "$1" ]; then
[ -d "$2" ] && [ ! -h "$2" ] || { rm -f -- "$2"; mkdir -p -m 755 -- "$2"; }
(cd "$1" && find . -type d) | while IFS= read -r f; do f=\${f#.}
[ -d "$2$f" ] && [ ! -h "$2$f" ] || { rm -f -- "$2$f"; mkdir -- "$2$f"; }
[ "$(stat -c '%u %g %a' -- "$1$f")" = "$(stat -c '%u %g %a' -- "$2$f")" ] || alike "$1$f" "$2$f"; done
(cd "$1" && find . ! -type d) | while IFS= read -r f; do f=\${f#.}; one "$1$f" "$2$f"; done
fi
[ -d "$2" ] && [ ! -h "$2" ] || { gone "$2"; return 0; }
(cd "$2" && find . -xdev ! -type d) | while IFS= read -r f; do f=\${f#.}; [ -e "$1$f" ] || [ -h "$1$f" ] || gone "$2$f"; done
(cd "$2" && find . -xdev -type d) | sort -r | while IFS= read -r f; do f=\${f#.}; [ -d "$1$f" ] || rmdir -- "$2$f" 2>/dev/null; done
}
layers() { layer "$1"; while [ $j -gt 1 ]; do j=$((j-1)); files "$1/layer.$j"; done; }
files() {
[ -s "$1/roots" ] || return 0
while read -r k r; do
p=$1/files$r
if [ "$k" = tree ] && { [ -d "$p" ] || [ ! -e "$p" ]; }; then tree "$p" "$r"
elif [ -d "$p" ] && [ ! -h "$p" ]; then [ -d "$r" ] && [ ! -h "$r" ] || { rm -f -- "$r"; mkdir -p -m 755 -- "$r"; }; alike "$p" "$r"
elif [ -e "$p" ] || [ -h "$p" ]; then one "$p" "$r"
else gone "$r"; fi
done <"$1/roots"
while read -r k r; do [ -e "$1/files$r" ] || [ -h "$1/files$r" ] || { [ ! -d "$r" ] || rmdir -- "$r" 2>/dev/null; }; done <"$1/roots"
sync
}`

/** A unit that was running is started anew, because the files it reads are others now. */
const RESTORE_UNITS = sh`units() {
[ -s "$D/units" ] || return 0
booted || return 0
systemctl daemon-reload
while read -r n a e h; do
i=$(systemctl is-enabled -- "$n" 2>/dev/null || :)
[ "$i" = "$e" ] || { case $i in masked) systemctl unmask -- "$n";; esac; case $e in enabled) systemctl enable -- "$n";; disabled) systemctl disable -- "$n";; masked) systemctl mask -- "$n";; esac; } >/dev/null 2>&1
i=$(systemctl is-active -- "$n")
case $a in
active|activating|reloading) if [ "$h" = restart ] || [ "$i" != active ]; then
systemctl reset-failed -- "$n" 2>/dev/null
m=$(systemctl restart -- "$n" 2>&1) && say "restarted $n" || say "could not restart $n: $m"; fi;;
*) case $i in active|activating|reloading) systemctl stop -- "$n" && say "stopped $n";; esac;;
esac
done <"$D/units"
}
plain() {
booted && return
if lists effects sshd; then
for p in /run/sshd.pid /var/run/sshd.pid /run/sshd/sshd.pid; do [ -s $p ] && read -r x <$p && kill -HUP $x 2>/dev/null && return; done
if has rc-service; then rc-service sshd restart; elif has service; then service ssh restart || service sshd restart; fi >/dev/null 2>&1
fi
}`

/** Interfaces go down by the files that brought them up, and up by the files that are put back. */
const RESTORE_NETWORK = sh`down() {
lists effects network || return 0
if booted; then [ "$(systemctl is-active networking)" != active ] || systemctl stop networking; else ! has ifdown || ifdown -a --exclude=lo; fi >/dev/null 2>&1
}
up() {
lists effects network || return 0
if booted; then
! has networkctl || networkctl reload
if has netplan && [ "$(ls /etc/netplan 2>/dev/null)" ]; then netplan apply; fi
if [ "$(systemctl is-active NetworkManager)" = active ]; then nmcli connection reload; fi
else ! has ifup || ifup -a --exclude=lo; fi >/dev/null 2>&1
say "brought the network up as it was"
}`

/** Tables that came by the change go; the others are taken away and loaded in one step, so that there is no moment without rules. */
const RESTORE_FIREWALL = sh`firewall() {
[ -e "$D/rules" ] || return 0
if has nft; then
nft list tables 2>/dev/null | while read -r x f n; do lists foreign "$f $n" || echo "delete table $f $n"; done >"$D/load"
cat "$D/rules" >>"$D/load"
if [ -s "$D/load" ]; then m=$(nft -f "$D/load" 2>&1) && say "loaded the rules of the packet filter" || say "could not load the rules: $m"; fi
fi
for c in iptables ip6tables; do
[ -e "$D/$c" ] && has $c-restore || continue
{ cat "$D/$c"; $c-save 2>/dev/null | while read -r l; do case $l in
'*'*) s=; grep -q -x -F -e "$l" "$D/$c" && s=1; [ "$s" ] || echo "$l";;
:*' - '*) ;; :*) [ "$s" ] || { l=\${l%% *}; echo "$l ACCEPT [0:0]"; };;
COMMIT) [ "$s" ] || echo COMMIT;; esac; done; } >"$D/load"
[ ! -s "$D/load" ] || { m=$($c-restore <"$D/load" 2>&1) && say "loaded the rules of $c" || say "could not load the rules of $c: $m"; }
done
}`

/** A job that still runs would go on changing what is put back. */
const STOP_JOBS = sh`stop() {
read -r k <"$D/token"
for s in TERM KILL; do i=
for d in /run/msingi/"\${k%-*}"/*; do if [ -s "$d/pid" ] && [ ! -s "$d/rc" ] && read -r p <"$d/pid"; then kill -$s "-$p" 2>/dev/null && i=1 && say "ended $d"; fi; done
[ "$i" ] || return 0
[ $s = KILL ] || sleep 2
done
}`

/**
 * Whoever renames the directory has the change: the watcher, or the run that keeps it. Changes of files that nothing has put into effect so far
 * go with it, the newest first, because it may be this change that put them into effect.
 */
const TAKE_BACK = sh`back() {
D=$g/reverting
echo $$ >"$g/armed/pid" 2>/dev/null
[ -d "$D" ] || mv "$g/armed" "$D" 2>/dev/null || return
[ -e "$D/why" ] || { echo "$1" >"$D/why"; date -u +%Y-%m-%dT%H:%M:%SZ >"$D/when"; }
stop
down
layers "$D"
for e in $(ls -d "$g"/waiting-* 2>/dev/null | sort -t - -k 2 -n -r); do
fresh "$e" || { rm -rf "$e"; continue; }
while read -r d; do if lists effects "$d"; then layers "$e"; cat "$e/task" >>"$D/along"; rm -rf "$e"; break; fi; done <"$e/domains"
done
units
up
firewall
[ ! -s "$D/sysctls" ] || while read -r k v; do [ "$(cat "$k")" = "$v" ] || { printf '%s\\n' "$v" >"$k" && say "set $k"; }; done <"$D/sysctls"
plain
read -r k <"$D/task"; read -r y <"$D/why"
m="took back: $k ($y)"
logger -t msingi -p auth.warning -- "$m" 2>/dev/null || printf '<4>msingi: %s\\n' "$m" >/dev/kmsg 2>/dev/null
read -r k <"$D/token"
rm -rf "$D"/layer.* "$g/taken-back-$k"; sync
mv "$D" "$g/taken-back-$k"; sync
if booted; then rm -f $b/msingi-guard.service $b/multi-user.target.wants/msingi-guard.service; systemctl daemon-reload; fi
}`

/** The clock is the kernel's, which no time server turns; after a start of the host it begins anew, and so does the deadline. */
const WATCH = sh`watch() {
if [ -d "$g/reverting" ]; then back; return; fi
echo $$ >"$g/armed/pid"
while read -r t <"$g/armed/token" && [ "$t" = "$1" ] && read -r e <"$g/armed/until"; do
now; [ $u -lt $e ] || { back "nobody came back in time"; break; }
sleep 1
done 2>/dev/null
}
boot() {
if [ -d "$g/reverting" ]; then back; return; fi
read -r t <"$g/armed/token" && read -r s <"$g/armed/seconds" || return
now; echo $((u+s)) >"$g/armed/until"; watch "$t"
}`
