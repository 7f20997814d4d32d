import { spawn } from 'node:child_process'
import { statfsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { LabError } from './error.ts'

export interface ProgramOptions {
  /** When it is over, the program and everything it started are ended. */
  readonly deadlineMs: number
  readonly cwd?: string
  readonly input?: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs a program of this machine and returns what it printed.
 *
 * @throws LabError PROGRAM_FAILED where it ends with another status than 0, TOO_SLOW where the deadline passes.
 */
export async function runProgram(words: readonly string[], options: ProgramOptions): Promise<string> {
  const { code, out, err } = await tryProgram(words, options)
  if (code === 0) return out
  throw new LabError('PROGRAM_FAILED', `\`${words.join(' ')}\` ended with ${code}: ${lastLines(err || out)}`)
}

/**
 * Runs a program of this machine, whatever its status.
 *
 * @throws LabError TOO_SLOW where the deadline passes; LAB_NEEDS where the program is not there.
 */
export async function tryProgram(
  words: readonly string[],
  { deadlineMs, cwd, input, signal }: ProgramOptions,
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const [program = '', ...args] = words
  // A group of its own, so that ending it reaches what the program itself started.
  const child = spawn(program, args, { cwd, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
  let isLate = false
  const end = (): void => killGroup(child.pid)
  const timer = setTimeout(() => {
    isLate = true
    end()
  }, deadlineMs)
  signal?.addEventListener('abort', end, { once: true })
  child.stdin.on('error', () => undefined).end(input ?? '')
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', () => reject(new LabError('LAB_NEEDS', `\`${program}\` is not here`)))
    child.once('close', (code, name) => resolve(code ?? (name === null ? 1 : 128)))
  })
  try {
    const [code, out, err] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
    signal?.throwIfAborted()
    if (isLate) throw new LabError('TOO_SLOW', `\`${program}\` took more than ${deadlineMs / 1000} s`)
    return { code, out, err }
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', end)
  }
}

/** What a program belongs to, for the person who has to install it. */
export type Programs = Readonly<Record<string, string>>

/** @throws LabError LAB_NEEDS that names everything missing at once. */
export async function needPrograms(programs: Programs): Promise<void> {
  const packages = new Set<string>()
  for (const [program, pack] of Object.entries(programs)) {
    if (!(await hasProgram(program))) packages.add(pack)
  }
  if (packages.size === 0) return
  const names = [...packages].join(' ')
  throw new LabError('LAB_NEEDS', `missing on this machine: ${names}`, `run \`apt-get install ${names}\``)
}

/** Tells whether a program is here; the system's folders count where PATH leaves them out. */
export async function hasProgram(program: string): Promise<boolean> {
  const look = 'PATH="$PATH:/usr/sbin:/sbin" command -v -- "$1"'
  return (await tryProgram(['sh', '-c', look, 'sh', program], { deadlineMs: 10_000 })).code === 0
}

/** @throws LabError LAB_NEEDS where the folder's file system has less free than this many bytes. */
export function needSpace(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder)
  const free = bavail * bsize
  if (free >= bytes) return
  const [has, needs] = [free, bytes].map(count => `${(count / 2 ** 30).toFixed(1)} GiB`)
  throw new LabError('LAB_NEEDS', `${has} free in \`${folder}\`, ${needs} needed`, 'make room first')
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Already gone.
  }
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-5).join('\n')
}
