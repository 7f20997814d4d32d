import { dirname } from 'node:path'

export interface IdentityFile {
  /** Absolute, on the host. */
  readonly path: string
  readonly content: string
  readonly mode: number
}

/**
 * Returns the files as a cpio archive of the kind the kernel unpacks before a machine's first program runs. It can stand
 * behind another such archive.
 */
export function cpioArchive(files: readonly IdentityFile[], under: string): Buffer {
  const paths = files.map(file => `${under}${file.path}`)
  const folders = [...new Set(paths.flatMap(ancestors))].sort()
  const entries = [
    ...folders.map(path => entry(path, 0o040_755, Buffer.alloc(0))),
    ...files.map(file => entry(`${under}${file.path}`, 0o100_000 | file.mode, Buffer.from(file.content))),
    entry('TRAILER!!!', 0, Buffer.alloc(0)),
  ]
  return Buffer.concat(entries)
}

function ancestors(path: string): readonly string[] {
  const parent = dirname(path)
  return parent === '.' || parent === '/' ? [] : [...ancestors(parent), parent]
}

/** No clock is asked; files of 1970 alarm people and programs. 2024-01-01. */
const LONG_AGO = 1_704_067_200

let inode = 0

function entry(path: string, mode: number, content: Buffer): Buffer {
  inode += 1
  const name = Buffer.from(`${path}\0`)
  const fields = [inode, mode, 0, 0, 1, LONG_AGO, content.length, 0, 0, 0, 0, name.length, 0]
  const header = `070701${fields.map(value => value.toString(16).padStart(8, '0')).join('')}`
  return Buffer.concat([aligned(Buffer.concat([Buffer.from(header), name])), aligned(content)])
}

/** Returns the bytes filled up to a multiple of four. */
export function aligned(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)])
}
