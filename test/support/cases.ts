import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { format, resolveConfig } from 'prettier'
import { parse, parseDocument, type CollectionTag, type ScalarTag } from 'yaml'
import { Secret } from '../../src/base/secret.ts'
import type { LocalEntry, LocalFile, LocalPlace, LocalTree } from '../../src/modules/_local.ts'

/** Set by `npm run golden`: expectations are written instead of compared. */
export const REWRITES = process.env['GOLDEN'] === '1'

export interface CaseFile {
  readonly group: string
  readonly name: string
  readonly path: string
}

/** Returns every `<group>/<name>.yml` below the folder. */
export function casesIn(folder: string): readonly CaseFile[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .flatMap(({ name: group }) =>
      readdirSync(join(folder, group))
        .filter(file => file.endsWith('.yml'))
        .map(file => ({ group, name: file.slice(0, -4), path: join(folder, group, file) })),
    )
}

/** Returns the case as data; `!secret`, `!file`, `!tree` and `!bytes` stand for things YAML has no word for. */
export function readCase(file: CaseFile): Record<string, unknown> {
  return parse(readFileSync(file.path, 'utf8'), { customTags: TAGS }) as Record<string, unknown>
}

/** Replaces the expectations of a case and leaves all else, comments included, as it stands. `undefined` removes one. */
export async function rewriteCase(
  file: CaseFile,
  expectations: Readonly<Record<string, unknown>>,
): Promise<void> {
  const written = readFileSync(file.path, 'utf8')
  const document = parseDocument(written, { logLevel: 'error' })
  for (const [key, value] of Object.entries(expectations)) {
    if (value === undefined) document.delete(key)
    else if (!isDeepStrictEqual((document.toJS() as Record<string, unknown>)[key], value))
      document.set(key, document.createNode(value))
  }
  const text = document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: 100_000, singleQuote: true })
  const pretty = await format(text, { ...(await resolveConfig(file.path)), parser: 'yaml' })
  if (pretty !== written) writeFileSync(file.path, pretty)
}

/** Returns what stands for a file on the controller. */
export function localFile(content: string | Uint8Array, path = 'files/example'): LocalFile {
  const bytes = Buffer.from(content)
  return {
    path,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes: bytes.length,
    content: () => bytes,
  }
}

/** Returns what stands for a folder on the controller. */
export function localTree(entries: readonly TreeEntry[], path = 'files/example'): LocalTree {
  return { path, entries: entries.map(toLocalEntry) }
}

/** Returns what stands for a place on the controller: `/path` or `/path FILE=SUM`. */
export function placeOf(written: string): LocalPlace {
  const [path = '/', ...files] = written.split(' ')
  const sums = new Map(files.map(file => file.split('=', 2) as [string, string]))
  return { path, host: 'server', sumOf: file => sums.get(file) }
}

interface TreeEntry {
  readonly name: string
  readonly kind: LocalEntry['kind']
  readonly mode?: string
  readonly content?: string
  readonly target?: string
}

function toLocalEntry({ name, kind, mode, content, target }: TreeEntry): LocalEntry {
  return {
    name,
    kind,
    mode: Number.parseInt(mode ?? (kind === 'directory' ? '755' : '644'), 8),
    ...(kind === 'file' && { file: localFile(content ?? '', `files/example/${name}`) }),
    ...(target !== undefined && { target }),
  }
}

interface WithJson {
  readonly toJSON: () => TreeEntry[]
}

const TAGS: (ScalarTag | CollectionTag)[] = [
  { tag: '!secret', resolve: text => new Secret(text) },
  { tag: '!file', resolve: text => localFile(text) },
  { tag: '!bytes', resolve: text => new Uint8Array(Buffer.from(text, 'base64')) },
  { tag: '!place', resolve: text => placeOf(text) },
  {
    tag: '!tree',
    collection: 'seq',
    resolve: node => localTree((node as unknown as WithJson).toJSON()),
  },
]
