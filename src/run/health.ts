import { TaskError } from '../base/error.ts'
import { fitnessScript, parseHealth, type Health, type Room } from '../probes/health.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'

/** One thing that was looked at on a host. */
export interface Finding {
  /** `fail` where changes are likely to fail. */
  readonly level: 'ok' | 'warn' | 'fail'
  /** What was looked at, in one word. */
  readonly about: string
  readonly message: string
  /** The next step, one imperative sentence; where something is wrong. */
  readonly hint?: string
}

const MEBIBYTE = 1024 * 1024

/** Below this nothing can be unpacked, and a package manager is left with half a package. */
const LEAST_FREE = 16 * MEBIBYTE
const LEAST_INODES = 100
const LITTLE = 0.05
const LITTLE_MEMORY = 64 * MEBIBYTE

/** Certificates and package lists are judged by the clock. */
const SKEW_SECONDS = 30
const BAD_SKEW_SECONDS = 3600

/** Modules that leave a package half done where the disk is full. */
const UNPACKING: readonly string[] = ['apk', 'apt', 'dnf', 'package', 'unarchive']

/** How a host was when a run came to it, and what must not be tried on it. */
export class HostHealth {
  readonly #warn: (message: string) => void
  #unfit: string | undefined
  #hasTold = false

  constructor(warn: (message: string) => void) {
    this.#warn = warn
  }

  /** Returns what to run along with the first frame. */
  script(): Sh {
    return lines(fitnessScript(), sh`exit 0`)
  }

  /** Takes in what it printed and warns, once, of what is not right. `now` is our clock in seconds when it came. */
  take(out: string, now: number): void {
    const health = healthIn(out)
    if (health === undefined) return
    this.#unfit = unfit(health)
    if (this.#hasTold) return
    this.#hasTold = true
    for (const { level, about, message } of findings(health, health.epoch - now))
      if (level !== 'ok' && about !== 'restart') this.#warn(message)
  }

  /** Returns whether the module would do harm on the host as it was; it may be well again by now. */
  isUnfitFor(module: string): boolean {
    return this.#unfit !== undefined && UNPACKING.includes(module)
  }

  /** @throws TaskError HOST_UNFIT */
  refuse(module: string): void {
    if (this.#unfit === undefined || !UNPACKING.includes(module)) return
    const hint =
      'make room, or mount it for writing, first: what is unpacked half is worse than what is missing'
    throw new TaskError('HOST_UNFIT', `nothing is unpacked here: ${this.#unfit}`, hint)
  }
}

/** A host that does not even tell the time is not refused for that. */
function healthIn(out: string): Health | undefined {
  try {
    return parseHealth(out)
  } catch (error) {
    if (error instanceof TaskError) return undefined
    throw error
  }
}

/** Returns everything that was looked at, worst and best; `skew` is how many seconds the host's clock is ahead of ours. */
export function findings(health: Health, skew: number): readonly Finding[] {
  return [
    ...of('disk', 'room everywhere', health.rooms.flatMap(roomFindings)),
    ...of('files', 'everything can be written', health.readOnly.map(readOnlyFinding)),
    ...of('clock', 'it agrees with this machine', skewFindings(skew)),
    ...of('memory', 'enough', memoryFindings(health)),
    ...of('packages', 'nothing is half done', packageFindings(health)),
    ...of('restart', 'none is due', restartFindings(health)),
    ...of('leftovers', 'nothing of an earlier run', leftovers(health)),
  ]
}

/** Returns why packages cannot be unpacked, or undefined where they can as far as anybody knows. */
export function unfit({ rooms, readOnly }: Health): string | undefined {
  const place = readOnly.find(path => path === '/' || path.startsWith('/var'))
  if (place !== undefined) return `${place} is mounted read only`
  const full = rooms.find(room => (room.path === '/' || room.path.startsWith('/var')) && isFull(room))
  return full && `${full.path} has ${roomText(full)}`
}

function of(about: string, good: string, found: readonly Omit<Finding, 'about'>[]): readonly Finding[] {
  if (found.length === 0) return [{ level: 'ok', about, message: good }]
  return found.map(one => ({ ...one, about }))
}

type Found = Omit<Finding, 'about'>

function roomFindings(room: Room): readonly Found[] {
  const message = `${room.path} has ${roomText(room)}`
  if (isFull(room)) return [{ level: 'fail', message, hint: 'make room before anything is changed' }]
  const isLittle =
    room.free < room.size * LITTLE || (room.inodes > 0 && room.freeInodes < room.inodes * LITTLE)
  return isLittle ? [{ level: 'warn', message, hint: 'make room soon' }] : []
}

/** Small file systems, such as that of boot files, are full later. */
function isFull({ size, free, inodes, freeInodes }: Room): boolean {
  return free < Math.min(LEAST_FREE, size * LITTLE) || (inodes > 0 && freeInodes < LEAST_INODES)
}

function roomText({ free, size, inodes, freeInodes }: Room): string {
  const files = inodes > 0 ? ` and ${freeInodes} of ${inodes} inodes` : ''
  return `${Math.floor(free / MEBIBYTE)} of ${Math.floor(size / MEBIBYTE)} MiB${files} free`
}

function readOnlyFinding(path: string): Found {
  const message = `${path} is mounted read only`
  return {
    level: 'fail',
    message,
    hint: 'look into the kernel log for errors of the disk, then mount it for writing',
  }
}

function skewFindings(skew: number): readonly Found[] {
  const seconds = Math.abs(skew)
  if (seconds < SKEW_SECONDS) return []
  const level = seconds < BAD_SKEW_SECONDS ? 'warn' : 'fail'
  const message = `the clock is ${Math.round(seconds)} s ${skew > 0 ? 'ahead of' : 'behind'} that of this machine`
  return [{ level, message, hint: 'find out which of the two is right, and let it follow a time server' }]
}

function memoryFindings({ memory }: Health): readonly Found[] {
  if (memory === null || memory.available >= LITTLE_MEMORY) return []
  const message = `${Math.floor(memory.available / MEBIBYTE)} of ${Math.floor(memory.total / MEBIBYTE)} MiB are left`
  return [{ level: 'warn', message, hint: 'look with `top` for what takes it' }]
}

function packageFindings({ halfDone, packageLock }: Health): readonly Found[] {
  const half = halfDone ?? []
  return [
    ...(half.length === 0
      ? []
      : [
          {
            level: 'fail',
            message: `dpkg left half done: ${half.slice(0, 5).join(', ')}${half.length > 5 ? ` and ${half.length - 5} more` : ''}`,
            hint: 'run `dpkg --configure -a` on the host',
          } as const,
        ]),
    ...(packageLock === null
      ? []
      : [
          {
            level: 'warn',
            message: `${packageLock.name} (process ${packageLock.pid}) works on packages`,
            hint: 'let it come to its end',
          } as const,
        ]),
  ]
}

function restartFindings({ needsReboot }: Health): readonly Found[] {
  if (!needsReboot) return []
  return [{ level: 'warn', message: 'the host waits for a restart', hint: 'restart it when nobody needs it' }]
}

function leftovers({ jobs, guard, owed }: Health): readonly Found[] {
  const running = jobs.filter(job => job.is === 'running')
  const left = jobs.filter(job => job.is !== 'running')
  const found: (Found | false)[] = [
    running.length > 0 && {
      level: 'warn',
      message: `a change goes on: ${running.map(({ dir }) => dir).join(', ')}`,
      hint: 'let it come to its end',
    },
    left.length > 0 && {
      level: 'warn',
      message: `nobody read how a change ended: ${left.map(({ dir, is }) => `${dir} (${is})`).join(', ')}`,
      hint: 'apply the playbook again, then remove these directories',
    },
    guard && {
      level: 'warn',
      message: 'a guarded change waits to be kept or taken back',
      hint: 'wait for its deadline; the host decides by itself',
    },
    owed > 0 && {
      level: 'warn',
      message: `${owed} notified handlers may not have run`,
      hint: 'apply the playbook again: it runs them',
    },
  ]
  return found.filter(one => one !== false)
}
