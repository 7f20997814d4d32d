import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../base/error.ts'

/** Folders that hold nothing a person wrote. */
const NOT_OURS = new Set(['node_modules', '.git', '.msingi', 'dist', 'coverage'])

/** Larger files are archives and images. */
const LARGEST = 1024 * 1024

/**
 * Returns the files of these paths, folders walked through.
 *
 * @throws UsageError BAD_ARGUMENT where one is not there.
 */
export function projectFiles(paths: readonly string[]): readonly string[] {
  return paths.flatMap(path => {
    const found = statSync(path, { throwIfNoEntry: false })
    if (found === undefined) throw new UsageError('BAD_ARGUMENT', `there is no \`${path}\``)
    return found.isDirectory() ? filesIn(path) : [path]
  })
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(entry => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : filesIn(path)
      return entry.isFile() && !entry.name.endsWith('~') && statSync(path).size <= LARGEST ? [path] : []
    })
}
