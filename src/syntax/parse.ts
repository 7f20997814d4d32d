import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import { type OnProblem, SourceError } from '../base/error.ts'
import { didYouMean } from '../base/nearest.ts'
import { complaints, unquotedTemplate } from './complaint.ts'
import type { Entry, ListNode, MapNode, Node, ScalarNode } from './node.ts'
import type { ScalarStyle } from './offsets.ts'
import { type Places, placesOf } from './place.ts'
import { parseQuick } from './quick.ts'
import { nothingAt, scalarAt } from './scalar.ts'

/** Tags that a scalar may carry; what they mean is not this room's business. */
export const KNOWN_TAGS: readonly string[] = ['!age', '!vault', '!unsafe']

/** Nodes that aliases may add to a file, so that a few nested aliases cannot stand for billions of values. */
const MOST_ALIASED = 100_000

/**
 * Returns the text's one document as a tree, or undefined where it is empty or cannot be read. Every problem goes to
 * `onProblem`; duplicate keys are reported and their later values dropped, so that the rest can still be checked.
 */
export function parseYaml(text: string, file: string, onProblem: OnProblem): Node | undefined {
  const places = placesOf(file, text)
  return parseQuick(places) ?? parseFully(places, onProblem)
}

/** Returns what `parseYaml` does, by the full parser alone; slower, and never of another mind. */
export function parseFully(places: Places, onProblem: OnProblem): Node | undefined {
  const { text } = places
  const document = parseDocument(text, {
    version: '1.2',
    prettyErrors: false,
    uniqueKeys: false,
    resolveKnownTags: false,
    logLevel: 'error',
  })
  const firstError = Math.min(...document.errors.map(error => error.pos[0]))
  const until = Number.isFinite(firstError) ? text.lastIndexOf('\n', firstError - 1) + 1 : Infinity
  for (const problem of complaints(document, places)) onProblem(problem)
  if (document.contents === null) return undefined
  const walk: Walk = { places, onProblem, anchors: new Map(), count: 0, aliased: 0, until }
  const root = toNode(document.contents, walk)
  return document.errors.length > 0 ? undefined : root
}

interface Walk {
  readonly places: Places
  readonly onProblem: OnProblem
  /** What each anchor stands for; `open` while it is being read. */
  readonly anchors: Map<string, { readonly node: Node; readonly size: number } | 'open'>
  count: number
  aliased: number
  /** Where the line of the first syntax error begins: what is found behind it may be an echo. */
  readonly until: number
}

function report(walk: Walk, problem: SourceError, offset: number): void {
  if (offset < walk.until) walk.onProblem(problem)
}

function toNode(source: unknown, walk: Walk): Node {
  if (isAlias(source)) return aliased(source, walk)
  if (!isMap(source) && !isSeq(source) && !isScalar(source)) return nothingAt(walk.places, 0)
  const anchor = source.anchor
  const before = walk.count
  walk.count++
  if (anchor !== undefined) walk.anchors.set(anchor, 'open')
  const node = isMap(source)
    ? mapNode(source, walk)
    : isSeq(source)
      ? listNode(source, walk)
      : scalarNode(source, walk)
  if (anchor !== undefined) walk.anchors.set(anchor, { node, size: walk.count - before })
  return node
}

function aliased(alias: Alias, walk: Walk): Node {
  const [start, end] = rangeOf(alias)
  const found = walk.anchors.get(alias.source)
  if (found === undefined || found === 'open') {
    const message =
      found === undefined
        ? `there is no anchor \`&${alias.source}\` above this alias`
        : `the alias \`*${alias.source}\` stands inside its own anchor`
    const hint = found === undefined ? didYouMean(alias.source, walk.anchors.keys()) : undefined
    const problem = new SourceError('YAML_SYNTAX', walk.places.span(start, end), message, {
      hint: hint ?? 'Put text that begins with `*` in quotes.',
    })
    report(walk, problem, start)
    return nothingAt(walk.places, start)
  }
  walk.count += found.size
  walk.aliased += found.size
  if (walk.aliased <= MOST_ALIASED) return found.node
  if (walk.aliased - found.size <= MOST_ALIASED) {
    const message = `aliases stand for more than ${MOST_ALIASED} values`
    report(walk, new SourceError('YAML_SYNTAX', walk.places.span(start, end), message), start)
  }
  return nothingAt(walk.places, start)
}

function listNode(list: YAMLSeq, walk: Walk): ListNode {
  const [start, end] = rangeOf(list)
  const items = list.items.map(item => toNode(item, walk))
  checkTag(list, walk, start)
  return { kind: 'list', items, at: walk.places.span(start, list.flow ? end : Infinity) }
}

function mapNode(map: YAMLMap, walk: Walk): MapNode {
  const [start, end] = rangeOf(map)
  const own = new Map<string, Entry>()
  const merged: MapNode[] = []
  checkTag(map, walk, start)
  for (const pair of map.items) readPair(pair, own, merged, walk)
  const entries = [...own.values()]
  for (const { entries: others } of merged) {
    for (const entry of others) {
      const name = String(entry.key.value)
      if (own.has(name)) continue
      own.set(name, entry)
      entries.push(entry)
    }
  }
  return { kind: 'map', entries, at: walk.places.span(start, map.flow ? end : Infinity) }
}

function readPair(pair: Pair, own: Map<string, Entry>, merged: MapNode[], walk: Walk): void {
  const key = readKey(pair.key, walk)
  if (key === undefined) return
  const value = pair.value === null ? nothingAt(walk.places, rangeOf(pair.key)[1]) : toNode(pair.value, walk)
  if (key.value === '<<' && !key.quoted) {
    mergeInto(value, merged, walk)
    return
  }
  const name = String(key.value)
  const first = own.get(name)
  if (first === undefined) {
    own.set(name, { key, value })
    return
  }
  const problem = new SourceError('DUPLICATE_KEY', key.at, `\`${name}\` stands twice in this map`, {
    hint: `Remove one of them; the first is in line ${first.key.at.line}.`,
    related: [first.key.at],
  })
  report(walk, problem, rangeOf(pair.key)[0])
}

function readKey(source: unknown, walk: Walk): ScalarNode | undefined {
  const key = toNode(source, walk)
  if (key.kind === 'scalar') return key
  const [start, end] = rangeOf(source)
  const { text } = walk.places
  const isTemplate = text[start] === '{' && text[start - 1] === '{'
  const problem = isTemplate
    ? unquotedTemplate(walk.places, start - 1)
    : new SourceError('YAML_SYNTAX', walk.places.span(start, end), `a ${key.kind} as a key, expected text`)
  report(walk, problem, start)
  return undefined
}

function mergeInto(value: Node, merged: MapNode[], walk: Walk): void {
  const parts = value.kind === 'list' ? value.items : [value]
  for (const part of parts) {
    if (part.kind === 'map') merged.push(part)
    else
      walk.onProblem(
        new SourceError('YAML_SYNTAX', part.at, `\`<<\` merges a ${part.kind}, expected a map`, {
          hint: 'Name a map by its alias, such as `<<: *defaults`.',
        }),
      )
  }
}

function checkTag(node: YAMLMap | YAMLSeq | Scalar, walk: Walk, start: number): string | undefined {
  const tag = node.tag
  if (tag === undefined || tag.startsWith('tag:yaml.org,2002:')) return undefined
  if (isScalar(node) && KNOWN_TAGS.includes(tag)) return tag
  const from = Math.max(walk.places.text.lastIndexOf(tag, start), 0)
  const message = isScalar(node) ? `unknown tag \`${tag}\`` : `the tag \`${tag}\` on a list or map`
  const hint = didYouMean(tag, KNOWN_TAGS) ?? `Remove the tag, or use one of ${KNOWN_TAGS.join(', ')}.`
  const at = walk.places.span(from, from + tag.length)
  report(walk, new SourceError('YAML_SYNTAX', at, message, { hint }), from)
  return undefined
}

function scalarNode(scalar: Scalar, walk: Walk): ScalarNode {
  const [start, end] = rangeOf(scalar)
  const style = STYLES[scalar.type ?? 'PLAIN'] ?? 'plain'
  const tag = scalar.tag === undefined ? undefined : checkTag(scalar, walk, start)
  return scalarAt(walk.places, { style, start, end, text: scalar.source ?? '', value: scalar.value, tag })
}

const STYLES: Readonly<Record<string, ScalarStyle>> = {
  PLAIN: 'plain',
  QUOTE_SINGLE: 'single',
  QUOTE_DOUBLE: 'double',
  BLOCK_LITERAL: 'literal',
  BLOCK_FOLDED: 'folded',
}

function rangeOf(node: unknown): readonly [start: number, end: number] {
  const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : undefined
  return range ? [range[0], range[1]] : [0, 0]
}
