import { createHash } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { UsageError } from '../base/error.ts'

/** Who changes the hosts of an inventory from this folder. */
interface Owner {
  readonly user: string
  readonly controller: string
  readonly pid: number
  /** When the process began, in the kernel's ticks; tells it from a later one with its number. Empty where nobody can tell. */
  readonly born: string
  readonly since: string
}

/**
 * Keeps a second apply of the same inventory away while the work goes on, so that neither loses what the other writes down about it.
 * The lock is a file; one whose process is gone counts for nothing.
 *
 * @throws UsageError INVENTORY_BUSY where somebody else has it for longer than `waitSeconds`.
 */
export async function withInventory<T>(
  inventory: readonly string[],
  waitSeconds: number,
  work: () => Promise<T>,
  folder = '.msingi',
): Promise<T> {
  const file = fileOf(inventory, folder)
  const end = performance.now() + waitSeconds * 1000
  for (let owner = takeLock(file); owner !== undefined; owner = takeLock(file)) {
    if (performance.now() >= end) throw busy(owner, inventory)
    await sleep(500)
  }
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}

function fileOf(inventory: readonly string[], folder: string): string {
  const places = inventory.map(source => (source.includes(',') ? source : resolve(source))).toSorted()
  const name = createHash('sha256').update(places.join('\n')).digest('hex').slice(0, 16)
  return join(folder, 'locks', name)
}

/** Returns who has the lock, or undefined where it is ours now. A link is made by one process only, and only with its text. */
export function takeLock(file: string): Owner | undefined {
  const own = `${file}.${process.pid}`
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(own, JSON.stringify(ourselves()), { mode: 0o600 })
  try {
    for (;;) {
      try {
        linkSync(own, file)
        return undefined
      } catch (error) {
        if (!isCode(error, 'EEXIST')) throw error
      }
      const owner = ownerIn(file)
      if (owner && lives(owner)) return owner
      clear(file, owner)
    }
  } finally {
    rmSync(own, { force: true })
  }
}

/** Takes away the file of a process that is gone; one that came in between gets its own back. */
function clear(file: string, dead: Owner | undefined): void {
  const aside = `${file}.${process.pid}.old`
  try {
    renameSync(file, aside)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return
    throw error
  }
  const found = ownerIn(aside)
  if (found !== undefined && JSON.stringify(found) !== JSON.stringify(dead)) renameSync(aside, file)
  else rmSync(aside)
}

function ownerIn(file: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Owner
  } catch {
    return undefined
  }
}

/** In a folder that several machines share, only the owner's own machine can tell. */
function lives({ controller, pid, born }: Owner): boolean {
  if (controller !== hostname()) return true
  try {
    process.kill(pid, 0)
  } catch (error) {
    return isCode(error, 'EPERM')
  }
  return birthOf(pid) === born
}

function ourselves(): Owner {
  const since = new Date().toISOString()
  const { pid } = process
  return { user: userInfo().username, controller: hostname(), pid, born: birthOf(pid), since }
}

function birthOf(pid: number): string {
  try {
    return (
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[19] ?? ''
    )
  } catch {
    return ''
  }
}

function busy({ user, controller, pid, since }: Owner, inventory: readonly string[]): UsageError {
  return new UsageError(
    'INVENTORY_BUSY',
    `${user} on ${controller} applies something to ${inventory.join(', ')} since ${since} (process ${pid})`,
    'wait for it with `--wait`, or end that process',
  )
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
