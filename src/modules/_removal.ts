import { TaskError } from '../base/error.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'

/** Folders that a system cannot lose. What lies in them may be removed, they themselves never. */
const KEPT = new Set(
  [
    '/ /bin /boot /dev /efi /etc /home /lib /lib32 /lib64 /media /mnt /opt /proc /root /run /sbin /snap /srv /sys /tmp',
    '/usr /usr/bin /usr/lib /usr/lib64 /usr/libexec /usr/local /usr/sbin /usr/share',
    '/var /var/cache /var/lib /var/lib/dpkg /var/lib/docker /var/lib/systemd /var/log /var/mail /var/run /var/spool',
    '/etc/apt /etc/pam.d /etc/ssh /etc/ssl /etc/systemd /boot/efi /boot/grub /lib/systemd /usr/lib/systemd',
  ].flatMap(row => row.split(' ')),
)

/**
 * Makes sure that the path is none that a system cannot lose.
 *
 * @throws TaskError with code `REMOVAL_REFUSED`.
 */
export function requireRemovable(path: string): void {
  if (!KEPT.has(path)) return
  throw new TaskError('REMOVAL_REFUSED', `\`${path}\` belongs to the system and is never removed`)
}

/** Returns the script that removes what is there; a folder on or under which something is mounted is refused. */
export function removalScript(path: string, isDirectory: boolean): Sh {
  if (!isDirectory) return sh`rm -f -- ${path} || exit`
  const mountPoint = path.replaceAll(/[\s\\]/g, octal)
  return lines(
    sh`while read -r _ _ _ _ m _; do case "$m/" in ${mountPoint}/*) printf 'something is mounted at %s\\n' "$m" >&2; exit 1 ;; esac; done </proc/self/mountinfo || exit`,
    sh`rm -rf -- ${path} || exit`,
  )
}

/** Mount tables write blanks and backslashes as octal digits. */
function octal(character: string): string {
  return `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`
}
