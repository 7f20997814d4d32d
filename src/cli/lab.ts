import { spawn } from 'node:child_process'
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { UsageError } from '../base/error.ts'
import { clearDrafts } from '../lab/drafts.ts'
import { ensureVmImage } from '../lab/image.ts'
import { findLab, makeMachines, removeLab, type LabPlace, type LabWish } from '../lab/lab.ts'
import { boot, cutPower, isRunning, setLink, usualDiskCache } from '../lab/machine.ts'
import { FILES, type DiskCache } from '../lab/machine-words.ts'
import { restore, snapshot } from '../lab/snapshot.ts'
import { hostFolder, hostOf, labsIn, loginKey, type DiskWish, type OpenLab } from '../lab/state.ts'
import { EXIT } from './exit.ts'
import { interruptible } from './interrupt.ts'
import type { LabFlags, LabUpFlags } from './options.ts'

/** Labs live beside the project, so that `-i lab/NAME/inventory.yml` is a path people can type. */
export const LABS = 'lab'
export const LAB_CACHE = resolve('.msingi', 'lab')

/** `lab up`. */
export async function up(name: string, flags: LabUpFlags): Promise<number> {
  const wish = labWish(name, flags)
  return interruptibly(async place => {
    const lab = flags.kind === 'vm' ? await makeMachines(wish, place) : await makeContainerLab(wish, place)
    const inventory = join(LABS, lab.name, 'inventory.yml')
    process.stdout.write(`inventory: ${inventory}\n`)
    if (lab.kind === 'vm' && (await usualDiskCache()) === 'none') {
      say('nbdkit is not installed: a power cut here loses what the system kept, but not what the disk kept')
    }
    return EXIT.done
  })
}

/** `lab image`. */
export async function image({ os, package: packages }: Pick<LabUpFlags, 'os' | 'package'>): Promise<number> {
  return interruptibly(async place => {
    const folder = await ensureVmImage({ os, packages, cache: place.cache, say, signal: place.signal })
    process.stdout.write(`${folder}\n`)
    return EXIT.done
  })
}

/** `lab down`. */
export async function down(name: string | undefined, isAll: boolean): Promise<number> {
  const drafts = await clearDrafts(join(LAB_CACHE, 'images'))
  if (drafts > 0) say('removed what a build that was killed had left')
  if (drafts > 0 && labsIn(resolve(LABS)).length === 0) return EXIT.done
  const labs = isAll ? labsIn(resolve(LABS)) : [findLab(LABS, name)]
  for (const lab of labs) {
    await removeLab(lab.folder, removeContainersOf)
    say(`removed the lab \`${lab.name}\``)
  }
  return EXIT.done
}

/** `lab list`. */
export function list(): number {
  for (const lab of labsIn(resolve(LABS))) {
    for (const host of lab.hosts) {
      const power = lab.kind === 'container' || isRunning(lab, host.name) ? 'on' : 'off'
      const fields = [
        lab.name,
        host.name,
        lab.kind,
        lab.os,
        power,
        `${host.user}@${host.address}:${host.port}`,
      ]
      process.stdout.write(`${fields.join('\t')}\n`)
    }
  }
  return EXIT.done
}

/** `lab cut-power`, `unplug` and `plug`. */
export async function treat(
  order: 'cut-power' | 'unplug' | 'plug',
  host: string,
  flags: LabFlags,
): Promise<number> {
  const lab = machineLab(host, flags)
  if (order === 'cut-power') await cutPower(lab, host)
  else await setLink(lab, host, order === 'plug')
  return EXIT.done
}

/** `lab boot`. */
export async function bootHost(
  host: string,
  flags: LabFlags & { readonly diskCache?: DiskCache },
): Promise<number> {
  const lab = machineLab(host, flags)
  return interruptibly(async ({ cache, signal }) => {
    const disk = flags.diskCache ? { diskCache: flags.diskCache } : {}
    const seconds = await boot(lab, host, { cache, signal, ...disk })
    say(`${host}: answers after ${Math.round(seconds)} s`)
    return EXIT.done
  })
}

/** `lab snapshot` and `restore`. */
export async function keep(
  order: 'snapshot' | 'restore',
  host: string,
  name: string,
  flags: LabFlags,
): Promise<number> {
  await (order === 'snapshot' ? snapshot : restore)(machineLab(host, flags), host, name)
  return EXIT.done
}

/** `lab ssh`: the status is that of the command. */
export function ssh(name: string, words: readonly string[], flags: LabFlags): Promise<number> {
  const lab = findLab(LABS, flags.lab, name)
  const { address, port, user } = hostOf(lab, name)
  const options = [`UserKnownHostsFile=${join(lab.folder, 'known_hosts')}`, 'GlobalKnownHostsFile=none']
  const args = ['-F', 'none', '-i', loginKey(lab), '-p', String(port)]
  args.push(...[...options, 'IdentitiesOnly=yes'].flatMap(option => ['-o', option]))
  const child = spawn('ssh', [...args, `${user}@${address}`, ...words], { stdio: 'inherit' })
  return new Promise((settle, reject) => {
    child.once('error', () =>
      reject(new UsageError('BAD_ARGUMENT', '`ssh` is not here', 'install openssh-client')),
    )
    child.once('close', code => settle(code ?? EXIT.unreachable))
  })
}

/** `lab console`. */
export async function visit(host: string, flags: LabFlags & { readonly log?: true }): Promise<number> {
  const lab = machineLab(host, flags)
  if (flags.log) {
    const file = join(hostFolder(lab, host), FILES.consoleLog)
    process.stdout.write(existsSync(file) ? readFileSync(file) : '')
    return EXIT.done
  }
  const { visitConsole } = await import('../lab/console.ts')
  const { stdin } = process
  if (stdin.isTTY) stdin.setRawMode(true)
  say('Ctrl-] leaves')
  try {
    await visitConsole(lab, host, stdin, process.stdout)
  } finally {
    if (stdin.isTTY) stdin.setRawMode(false)
    stdin.pause()
  }
  return EXIT.done
}

/** Returns what the flags wish for, understood. */
export function labWish(name: string, flags: LabUpFlags): LabWish {
  if (!/^[a-z0-9][a-z0-9-]{0,30}$/.test(name)) {
    throw new UsageError(
      'BAD_ARGUMENT',
      `\`${name}\` is no name for a lab`,
      'use small letters, digits and dashes',
    )
  }
  return {
    name,
    kind: flags.kind,
    os: flags.os,
    hosts: flags.hosts,
    packages: flags.package,
    publish: flags.publish.map(portNumber),
    hardware: {
      memory: byteCount(flags.memory, '--memory'),
      ...(flags.cpus !== undefined && { cpus: flags.cpus }),
      disks: [...flags.disk.map(diskWish), ...(flags.medium === undefined ? [] : [mediumOf(flags.medium)])],
      tpm: flags.tpm === true,
      internet: flags.internet === true,
    },
  }
}

/** A disk's serial number has at most 20 characters. */
const DISK = /^([a-z][a-z0-9-]{0,19})=(.+)$/

function diskWish(text: string): DiskWish {
  const [, name, size] = DISK.exec(text) ?? []
  if (name === undefined || size === undefined || name === 'root') {
    throw new UsageError(
      'BAD_OPTION',
      `\`--disk ${text}\`, expected name=size`,
      'write it as `--disk data=8G`',
    )
  }
  return { name, bytes: byteCount(size, '--disk') }
}

/** What a folder holds, with room for what a file system needs itself. */
function mediumOf(folder: string): DiskWish {
  const files = globSync(join(folder, '**', '*'), { withFileTypes: true }).filter(entry => entry.isFile())
  const bytes = files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
  if (files.length > 0)
    return { name: 'medium', bytes: Math.ceil(bytes * 1.1) + 64 * UNITS.M, content: resolve(folder) }
  throw new UsageError('BAD_OPTION', `\`--medium ${folder}\`, expected a folder that holds files`)
}

const UNITS = { M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 } as const

function byteCount(text: string, flag: string): number {
  const [, count, unit] = /^(\d+)([MGT])$/.exec(text) ?? []
  const bytes = Number(count) * (UNITS[unit as keyof typeof UNITS] ?? Number.NaN)
  if (bytes >= UNITS.M) return bytes
  throw new UsageError('BAD_OPTION', `\`${flag}\` has size \`${text}\`, expected one such as 512M or 8G`)
}

const LAST_PORT = 65_535

function portNumber(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port >= 1 && port <= LAST_PORT) return port
  throw new UsageError('BAD_OPTION', `\`--publish\` is \`${text}\`, expected a port number`)
}

function machineLab(host: string, flags: LabFlags): OpenLab {
  const lab = findLab(LABS, flags.lab, host)
  if (lab.kind === 'vm') return lab
  throw new UsageError(
    'BAD_ARGUMENT',
    `\`${host}\` is a container without a kernel or power of its own`,
    'make machines with `msingi lab up --kind vm`',
  )
}

async function interruptibly(work: (place: LabPlace) => Promise<number>): Promise<number> {
  const { signal, release } = interruptible(say)
  try {
    return await work({ root: LABS, cache: LAB_CACHE, say, signal })
  } catch (error) {
    if (signal.aborted) return EXIT.interrupted
    throw error
  } finally {
    release()
  }
}

async function makeContainerLab(wish: LabWish, place: LabPlace): Promise<OpenLab> {
  const { makeContainers } = await import('../lab/containers.ts')
  return makeContainers(wish, place)
}

async function removeContainersOf(lab: OpenLab): Promise<void> {
  const { removeContainers } = await import('../lab/containers.ts')
  await removeContainers(lab)
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}
