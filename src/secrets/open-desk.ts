import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PREFIX = 'msingi-edit-'

/** A folder in memory that only this user can enter, for a text that is being edited. */
export interface Desk {
  readonly folder: string
  /** Overwrites and removes everything on it. */
  readonly clear: () => void
}

/**
 * Opens a folder in memory where there is one (`$XDG_RUNTIME_DIR`, `/dev/shm`), else among the temporary files. What a
 * process that was killed left there is cleared away.
 */
export function openDesk(env: Readonly<Record<string, string | undefined>>): Desk {
  const places = [env['XDG_RUNTIME_DIR'], '/dev/shm', tmpdir()]
  const place = places.find(folder => folder !== undefined && isFolder(folder)) ?? tmpdir()
  clearLeftovers(place)
  const folder = mkdtempSync(join(place, `${PREFIX}${process.pid}-`))
  return { folder, clear: () => shred(folder) }
}

function isFolder(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true
}

function clearLeftovers(place: string): void {
  for (const name of readdirSync(place)) {
    const [, pid] = new RegExp(`^${PREFIX}(\\d+)-`).exec(name) ?? []
    const folder = join(place, name)
    if (pid !== undefined && !isAlive(Number(pid)) && isOurs(folder)) shred(folder)
  }
}

function isOurs(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false })?.uid === process.getuid?.()
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Editors leave copies and swap files beside what they edit; these go as well. */
function shred(folder: string): void {
  if (!existsSync(folder)) return
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    const opened = openSync(file, 'r+')
    writeSync(opened, Buffer.alloc(statSync(file).size))
    fsyncSync(opened)
    closeSync(opened)
  }
  rmSync(folder, { recursive: true, force: true })
}
