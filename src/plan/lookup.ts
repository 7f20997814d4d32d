import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, readlinkSync, statSync, lstatSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import type { LocalEntry, LocalFile, LocalPlace, LocalTree } from '../modules/_local.ts'

const files = new Map<string, LocalFile>()

/** Returns where the named file or folder lies, searched as Ansible does: `files/`, `templates/` or `vars/` of each place, then the place itself. */
export function findLocal(
  name: string,
  folder: 'files' | 'templates' | 'vars',
  places: readonly string[],
): string | undefined {
  const expanded = name.startsWith('~/') ? join(homedir(), name.slice(2)) : name
  const candidates = isAbsolute(expanded)
    ? [expanded]
    : places.flatMap(place => [join(place, folder, expanded), resolve(place, expanded)])
  return candidates.find(candidate => statSync(candidate, { throwIfNoEntry: false }) !== undefined)
}

/** Returns the file or folder with checksums; a file is read once in the life of the process. */
export function readLocal(path: string): LocalFile | LocalTree {
  return statSync(path).isDirectory() ? { path, entries: walk(path, '') } : readLocalFile(path)
}

/** Returns the file with its checksum. */
export function readLocalFile(path: string): LocalFile {
  const known = files.get(path)
  if (known) return known
  const content = readFileSync(path)
  const file: LocalFile = {
    path,
    sha256: createHash('sha256').update(content).digest('hex'),
    bytes: content.length,
    mode: statSync(path).mode & 0o7777,
    content: () => content,
  }
  files.set(path, file)
  return file
}

/** Returns the checksum of every file of the controller that was read, by path. */
export function localChecksums(): Readonly<Record<string, string>> {
  return Object.fromEntries([...files].map(([path, file]) => [path, file.sha256]))
}

/** Returns a place on the controller; what lies there is read whenever it is asked for. */
export function openPlace(written: string, from: string, host: string): LocalPlace {
  const expanded = written.startsWith('~/') ? join(homedir(), written.slice(2)) : written
  const path = resolve(from, expanded)
  return {
    path: written.endsWith('/') && path !== '/' ? `${path}/` : path,
    host,
    sumOf: file =>
      statSync(file, { throwIfNoEntry: false })?.isFile() === true
        ? createHash('sha256').update(readFileSync(file)).digest('hex')
        : undefined,
  }
}

function walk(root: string, below: string): LocalEntry[] {
  const names = readdirSync(join(root, below)).sort()
  return names.flatMap((entry): LocalEntry[] => {
    const name = below === '' ? entry : `${below}/${entry}`
    const path = join(root, name)
    const info = lstatSync(path)
    const mode = info.mode & 0o7777
    if (info.isSymbolicLink()) return [{ name, kind: 'link', mode, target: readlinkSync(path) }]
    if (info.isDirectory()) return [{ name, kind: 'directory', mode }, ...walk(root, name)]
    return info.isFile() ? [{ name, kind: 'file', mode, file: readLocalFile(path) }] : []
  })
}
