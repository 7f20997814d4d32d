import { TaskError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import { sh, type Sh } from './sh.ts'

/** Where the files that runs have replaced are kept, run by run. */
export const BACKUPS = '/var/lib/msingi/backup'

/** A file as it was before a run replaced it. */
export interface Backup {
  readonly run: string
  /** Octal digits. */
  readonly mode: string
  readonly uid: string
  readonly gid: string
  readonly bytes: number
}

/** Returns a part that asks what is kept of the file. */
export function backupsScript(file: string): Sh {
  return sh`b=${BACKUPS}; [ -d "$b" ] || exit 0
ls -r -- "$b" | while IFS= read -r x; do f=$b/$x${file}; [ ! -f "$f" ] || printf '%s %s\\n' "$x" "$(stat -c '%a %u %g %s' -- "$f")"; done`
}

/**
 * Returns what is kept, the newest first.
 *
 * @throws TaskError PROBE_UNREADABLE where the answer cannot be understood.
 */
export function readBackups({ code, out, err }: Completed): readonly Backup[] {
  const rows = out.split('\n').slice(0, -1)
  return rows.map(row => {
    const [, run, mode, uid, gid, bytes] = /^(\S+) ([0-7]+) (\d+) (\d+) (\d+)$/.exec(row) ?? []
    if (code !== 0 || !run || !mode || !uid || !gid)
      throw new TaskError('PROBE_UNREADABLE', `\`${row}\` came where a kept file was expected: ${err.trim()}`)
    return { run, mode: mode.padStart(4, '0'), uid, gid, bytes: Number(bytes) }
  })
}

/** Returns a part that prints the file as it was before the run. */
export function backupScript(run: string, file: string): Sh {
  return sh`cat -- ${`${BACKUPS}/${run}${file}`}`
}
