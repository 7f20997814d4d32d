import { spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { LabError } from './error.ts'

/** What a process does for a host of a lab. */
export type Role = 'machine' | 'disk' | 'tpm' | 'build'

export interface LabProcess {
  readonly pid: number
  readonly host: string
  readonly role: Role
  /** When the kernel started it, in its own ticks: a number used again later has another start. */
  readonly start: string
}

export interface ProcessWish {
  readonly lab: string
  readonly host: string
  readonly role: Role
  readonly words: readonly string[]
  readonly cwd: string
  /** Where its words go. */
  readonly log: string
  readonly env: Readonly<Record<string, string>>
}

/**
 * Starts a process that outlives this one. It carries the lab's folder in its environment: that is how it is found again,
 * also when this process dies before it could write anything down.
 */
export function startProcess({ lab, host, role, words, cwd, log, env }: ProcessWish): void {
  const marks = { ...env, MSINGI_LAB: lab, MSINGI_LAB_HOST: host, MSINGI_LAB_ROLE: role }
  const settings = Object.entries(marks).map(([name, value]) => `${name}=${value}`)
  const out = openSync(log, 'a')
  try {
    const child = spawn('env', [...settings, ...words], { cwd, detached: true, stdio: ['ignore', out, out] })
    child.once('error', () => undefined)
    child.unref()
  } finally {
    closeSync(out)
  }
}

/** Returns the processes of a lab, found by the mark they were started with; others' cannot be among them. */
export function labProcesses(lab: string, proc = '/proc'): readonly LabProcess[] {
  return readdirSync(proc)
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      const pid = Number(name)
      const marks = environOf(proc, pid)
      const [host, role, start] = [
        marks.get('MSINGI_LAB_HOST'),
        marks.get('MSINGI_LAB_ROLE'),
        startOf(proc, pid),
      ]
      if (marks.get('MSINGI_LAB') !== lab || host === undefined || start === undefined) return []
      return isRole(role) ? [{ pid, host, role, start }] : []
    })
}

/**
 * Ends processes at once, without a chance to write anything more, and resolves when they are gone.
 *
 * @throws LabError TOO_SLOW where one stays.
 */
export async function killProcesses(processes: readonly LabProcess[]): Promise<void> {
  for (const found of processes) signalProcess(found, 'SIGKILL')
  for (let tries = 0; tries < 200; tries += 1) {
    if (!processes.some(isSame)) return
    await sleep(50)
  }
  const left = processes.filter(isSame).map(({ pid }) => pid)
  throw new LabError('TOO_SLOW', `processes ${left.join(', ')} do not end`)
}

/** Sends a signal, unless the number belongs to another process by now. */
export function signalProcess(found: LabProcess, signal: NodeJS.Signals): void {
  if (!isSame(found)) return
  try {
    process.kill(found.pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

function isSame({ pid, start }: LabProcess): boolean {
  return startOf('/proc', pid) === start
}

function environOf(proc: string, pid: number): ReadonlyMap<string, string> {
  const text = readOr(`${proc}/${pid}/environ`)
  return new Map(
    text.split('\0').flatMap(entry => {
      const at = entry.indexOf('=')
      return at > 0 ? [[entry.slice(0, at), entry.slice(at + 1)]] : []
    }),
  )
}

/** The 22nd field; the second is a name in brackets that may hold anything. A dead process that waits for its parent is gone. */
function startOf(proc: string, pid: number): string | undefined {
  const stat = readOr(`${proc}/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

/** A process that ends meanwhile, or is another user's, reads as nothing. */
function readOr(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

function isRole(text: string | undefined): text is Role {
  return text === 'machine' || text === 'disk' || text === 'tpm' || text === 'build'
}
