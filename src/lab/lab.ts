import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { aligned, cpioArchive } from './archive.ts'
import { LabError } from './error.ts'
import { identityFiles, networkFiles } from './identity.ts'
import { ensureVmImage, IMAGE } from './image.ts'
import { inventoryText, knownHostsText } from './inventory-text.ts'
import { makeKeyPair } from './keys.ts'
import { boot, isRunning } from './machine.ts'
import { FILES, fitsSockets } from './machine-words.ts'
import { killProcesses, labProcesses } from './processes.ts'
import { needPrograms, needSpace, runProgram } from './program.ts'
import { hostFolder, labsIn, loginKey, readLab, writeLab } from './state.ts'
import type { Hardware, Kind, LabHost, OpenLab, System } from './state.ts'

export interface LabWish {
  readonly name: string
  readonly kind: Kind
  readonly os: System
  readonly hosts: number
  readonly hardware: Omit<Hardware, 'image'>
  /** Ports of the hosts to be reached on the controller's loopback. */
  readonly publish: readonly number[]
  readonly packages: readonly string[]
}

/** Where labs live, and what stays between them. */
export interface LabPlace {
  /** The folder of labs. */
  readonly root: string
  readonly cache: string
  readonly say: (text: string) => void
  readonly signal?: AbortSignal | undefined
}

const PROGRAMS = { 'qemu-system-x86_64': 'qemu-system-x86', 'qemu-img': 'qemu-utils' }
const ROOT_BYTES = 16 * 2 ** 30
/** What a machine writes while it boots and is worked on; its disks are sparse. */
const MACHINE_BYTES = 2 ** 30
const BOOTS_AT_ONCE = 2

/**
 * Makes a lab of machines and resolves when all of them answer on SSH. Its state is on disk before anything is started,
 * so that {@link removeLab} clears away whatever a crash leaves.
 *
 * @throws LabError LAB_EXISTS, LAB_NEEDS or TOO_SLOW.
 */
export async function makeMachines(wish: LabWish, place: LabPlace): Promise<OpenLab> {
  const folder = resolve(place.root, wish.name)
  refuseExisting(folder, wish.name)
  await needPrograms({ ...PROGRAMS, ...(wish.hardware.tpm ? { swtpm: 'swtpm' } : {}) })
  mkdirSync(place.root, { recursive: true })
  needSpace(place.root, wish.hosts * MACHINE_BYTES)
  const image = await ensureVmImage({ ...wish, cache: place.cache, say: place.say, signal: place.signal })
  const keys = Array.from({ length: wish.hosts }, makeKeyPair)
  const ports = await freePorts(wish.hosts * (1 + wish.publish.length) + 1)
  const takePort = (): number => ports.pop() ?? 0
  const hosts = keys.map((key, index) => machineHost(`host${index + 1}`, key.open, wish.publish, takePort))
  const lab: OpenLab = {
    format: 1,
    name: wish.name,
    kind: 'vm',
    os: wish.os,
    made: new Date().toISOString(),
    hosts,
    hardware: { ...wish.hardware, image },
    wire: takePort(),
    folder,
  }
  refuseLongPath(lab)
  writeLab(lab)
  const login = writeAccess(lab)
  for (const [index, host] of hosts.entries()) await prepare(lab, host, keys[index]?.secret ?? '', login)
  await bootAll(lab, place)
  return lab
}

/** @throws LabError LAB_EXISTS where the folder holds a lab already. */
export function refuseExisting(folder: string, name: string): void {
  if (!existsSync(join(folder, 'state.json'))) return
  throw new LabError('LAB_EXISTS', `the lab \`${name}\` is there already`, `run \`msingi lab down ${name}\``)
}

/** Ends everything that belongs to the lab and removes its files. A folder without a lab is left alone. */
export async function removeLab(
  folder: string,
  removeContainers: (lab: OpenLab) => Promise<void>,
): Promise<void> {
  const lab = readLab(folder)
  await killProcesses(labProcesses(folder))
  if (lab.kind === 'container') await removeContainers(lab)
  rmSync(folder, { recursive: true, force: true })
}

/** Returns the lab of that name; without a name the one that is there, or of several the one with the host. */
export function findLab(root: string, name: string | undefined, host?: string): OpenLab {
  const labs = labsIn(root)
  const found = labs.filter(lab =>
    name === undefined ? host === undefined || lab.hosts.some(it => it.name === host) : lab.name === name,
  )
  const [only] = found
  if (only !== undefined && found.length === 1) return { ...only, folder: resolve(only.folder) }
  const names = labs.map(lab => `\`${lab.name}\``).join(', ')
  if (found.length > 1) throw new LabError('NO_LAB', `which lab: ${names}?`, 'name it with `--lab`')
  const what = name === undefined ? 'there is no lab with that host' : `there is no lab \`${name}\``
  throw new LabError('NO_LAB', names === '' ? 'there is no lab' : `${what}, there are ${names}`)
}

/** Writes the key that logs in, the inventory and the hosts' keys; returns the public half. */
export function writeAccess(lab: OpenLab): string {
  const pair = makeKeyPair()
  writeFileSync(loginKey(lab), pair.secret, { mode: 0o600 })
  writeInventory(lab)
  return pair.open
}

/** Writes what the other commands read. */
export function writeInventory(lab: OpenLab): void {
  writeFileSync(join(lab.folder, 'inventory.yml'), inventoryText(lab))
  writeFileSync(join(lab.folder, 'known_hosts'), knownHostsText(lab))
}

/** Switches on all machines that are off; emulated ones booting at once only wait for each other. */
export async function bootAll(lab: OpenLab, place: LabPlace): Promise<void> {
  const names = lab.hosts.map(host => host.name).filter(name => !isRunning(lab, name))
  const bootNext = async (): Promise<void> => {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const seconds = await boot(lab, name, { cache: place.cache, signal: place.signal })
      place.say(`${name}: answers after ${Math.round(seconds)} s`)
    }
  }
  await Promise.all(Array.from({ length: BOOTS_AT_ONCE }, bootNext))
}

function machineHost(
  name: string,
  hostKey: string,
  publish: readonly number[],
  takePort: () => number,
): LabHost {
  const published = Object.fromEntries(publish.map(port => [String(port), takePort()]))
  return { name, address: '127.0.0.1', port: takePort(), user: 'ops', hostKey, published }
}

async function prepare(lab: OpenLab, host: LabHost, secret: string, login: string): Promise<void> {
  const { hardware } = lab
  if (hardware === undefined) return
  const folder = hostFolder(lab, host.name)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const names = lab.hosts.map(({ name }) => name)
  const files = [
    ...identityFiles({ name: host.name, hostKey: { secret, open: host.hostKey }, loginKey: login }),
    ...networkFiles(names.indexOf(host.name) + 1, names),
  ]
  const archive = aligned(readFileSync(join(hardware.image, IMAGE.archive)))
  writeFileSync(join(folder, FILES.archive), Buffer.concat([archive, cpioArchive(files, 'throwaway')]), {
    mode: 0o600,
  })
  const root = join(folder, FILES.root)
  const base = join(hardware.image, IMAGE.disk)
  await runProgram(['qemu-img', 'create', '-q', '-f', 'qcow2', '-b', base, '-F', 'qcow2', root], {
    deadlineMs: 30_000,
  })
  // Served as a disk, the file cannot grow: it gets its full length now, without taking room.
  truncateSync(root, ROOT_BYTES)
  for (const disk of hardware.disks) {
    const file = join(folder, `${disk.name}.disk`)
    writeFileSync(file, '')
    truncateSync(file, disk.bytes)
    if (disk.content === undefined) continue
    const words = ['mke2fs', '-q', '-F', '-t', 'ext4', '-L', disk.name, '-d', disk.content, file]
    await runProgram(words, { deadlineMs: 300_000 })
  }
}

function refuseLongPath(lab: OpenLab): void {
  if (lab.hosts.every(host => fitsSockets(lab, host.name))) return
  throw new LabError(
    'LAB_NEEDS',
    `the path \`${lab.folder}\` is too long for sockets`,
    'work in a shorter path',
  )
}

/** Returns ports of the loopback that are free now, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    servers.map(
      server =>
        new Promise<number>((settle, reject) => {
          server.once('error', reject)
          server.listen(0, '127.0.0.1', () => {
            const address = server.address()
            settle(typeof address === 'object' && address ? address.port : 0)
          })
        }),
    ),
  )
  await Promise.all(servers.map(server => new Promise(settle => server.close(settle))))
  return ports
}
