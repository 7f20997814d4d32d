import { readFileSync, statSync } from 'node:fs'
import { type OnProblem, SourceError } from '../base/error.ts'
import type { Span } from '../base/span.ts'
import type { Node } from './node.ts'
import { parseYaml } from './parse.ts'
import { openFile, type Unsealing } from './sealed.ts'

/** The files of a project, each read and parsed once, and remembered for code frames. */
export interface Sources {
  /** Returns the text, or undefined after reporting why it cannot be had; `from` is where the file is named. */
  readonly read: (file: string, onProblem: OnProblem, from?: Span) => string | undefined
  /** Returns the file's tree; undefined where it is empty or wrong. Problems are reported the first time only. */
  readonly parse: (file: string, onProblem: OnProblem, from?: Span) => Node | undefined
  /** Returns the text of a file read before; of one that is encrypted as a whole there is none to show. */
  readonly textOf: (file: string) => string | undefined
  /** Returns the files asked for so far. */
  readonly names: () => readonly string[]
  /** Returns what lies at the path, or undefined. */
  readonly kindOf: (path: string) => 'file' | 'directory' | undefined
}

/**
 * Returns an empty memory of files. Paths are taken as they are, relative ones against the working directory.
 *
 * @param unsealing - opens what is encrypted; without it encrypted text is text
 */
export function openSources(unsealing?: Unsealing): Sources {
  const texts = new Map<string, string | SourceError>()
  const nodes = new Map<string, Node | undefined>()
  const sealed = new Set<string>()
  const kinds = new Map<string, 'file' | 'directory' | undefined>()

  function read(file: string, onProblem: OnProblem, from?: Span): string | undefined {
    let found = texts.get(file)
    if (found === undefined) {
      found = readText(file, from)
      texts.set(file, found)
      if (found instanceof SourceError) onProblem(found)
    }
    return found instanceof SourceError ? undefined : found
  }

  function parse(file: string, onProblem: OnProblem, from?: Span): Node | undefined {
    if (nodes.has(file)) return nodes.get(file)
    const text = read(file, onProblem, from)
    const node = text === undefined ? undefined : parsed(text, file, onProblem)
    nodes.set(file, node)
    return node
  }

  function parsed(text: string, file: string, onProblem: OnProblem): Node | undefined {
    if (unsealing === undefined) return parseYaml(text, file, onProblem)
    const opened = openFile(text, file, unsealing, onProblem)
    if (opened.isWhole) sealed.add(file)
    return opened.node
  }

  function textOf(file: string): string | undefined {
    const text = texts.get(file)
    return typeof text === 'string' && !sealed.has(file) ? text : undefined
  }

  function kindOf(path: string): 'file' | 'directory' | undefined {
    if (!kinds.has(path)) kinds.set(path, kindAt(path))
    return kinds.get(path)
  }

  return { read, parse, textOf, kindOf, names: () => [...texts.keys()] }
}

function readText(file: string, from: Span | undefined): string | SourceError {
  const at = from ?? { file, line: 1, col: 1, length: 1 }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file))
  } catch (cause) {
    return unreadable(file, at, cause)
  }
}

function unreadable(file: string, at: Span, cause: unknown): SourceError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new SourceError('FILE_NOT_FOUND', at, `there is no file \`${file}\``, {
      hint: 'Check the path; it is relative to the working directory.',
      cause,
    })
  }
  const why =
    code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
      ? 'it is not UTF-8 text'
      : code === 'EISDIR'
        ? 'it is a directory'
        : code === 'EACCES'
          ? 'permission denied'
          : String(code ?? cause)
  return new SourceError('FILE_UNREADABLE', at, `cannot read \`${file}\`: ${why}`, {
    hint: code === 'EACCES' ? 'Let the user you run as read it.' : 'Name a YAML file in UTF-8.',
    cause,
  })
}

function kindAt(path: string): 'file' | 'directory' | undefined {
  try {
    return statSync(path).isDirectory() ? 'directory' : 'file'
  } catch {
    return undefined
  }
}
