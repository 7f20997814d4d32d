/**
 * The sending half of the protocol that is spoken with the shell on a host.
 *
 * 1. The opening command starts `sh -c STAGE0`. Stage 0 reads one line with a byte count from its stdin, then exactly
 *    that many bytes, and evaluates them: the bootstrap. Text that comes short is never evaluated.
 * 2. The bootstrap holds the marker, 128 random bits that stand in no argument list, environment or file. It cleans
 *    the environment and answers `\n<marker> hello <uid> <pid> <scratch> <user>\n` on stdout and on stderr. What
 *    stands before that is noise of the login shell.
 * 3. Then it reads frames: a line `SEQ LENGTH`, and LENGTH bytes of script, in which each part is one quoted word.
 *    Each part runs in a subshell of its own with stdin from /dev/null. After it, stdout and stderr both carry
 *    `\n<marker> <seq>.<part> <exit status> <milliseconds>\n`; the newline before the marker belongs to the marker.
 * 4. A line `SEQ LENGTH PATH` is followed by LENGTH bytes of any kind, which are added to the file; the answer is that of
 *    one part, and its output the size of the file.
 */
import { quote, type Sh } from './sh.ts'

/** A piece of a frame. */
export interface Piece {
  readonly script: Sh
  /**
   * Path of a file that the shell itself opens for appending, as descriptor 9 of this piece alone, and keeps open where the piece
   * ends with 0: a lock on it lasts as long as the shell. It is not opened in a directory of somebody else; a missing one is made. The
   * file is removed when the shell ends. The path must have no blanks.
   */
  readonly holds?: string
}

/** The PATH of every shell; the login shell's own is not trusted to hold the sbin directories. */
export const HOST_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin'

/**
 * Reads exactly `$_n` bytes. Only `dd` promises not to read ahead: `head -c` of busybox does. A dd that does not know
 * `fullblock` ends before it reads anything.
 */
const READ_EXACTLY = 'dd bs=$_n count=1 iflag=fullblock 2>/dev/null||dd bs=1 count=$_n 2>/dev/null'

/** What the opening command runs. It must live inside single quotes of any login shell: no quote, `!`, backslash or newline. */
export const STAGE0 =
  'LC_ALL=C;export LC_ALL;unset IFS TMOUT;read -r _n&&_b=$(' +
  READ_EXACTLY +
  ')&&[ ${#_b} -eq $_n ]&&eval "$_b"'

/**
 * Returns the first text to send to stage 0: the bootstrap behind its byte count. `scratch` becomes part of the name of
 * the session's private directory, so it must be random too, and must not be the marker.
 */
export function bootstrap(marker: string, scratch: string): string {
  const script = BOOTSTRAP.replaceAll('MARKER', marker).replaceAll('SCRATCH', scratch)
  return `${Buffer.byteLength(script)}\n${script}`
}

/**
 * Returns the text of one frame.
 *
 * @throws RangeError where a part holds a NUL byte, which no shell can read.
 */
export function frame(seq: number, parts: readonly Piece[]): string {
  const body = parts
    .map(({ script, holds }, index) => {
      const part = `_p ${index} ${quote(script.text)}`
      return holds === undefined ? part : holding(part, holds)
    })
    .join('\n')
  // The shell strips newlines at the end of what it reads; the semicolon keeps the last byte from being one.
  const script = `${body};`
  return `${seq} ${Buffer.byteLength(script)}\n${script}`
}

/** A redirection that fails would end the shell, were it not for `command`; the piece finds out by itself that 9 is not open. */
function holding(part: string, path: string): string {
  const folder = quote(path.replace(/\/[^/]*$/, ''))
  const file = quote(path)
  return `{ [ -d ${folder} ]||mkdir -p -m 700 ${folder};[ -O ${folder} ]&&[ ! -L ${folder} ]&&command exec 9>>${file};} 2>/dev/null
_x=:
${part}
unset _x;if [ $_r = 0 ];then _L=${file};else command exec 9>&-;fi`
}

/** Returns the line that announces bytes to be added to a file on the host. The path must not begin or end with a blank. */
export function dataLine(seq: number, bytes: number, path: string): string {
  return `${seq} ${bytes} ${path}\n`
}

/*
 * Names begin with an underscore, because parts see them. The handler of TERM and HUP ends an idle shell, but not one
 * that is at work, so that a part's `kill $$` does no harm; a handler, unlike ignoring a signal, is not inherited.
 */
const BOOTSTRAP = `unset IFS LANG LANGUAGE CDPATH ENV BASH_ENV TMOUT MAIL MAILCHECK SUDO_COMMAND
PATH=${HOST_PATH};LC_ALL=C;export PATH LC_ALL
umask 022;cd /;unset OLDPWD _x;_L=
_M=MARKER;_i=$(id -u);USER=$(id -un 2>/dev/null);USER=\${USER:-$_i};LOGNAME=$USER;export USER LOGNAME
_D=-
for _d in /run /run/user/$_i /dev/shm /var/tmp /tmp
do [ -w $_d ]&&[ -d $_d ]&&mkdir -m 700 $_d/msingi.SCRATCH 2>/dev/null&&{ _D=$_d/msingi.SCRATCH;break;}
done
trap '[ $_D = - ]||rm -rf $_D $_L' EXIT
trap : PIPE INT
trap '[ "$_B" ]||exit 143' HUP TERM
_t() { _c=0;}
[ -r /proc/uptime ]&&_t() { read -r _c _d </proc/uptime;_c=$((\${_c%.*}*100+1\${_c#*.}-100));}
_e() { printf '\\n%s %s.%s %s %s\\n' $_M $_S $1 $_r $(((_c-_s)*10));}
_p() { _t;_s=$_c
(unset _M _b;eval "\${_x-exec 9>&-};set --
$2") </dev/null
_r=$?;_t;_e $1;_e $1 >&2;}
_h() { printf '\\n%s hello %s %s %s %s\\n' $_M $_i $$ $_D "$USER";}
_f() { _t;_s=$_c
{ ${READ_EXACTLY};}|{ cat >>"$_f";_r=$?;cat >/dev/null;exit $_r;}
_r=$?;[ $_r -gt 0 ]||wc -c <"$_f";_t;_e 0;_e 0 >&2;}
_h;_h >&2
while _B=;read -r _S _n _f
do _B=1
[ -z "$_f" ]||{ _f;continue;}
_b=$(${READ_EXACTLY})
[ \${#_b} -eq $_n ]||exit 3
eval "$_b"
done
exit 0`
