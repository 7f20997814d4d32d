import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findAccel } from './accel.ts'
import { control } from './control.ts'
import { LabError } from './error.ts'
import { diskWords, disksOf, FILES, machineWords, tpmWords, type DiskCache } from './machine-words.ts'
import { killProcesses, labProcesses, signalProcess, startProcess, type Role } from './processes.ts'
import { hasProgram } from './program.ts'
import { awaitSshd } from './sshd.ts'
import { hostFolder, hostOf, type Hardware, type OpenLab } from './state.ts'

export interface BootOptions {
  /** Folder of what is kept between labs. */
  readonly cache: string
  readonly diskCache?: DiskCache
  readonly signal?: AbortSignal | undefined
}

/** How long a machine may take to answer on SSH; an emulated one on a busy controller is slow. */
const BOOT_SECONDS = 600
const SOCKET_TRIES = 200

/** Tells whether a host's machine runs. */
export function isRunning(lab: OpenLab, host: string): boolean {
  return labProcesses(lab.folder).some(found => found.host === host && found.role === 'machine')
}

/**
 * Switches a machine on and resolves with the seconds until it answered on SSH.
 *
 * @throws LabError WRONG_STATE where it already runs; TOO_SLOW where it does not answer.
 */
export async function boot(lab: OpenLab, name: string, options: BootOptions): Promise<number> {
  const began = performance.now()
  await switchOn(lab, name, options)
  const host = hostOf(lab, name)
  await awaitSshd(host, {
    seconds: BOOT_SECONDS,
    signal: options.signal,
    isHopeless: () => (isRunning(lab, name) ? undefined : lastWords(lab, name)),
  })
  return (performance.now() - began) / 1000
}

/**
 * Takes the power away: the machine stops in mid-instruction, and what it had not flushed to its disks is lost. Its
 * disks' caches go first, so that the machine cannot notice.
 */
export async function cutPower(lab: OpenLab, host: string): Promise<void> {
  hostOf(lab, host)
  const mine = labProcesses(lab.folder).filter(found => found.host === host)
  const machines = mine.filter(({ role }) => role === 'machine')
  if (machines.length === 0) throw new LabError('WRONG_STATE', `\`${host}\` is off already`)
  for (const machine of machines) signalProcess(machine, 'SIGSTOP')
  await killProcesses(mine.filter(({ role }) => role === 'disk'))
  await killProcesses(mine)
}

/** Pulls or plugs in both network cables of a machine; connections over them hear nothing more. */
export async function setLink(lab: OpenLab, host: string, isUp: boolean): Promise<void> {
  hostOf(lab, host)
  const socket = join(hostFolder(lab, host), FILES.control)
  for (const card of ['card-outer', 'card-inner']) await control(socket, 'set_link', { name: card, up: isUp })
}

async function switchOn(lab: OpenLab, name: string, { cache, diskCache }: BootOptions): Promise<void> {
  const host = hostOf(lab, name)
  const hardware = hardwareOf(lab)
  if (isRunning(lab, name)) throw new LabError('WRONG_STATE', `\`${name}\` is on already`)
  // A disk or a TPM may be left of a machine that ended by itself.
  await killProcesses(labProcesses(lab.folder).filter(found => found.host === name))
  const folder = hostFolder(lab, name)
  const log = join(folder, FILES.log)
  const start = (role: Role, words: readonly string[], env: Readonly<Record<string, string>> = {}): void =>
    startProcess({ lab: lab.folder, host: name, role, words, cwd: folder, log, env })
  const caching = diskCache ?? (await usualDiskCache())
  const number = lab.hosts.indexOf(host) + 1
  const accel = await findAccel(cache)
  if (caching !== 'none') await serveDisks(hardware, folder, caching, start)
  if (hardware.tpm) {
    mkdirSync(join(folder, FILES.tpm), { recursive: true })
    await startWithSocket(folder, FILES.tpmSocket, () => start('tpm', tpmWords(folder)))
  }
  await startWithSocket(folder, FILES.control, () =>
    start('machine', machineWords({ lab, hardware, host, number, accel, diskCache: caching })),
  )
}

/** Where nothing is here to keep writes back, what the machine wrote without flushing survives: the cut is milder. */
export async function usualDiskCache(): Promise<DiskCache> {
  return (await hasProgram('nbdkit')) ? 'volatile' : 'none'
}

async function serveDisks(
  hardware: Hardware,
  folder: string,
  cache: Exclude<DiskCache, 'none'>,
  start: (role: Role, words: readonly string[], env: Readonly<Record<string, string>>) => void,
): Promise<void> {
  for (const disk of disksOf(hardware)) {
    await startWithSocket(folder, disk.socket, () =>
      start('disk', diskWords(disk, cache), { TMPDIR: folder }),
    )
  }
}

async function startWithSocket(folder: string, name: string, start: () => void): Promise<void> {
  const socket = join(folder, name)
  rmSync(socket, { force: true })
  start()
  for (let tries = 0; tries < SOCKET_TRIES; tries += 1) {
    if (existsSync(socket)) return
    await sleep(50)
  }
  throw new LabError('PROGRAM_FAILED', `\`${name}\` does not appear: ${tail(join(folder, FILES.log))}`)
}

function hardwareOf({ hardware, name, kind }: OpenLab): Hardware {
  if (hardware) return hardware
  throw new LabError('WRONG_KIND', `the lab \`${name}\` is made of ${kind}s`, 'make one with `--kind vm`')
}

function lastWords(lab: OpenLab, host: string): string {
  const folder = hostFolder(lab, host)
  return `the machine ended: ${tail(join(folder, FILES.log))} ${tail(join(folder, FILES.consoleLog))}`
}

function tail(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-3).join('\n') : ''
}
