import { sh, type Sh } from './sh.ts'

/**
 * Returns a script that judges a new file before it takes its place, for paths where a mistake locks people out or stops
 * a service, or undefined. In it `$1` is the new file and `$2` the path it is meant for. A host without the tool passes, and so does a
 * complaint about the host that is not one about the file.
 */
export function validatorFor(path: string): Sh | undefined {
  return VALIDATORS.find(({ matches }) => matches.test(path))?.script
}

interface Validator {
  readonly matches: RegExp
  readonly script: Sh
}

/** sshd wants to be called by its full path, and complains of what only a running daemon needs. */
const SSHD = sh`s=$(command -v sshd) || exit 0
m=$("$s" -t -f "$1" 2>&1) && exit 0
case $m in *'Missing privilege separation directory'*|*'no hostkeys available'*) exit 0;; esac
printf '%s\\n' "$m"; exit 1`

const SUDOERS = sh`command -v visudo >/dev/null || exit 0
exec visudo -cf "$1"`

/** Only the main file: one of its parts may use what another defines. */
const NGINX = sh`command -v nginx >/dev/null || exit 0
exec nginx -t -q -c "$1"`

/** The verifier knows units by their file's name, and reports much that is no mistake in the file: programs not yet installed, units not yet written. */
const UNIT = sh`command -v systemd-analyze >/dev/null || exit 0
f=$(mktemp -d) || exit 0
trap 'rm -rf "$f"' EXIT
n=$f/\${2##*/}
cp -- "$1" "$n" || exit 0
systemd-analyze verify --man=no "$n" 2>&1 | grep -F -e "\${2##*/}" | grep -E -e 'bad unit file setting|bad-setting|Missing .=.|Invalid section header|Refusing' && exit 1
exit 0`

/** Variables and files of variables may come later; the shape is judged. */
const COMPOSE = sh`command -v docker >/dev/null || exit 0
m=$(docker compose --project-directory "\${2%/*}" -f "$1" config -q --no-interpolate 2>&1) && exit 0
case $m in *'is not a docker command'*|*'unknown flag'*|*'unknown shorthand'*|*'env file '*|*'permission denied'*) exit 0;; esac
printf '%s\\n' "$m"; exit 1`

const DOCKER_DAEMON = sh`command -v dockerd >/dev/null || exit 0
m=$(dockerd --validate --config-file "$1" 2>&1) && exit 0
case $m in *'unknown flag'*) exit 0;; esac
printf '%s\\n' "$m"; exit 1`

/** Rules can only be checked where they could be loaded. */
const NFTABLES = sh`command -v nft >/dev/null || exit 0
m=$(nft -c -f "$1" 2>&1) && exit 0
case $m in *'Operation not permitted'*|*'cache initialization failed'*|*'Protocol not supported'*) exit 0;; esac
printf '%s\\n' "$m"; exit 1`

/** Complaints that the present file causes as well are nobody's fault; a mount point may still be made. */
const FSTAB = sh`command -v findmnt >/dev/null || exit 0
c() { findmnt --verify --tab-file "$1" 2>&1 | grep -E -e '\\[E\\]|: parse error at' | grep -v -e 'on boot required target' | sed "s|^.*: parse error at line [0-9]*|parse error|"; }
[ -s "$1" ] || exit 0
old=; [ ! -s "$2" ] || old=$(c "$2")
c "$1" | grep -v -x -F -e "$old" && exit 1
exit 0`

const VALIDATORS: readonly Validator[] = [
  { matches: /^\/etc\/ssh\/sshd_config$|^\/etc\/ssh\/sshd_config\.d\/[^/]+\.conf$/, script: SSHD },
  { matches: /^\/etc\/sudoers$|^\/etc\/sudoers\.d\/[^/]+$/, script: SUDOERS },
  { matches: /^\/etc\/nginx\/nginx\.conf$/, script: NGINX },
  {
    matches:
      /^\/etc\/systemd\/(?:system|user)\/[^/]+\.(?:service|socket|timer|mount|automount|path|target|slice|swap)$/,
    script: UNIT,
  },
  { matches: /\/(?:docker-)?compose(?:[.-][^/]+)?\.ya?ml$/, script: COMPOSE },
  { matches: /^\/etc\/docker\/daemon\.json$/, script: DOCKER_DAEMON },
  { matches: /^\/etc\/nftables\.conf$/, script: NFTABLES },
  { matches: /^\/etc\/fstab$/, script: FSTAB },
]
