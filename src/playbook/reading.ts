import { type OnProblem, SourceError } from '../base/error.ts'
import type { Span } from '../base/span.ts'
import type { Sources } from '../syntax/files.ts'
import type { Entry, MapNode, Node } from '../syntax/node.ts'
import { insteadOf, type Level, shapeOf } from './keywords.ts'
import type { Include, Item, Keywords, Role, Task } from './model.ts'

/** What reading a file of a playbook needs to know; one for each file that is open. */
export interface Reading {
  readonly sources: Sources
  readonly onProblem: OnProblem
  /** Names of modules, aliases included. */
  readonly knownModules: ReadonlySet<string>
  readonly playbookDir: string
  /** Folders that hold `roles/`, besides the playbook's own. */
  readonly roots: readonly string[]
  readonly file: string
  readonly roleDir: string | undefined
  /** The files that led here, outermost first, each with the place that names the next one. */
  readonly chain: readonly Link[]
  readonly cache: Cache
  /** What stands in the lists of the file: handlers have a keyword more than tasks. */
  readonly level: 'task' | 'handler'
  /** Reads a list of tasks, blocks and includes; every file is entered through it. */
  readonly readItems: (list: Node | undefined, reading: Reading) => readonly Item[]
}

export interface Link {
  readonly file: string
  /** Where the file was named. */
  readonly at: Span
}

/** What was read before, by file or folder. */
export interface Cache {
  /** Where each include was read, for those of which the target is known at run time only. */
  readonly includes: WeakMap<Include, Reading>
  readonly items: Map<string, readonly Item[]>
  readonly handlers: Map<string, readonly Task[]>
  readonly roles: Map<string, Role>
}

export function report(reading: Reading, ...problem: ConstructorParameters<typeof SourceError>): void {
  reading.onProblem(new SourceError(...problem))
}

/** Reports a keyword's value that is not what the keyword takes; tells whether it is right. */
export function checkKeyword(reading: Reading, level: Level, { key, value }: Entry): boolean {
  const wrong = shapeOf(level, String(key.value))?.(value)
  if (wrong === undefined) return true
  report(reading, 'BAD_VALUE', wrong.at, `\`${key.text}\` is ${wrong.message}`, { hint: wrong.hint })
  return false
}

/**
 * Returns the keywords among the map's keys, those of `own` left out; everything else is reported as unknown.
 */
export function readKeywords(reading: Reading, level: Level, map: MapNode, own: readonly string[]): Keywords {
  const keywords = new Map<string, Node>()
  for (const entry of map.entries) {
    const word = String(entry.key.value)
    if (own.includes(word)) continue
    if (shapeOf(level, word) === undefined) unknownKeyword(reading, level, entry)
    else if (checkKeyword(reading, level, entry)) keywords.set(word, entry.value)
  }
  return keywords
}

export function unknownKeyword(
  reading: Reading,
  level: Level,
  { key }: Entry,
  others: Iterable<string> = [],
): void {
  const word = String(key.value)
  const place = { import_playbook: '`import_playbook`', import: 'an import', include: 'an include' }
  const where = Object.hasOwn(place, level) ? place[level as keyof typeof place] : `a ${level}`
  report(reading, 'UNKNOWN_KEYWORD', key.at, `\`${word}\` is no keyword of ${where}`, {
    hint: insteadOf(word, level, others),
  })
}

/**
 * Returns the files that lead into the file once it is named at that place, or undefined, after a report, where the file
 * is open already and would include itself.
 */
export function chainInto(file: string, at: Span, reading: Reading): readonly Link[] | undefined {
  const chain = [...reading.chain, { file: reading.file, at }]
  const from = chain.findIndex(open => open.file === file)
  if (from < 0) return chain
  const circle = chain.slice(from)
  const route = [...circle.map(open => open.file), file].join(' → ')
  report(reading, 'RECURSIVE_INCLUDE', at, `this file leads to itself: ${route}`, {
    hint: 'Take one of these includes out.',
    related: circle.slice(0, -1).map(open => open.at),
  })
  return undefined
}
