import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LabError } from './error.ts'

/** Systems that throw-away hosts run, and Debian's name for them. */
export const SYSTEMS = { 'debian-12': 'bookworm', 'debian-13': 'trixie' } as const
export type System = keyof typeof SYSTEMS

export type Kind = 'vm' | 'container'

/** A further disk: `data=8G`. */
export interface DiskWish {
  /** Also its serial number. */
  readonly name: string
  readonly bytes: number
  /** Folder whose files it holds when the machine is made, as a medium that somebody has put in; empty where not given. */
  readonly content?: string
}

/** What every machine of a lab has. */
export interface Hardware {
  readonly memory: number
  /** Where not given, what suits the machine: one where it is emulated, else two. */
  readonly cpus?: number
  readonly disks: readonly DiskWish[]
  readonly tpm: boolean
  /** Whether the machine may reach what the controller reaches. */
  readonly internet: boolean
  /** Holds the kernel, its archive and the root disk all machines start from. */
  readonly image: string
}

export interface LabHost {
  readonly name: string
  /** Where sshd answers, seen from the controller. */
  readonly address: string
  readonly port: number
  readonly user: string
  /** `ssh-ed25519 AAAA…`. */
  readonly hostKey: string
  /** Port of the host → port on the controller's loopback; SSH's is not among them. */
  readonly published: Readonly<Record<string, number>>
  /** Identifier of its container. */
  readonly container?: string
}

/** Everything that is known about a lab; beside its inventory it is also the mark that the hosts there may be broken. */
export interface Lab {
  readonly format: 1
  readonly name: string
  readonly kind: Kind
  readonly os: System
  readonly made: string
  readonly hosts: readonly LabHost[]
  readonly hardware?: Hardware
  /** UDP port of the network between the hosts. */
  readonly wire?: number
}

/** A lab and the folder it lives in, absolute. */
export interface OpenLab extends Lab {
  readonly folder: string
}

const STATE = 'state.json'

/** Writes the state; a reader sees the old or the new one, never half of it. */
export function writeLab({ folder, ...lab }: OpenLab): void {
  mkdirSync(folder, { recursive: true })
  const draft = join(folder, `${STATE}.new`)
  writeFileSync(draft, `${JSON.stringify(lab, null, 2)}\n`)
  renameSync(draft, join(folder, STATE))
}

/**
 * Returns the lab of a folder.
 *
 * @throws LabError NOT_A_LAB where the folder holds none.
 */
export function readLab(folder: string): OpenLab {
  const file = join(folder, STATE)
  if (!existsSync(file)) {
    throw new LabError(
      'NOT_A_LAB',
      `\`${folder}\` is not the folder of a lab`,
      'make one with `msingi lab up`',
    )
  }
  return { ...parseLab(readFileSync(file, 'utf8'), file), folder }
}

/** @throws LabError NOT_A_LAB where the text is something else. */
export function parseLab(text: string, file: string): Lab {
  const found = parseJson(text)
  if (!isLab(found)) throw new LabError('NOT_A_LAB', `\`${file}\` does not describe a lab`)
  return found
}

/** Returns the labs below a folder, by name. */
export function labsIn(root: string): readonly OpenLab[] {
  if (!existsSync(root)) return []
  return readdirSync(root)
    .sort()
    .filter(name => existsSync(join(root, name, STATE)))
    .map(name => readLab(join(root, name)))
}

/** @throws LabError NO_SUCH_HOST where the lab has no host of that name. */
export function hostOf(lab: OpenLab, name: string): LabHost {
  const found = lab.hosts.find(host => host.name === name)
  if (found) return found
  const names = lab.hosts.map(host => `\`${host.name}\``).join(', ')
  throw new LabError('NO_SUCH_HOST', `the lab \`${lab.name}\` has no host \`${name}\`, it has ${names}`)
}

/** Returns the folder that holds what belongs to one host. */
export function hostFolder(lab: OpenLab, host: string): string {
  return join(lab.folder, 'hosts', host)
}

/** Returns the file of the private login key of all hosts of the lab. */
export function loginKey(lab: OpenLab): string {
  return join(lab.folder, 'id_ed25519')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isLab(found: unknown): found is Lab {
  if (typeof found !== 'object' || found === null) return false
  const { format, name, kind, hosts, os } = found as Partial<Record<string, unknown>>
  const isKnown = (kind === 'vm' || kind === 'container') && typeof os === 'string' && os in SYSTEMS
  return format === 1 && typeof name === 'string' && isKnown && Array.isArray(hosts) && hosts.every(isHost)
}

function isHost(found: unknown): found is LabHost {
  if (typeof found !== 'object' || found === null) return false
  const { name, address, port, user, hostKey } = found as Partial<Record<string, unknown>>
  return [name, address, user, hostKey].every(text => typeof text === 'string') && typeof port === 'number'
}
