import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

/** The folder that holds `src`, `test` and the rest. */
export const ROOT = resolve(import.meta.dirname, '../..')

/** One `import` or `export … from` of a file. */
export interface Import {
  /** As written between the quotes. */
  readonly specifier: string
  /** Path of the imported file relative to the root; undefined for packages and `node:` names. */
  readonly file: string | undefined
  readonly line: number
}

export interface SourceFile {
  /** Relative to the root. */
  readonly path: string
  readonly text: string
  readonly imports: readonly Import[]
}

/** Returns all TypeScript files below a folder of the project, sorted by path. */
export function sourceTree(folder: string): readonly SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts') && !name.includes('node_modules'))
    .sort()
    .map(name => sourceFile(join(folder, name)))
}

function sourceFile(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), 'utf8')
  return { path, text, imports: importsOf(path, text) }
}

// Prettier writes every import with single quotes and `from` before the name, so text search is exact enough; the
// type checker would see no type-only import of a file that does not exist either way.
const IMPORT = /^(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?'(?<name>[^']+)'|\bimport\('(?<lazy>[^']+)'\)/gm

function importsOf(path: string, text: string): readonly Import[] {
  return [...text.matchAll(IMPORT)].map(match => {
    const specifier = match.groups?.['name'] ?? match.groups?.['lazy'] ?? ''
    return {
      specifier,
      file: specifier.startsWith('.') ? resolveFile(path, specifier) : undefined,
      line: text.slice(0, match.index).split('\n').length,
    }
  })
}

function resolveFile(from: string, specifier: string): string {
  return relative(ROOT, resolve(ROOT, from, '..', specifier))
}
