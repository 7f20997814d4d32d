import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'

/** What a command cost. */
export interface Measured {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** Wall clock. */
  readonly seconds: number
  /** User and system time of the command and all its children. */
  readonly cpuSeconds: number
  /** Largest resident set of the command's first process, in MB. */
  readonly residentMb: number
}

// Bash's `time` counts waited-for children too, which Node cannot ask for; descriptor 3 keeps its line apart.
const TIMED = 'exec 4>&2; TIMEFORMAT="%R %U %S"; { time "$@" 2>&4; } 2>&3'

/** Runs a command and measures it. */
export async function measure(command: readonly string[]): Promise<Measured> {
  const child = spawn('bash', ['-c', TIMED, 'bash', ...command], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  let residentMb = 0
  const watch = setInterval(() => (residentMb = Math.max(residentMb, peakOfChild(child.pid))), 10)
  const times = child.stdio[3]
  if (!(times instanceof Readable) || child.stdout === null || child.stderr === null)
    throw new Error('no pipes')
  const ended = new Promise<number>(resolve => child.once('close', code => resolve(code ?? 1)))
  const [stdout, stderr, line] = await Promise.all([text(child.stdout), text(child.stderr), text(times)])
  const code = await ended
  clearInterval(watch)
  const [seconds = 0, user = 0, system = 0] = line.trim().split(' ').map(Number)
  return { code, stdout, stderr, seconds, cpuSeconds: user + system, residentMb }
}

function peakOfChild(pid: number | undefined): number {
  try {
    const child = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ')[0]
    const status = readFileSync(`/proc/${child}/status`, 'latin1')
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024
  } catch {
    // The process is not there yet, or is gone.
    return 0
  }
}

/** Returns the middle of the numbers; the mean of the two in the middle where their count is even. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}
