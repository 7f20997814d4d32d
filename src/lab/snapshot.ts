import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { control } from './control.ts'
import { LabError } from './error.ts'
import { cutPower, isRunning } from './machine.ts'
import { FILES } from './machine-words.ts'
import { runProgram } from './program.ts'
import { hostFolder, hostOf, type OpenLab } from './state.ts'

const FOLDER = 'snapshots'

/**
 * Keeps what is on a machine's disks and in its TPM under a name. A running machine stands still meanwhile; kept is what a
 * power cut would leave at that moment.
 */
export async function snapshot(lab: OpenLab, host: string, name: string): Promise<void> {
  refuseName(name)
  hostOf(lab, host)
  const folder = hostFolder(lab, host)
  const draft = join(folder, FOLDER, `.${name}.new`)
  const kept = join(folder, FOLDER, name)
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { recursive: true })
  const running = isRunning(lab, host)
  if (running) await control(join(folder, FILES.control), 'stop')
  try {
    await copy(stored(folder), folder, draft)
  } finally {
    if (running) await control(join(folder, FILES.control), 'cont')
  }
  rmSync(kept, { recursive: true, force: true })
  renameSync(draft, kept)
}

/** Puts back what was kept; the machine loses its power first and is off afterwards. */
export async function restore(lab: OpenLab, host: string, name: string): Promise<void> {
  refuseName(name)
  hostOf(lab, host)
  const folder = hostFolder(lab, host)
  const kept = join(folder, FOLDER, name)
  if (!existsSync(kept)) {
    throw new LabError(
      'WRONG_STATE',
      `\`${host}\` has no snapshot \`${name}\`: ${snapshots(lab, host).join(', ')}`,
    )
  }
  if (isRunning(lab, host)) await cutPower(lab, host)
  for (const file of stored(folder)) rmSync(join(folder, file), { recursive: true, force: true })
  await copy(readdirSync(kept), kept, folder)
}

/** Returns the names of a host's snapshots. */
export function snapshots(lab: OpenLab, host: string): readonly string[] {
  const folder = join(hostFolder(lab, host), FOLDER)
  return existsSync(folder) ? readdirSync(folder).filter(name => !name.startsWith('.')) : []
}

function stored(folder: string): readonly string[] {
  return readdirSync(folder).filter(
    name => name === FILES.root || name === FILES.tpm || name.endsWith('.disk'),
  )
}

async function copy(names: readonly string[], from: string, to: string): Promise<void> {
  const words = ['cp', '--archive', '--sparse=always', '--reflink=auto', '--']
  const paths = names.map(name => join(from, name))
  await runProgram([...words, ...paths, to], { deadlineMs: 10 * 60_000 })
}

function refuseName(name: string): void {
  if (/^[\w][\w.-]*$/.test(name)) return
  throw new LabError(
    'WRONG_STATE',
    `\`${name}\` is no name for a snapshot`,
    'use letters, digits, dots and dashes',
  )
}
