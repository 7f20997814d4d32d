import { readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { showSpan, type Span } from '../base/span.ts'
import { printableLine } from '../report/printable.ts'
import { plural } from '../report/quantity.ts'
import { isLiteral, isSecretName, keyMaterialIn } from '../secrets/plaintext.ts'
import { asBoolean } from '../syntax/boolean.ts'
import type { Sources } from '../syntax/files.ts'
import { get, type MapNode, type Node } from '../syntax/node.ts'
import { parseYaml } from '../syntax/parse.ts'
import { projectFiles } from './project-files.ts'

/** A secret that lies open; the value itself is never told. */
interface Finding {
  readonly at: Span
  readonly what: string
}

/** Ends a line that looks like a secret and is none. */
const REMARK = /#\s*not a secret\b/i

/** Looks for secrets in plain text: by the names of keys, by the parameters of roles, by what keys look like. */
export function checkPlaintext(paths: readonly string[]): {
  readonly text: string
  readonly isClean: boolean
} {
  const files = projectFiles(paths).map(file => ({ file, text: readFileSync(file, 'utf8') }))
  const trees = files.flatMap(({ file, text }) => {
    const node = /\.ya?ml$/.test(file) && !isSealed(text) ? parseYaml(text, file, ignore) : undefined
    return node === undefined ? [] : [{ file, text, node }]
  })
  const declared = new Set(trees.flatMap(({ file, node }) => secretParams(file, node)))
  const found = [
    ...trees.flatMap(({ file, text, node }) => openValues(node, text, isSignature(file), declared)),
    ...files.flatMap(({ file, text }) => openKeys(file, text)),
  ]
  const distinct = [
    ...new Map(found.map(finding => [`${finding.at.file}:${finding.at.line}`, finding])).values(),
  ]
  const lines = distinct.map(({ at, what }) => printableLine(`${showSpan(at)}: ${what}`))
  return {
    text: [...lines, summary(distinct.length, files.length), ''].join('\n'),
    isClean: lines.length === 0,
  }
}

/** Returns how many values look like secrets in the YAML that a project was read from. */
export function countPlaintext(sources: Sources): number {
  return sources.names().reduce((sum, file) => {
    const text = /\.ya?ml$/.test(file) ? sources.textOf(file) : undefined
    const node = text === undefined ? undefined : sources.parse(file, ignore)
    if (text === undefined || node === undefined) return sum
    return sum + openValues(node, text, isSignature(file), new Set()).length
  }, 0)
}

function summary(found: number, files: number): string {
  return found === 0
    ? `no secret in plain text: ${plural(files, 'file')}`
    : `${plural(found, 'secret')} in plain text; encrypt with \`msingi secrets encrypt\`, or end the line with \`# not a secret\``
}

function ignore(): void {
  // What is wrong with a file is the business of lint.
}

function isSealed(text: string): boolean {
  return /^\s*(?:-----BEGIN AGE|\$ANSIBLE_VAULT;)/.test(text)
}

function isSignature(file: string): boolean {
  return basename(file) === 'role.yml' && basename(dirname(dirname(file))) === 'roles'
}

function secretParams(file: string, node: Node): readonly string[] {
  const params = isSignature(file) && node.kind === 'map' ? get(node, 'params') : undefined
  if (params?.kind !== 'map') return []
  return params.entries.flatMap(({ key, value }) => {
    const mark = value.kind === 'map' ? get(value, 'secret') : undefined
    return mark !== undefined && asBoolean(mark) === true ? [String(key.value)] : []
  })
}

/** A signature tells about parameters; only its defaults are values. */
function openValues(
  node: Node,
  text: string,
  isSignatureFile: boolean,
  declared: ReadonlySet<string>,
): readonly Finding[] {
  const suspect = (name: string, value: Node): readonly Finding[] =>
    declared.has(name) || isSecretName(name) ? literalsIn(name, value, declared.has(name)) : []
  const params = isSignatureFile && node.kind === 'map' ? get(node, 'params') : undefined
  const found =
    params?.kind === 'map'
      ? params.entries.flatMap(({ key, value }) => {
          const initial = value.kind === 'map' ? get(value, 'default') : undefined
          return initial === undefined ? [] : suspect(String(key.value), initial)
        })
      : [...entriesOf(node)].flatMap(({ key, value }) => suspect(String(key.value), value))
  if (found.length === 0) return found
  const lines = text.split('\n')
  return found.filter(({ at }) => !REMARK.test(lines[at.line - 1] ?? ''))
}

function* entriesOf(node: Node): Generator<MapNode['entries'][number], void> {
  if (node.kind === 'list') for (const item of node.items) yield* entriesOf(item)
  if (node.kind !== 'map') return
  if (get(node, 'sops')?.kind === 'map') return
  for (const entry of node.entries) {
    yield entry
    yield* entriesOf(entry.value)
  }
}

function literalsIn(name: string, value: Node, isDeclared: boolean): readonly Finding[] {
  if (value.kind === 'list') return value.items.flatMap(item => literalsIn(name, item, isDeclared))
  if (value.kind === 'map') return []
  const { value: plain, text, tag, at } = value
  const isText = typeof plain === 'string' || (isDeclared && typeof plain === 'number')
  if (!isText || value.secret !== undefined || tag === '!age' || tag === '!vault' || !isLiteral(text))
    return []
  return [{ at, what: isDeclared ? `\`${name}\` is a secret of a role` : `\`${name}\` looks like a secret` }]
}

function openKeys(file: string, text: string): readonly Finding[] {
  if (text.includes('\0') || isSealed(text) || keyMaterialIn(text) === undefined) return []
  return text.split('\n').flatMap((line, index) => {
    const what = keyMaterialIn(line)
    if (what === undefined || REMARK.test(line)) return []
    return [{ at: { file, line: index + 1, col: 1, length: line.length }, what: `this looks like ${what}` }]
  })
}
