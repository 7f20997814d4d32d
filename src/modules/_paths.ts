import { TaskError } from '../base/error.ts'
import { followed, type FileStat, type Stat } from '../probes/stat.ts'

/** Returns the folder the path lies in. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}

/** Returns the last step of the path. */
export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** Returns the path of something in the folder. */
export function inside(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`
}

/** Returns the folders above the path, the outermost first, `/` left out. */
export function foldersAbove(path: string): readonly string[] {
  const steps = path.split('/').slice(1, -1)
  return steps.map((_, index) => `/${steps.slice(0, index + 1).join('/')}`)
}

/**
 * Makes sure that something can be made at the path.
 *
 * @throws TaskError with code `PARENT_MISSING` or `PARENT_NOT_DIRECTORY`.
 */
export function requireFolder(path: string, folder: Stat): void {
  const seen = followed(folder)
  if (!seen) {
    throw new TaskError(
      'PARENT_MISSING',
      `the folder \`${folderOf(path)}\` of \`${path}\` is not there`,
      `make it first with \`file: {path: ${folderOf(path)}, state: directory}\``,
    )
  }
  if (seen.kind !== 'directory') {
    throw new TaskError('PARENT_NOT_DIRECTORY', `\`${folderOf(path)}\` is a ${seen.kind}, not a folder`)
  }
}

/** Returns the path that a change must be made at so that a symbolic link stays one: where it leads to. */
export function realPath(path: string, seen: FileStat | null): string {
  return seen?.kind === 'link' ? (seen.real ?? path) : path
}
