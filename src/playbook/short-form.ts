import type { Entry, MapNode, Node, ScalarNode } from '../syntax/node.ts'

/** Modules of which the bare string is a command line, not `key=value` words. */
const COMMANDS: ReadonlySet<string> = new Set(['command', 'shell', 'script', 'raw'])

/** Parameters that may stand beside a command line as `key=value`. */
const COMMAND_PARAMS: ReadonlySet<string> = new Set([
  'creates',
  'removes',
  'chdir',
  'executable',
  'stdin',
  'stdin_add_newline',
  'strip_empty_ends',
])

/** The parameter that holds the command line once there are others beside it. */
export const COMMAND_LINE = 'cmd'

/** A word of a short form that is no `key=value`, although those around it are. */
export interface ShortFormMistake {
  readonly word: string
  readonly node: ScalarNode
}

/**
 * Returns the arguments with Ansible's short form written out: `name=fail2ban state=present` becomes a map. Of a command
 * line only the parameters at its beginning and its end are taken off. Other text stays what it is.
 */
export function expandShortForm(module: string, args: Node): Node | ShortFormMistake {
  if (args.kind !== 'scalar' || typeof args.value !== 'string' || module === 'meta') return args
  const words = splitWords(args.value)
  return COMMANDS.has(module) ? commandArgs(args, args.value, words) : moduleArgs(args, words)
}

interface Word {
  readonly text: string
  readonly start: number
}

function moduleArgs(args: ScalarNode, words: readonly Word[]): Node | ShortFormMistake {
  const first = words[0]
  if (first === undefined || pairOf(first) === undefined) return args
  const entries: Entry[] = []
  for (const word of words) {
    const pair = pairOf(word)
    if (pair === undefined) return { word: word.text, node: part(args, word.start, word.text, word.text) }
    entries.push(entryOf(args, pair))
  }
  return { kind: 'map', entries, at: args.at }
}

function commandArgs(args: ScalarNode, line: string, words: readonly Word[]): Node {
  const isScript = line.trim().includes('\n')
  const firstOther = isScript ? 0 : words.findIndex(word => !isCommandParam(word))
  const from = firstOther < 0 ? words.length : firstOther
  const to = Math.max(from, words.findLastIndex(word => !isCommandParam(word)) + 1)
  if (from === 0 && to === words.length) return args
  const taken = [...words.slice(0, from), ...words.slice(to)]
  const entries = taken.flatMap(word => {
    const pair = pairOf(word)
    return pair ? [entryOf(args, pair)] : []
  })
  const start = words[from]?.start ?? line.length
  const last = words[to - 1]
  if (last !== undefined && to > from) {
    const command = line.slice(start, last.start + last.text.length)
    entries.unshift({
      key: part(args, start, COMMAND_LINE, COMMAND_LINE),
      value: { ...part(args, start, command, command), quoted: true },
    })
  }
  return { kind: 'map', entries, at: args.at }
}

function isCommandParam(word: Word): boolean {
  const pair = pairOf(word)
  return pair !== undefined && COMMAND_PARAMS.has(pair.key)
}

interface Pair {
  readonly key: string
  readonly value: string
  readonly start: number
}

function pairOf(word: Word): Pair | undefined {
  const found = /^([A-Za-z_]\w*)=/.exec(word.text)
  if (!found?.[1]) return undefined
  return { key: found[1], value: word.text.slice(found[0].length), start: word.start }
}

function entryOf(args: ScalarNode, { key, value, start }: Pair): Entry {
  const quote = value[0]
  const isQuoted = value.length > 1 && (quote === '"' || quote === "'") && value.endsWith(quote)
  const inner = isQuoted ? value.slice(1, -1) : value
  const valueStart = start + key.length + 1 + (isQuoted ? 1 : 0)
  const text = unescape(inner)
  return {
    key: part(args, start, key, key),
    value: { ...part(args, valueStart, text, isQuoted ? text : typed(text)), quoted: isQuoted },
  }
}

/** A number is taken for one only where it prints again as it was written: `1.10` and `0644` stay text. */
function typed(text: string): ScalarNode['value'] {
  if (text === 'true' || text === 'false') return text === 'true'
  return text !== '' && String(Number(text)) === text && Number.isFinite(Number(text)) ? Number(text) : text
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '\\': '\\',
  '"': '"',
  "'": "'",
}

function unescape(text: string): string {
  return text.replace(/\\([ntr\\"'])/g, (whole, letter: string) => ESCAPES[letter] ?? whole)
}

function part(args: ScalarNode, start: number, text: string, value: ScalarNode['value']): ScalarNode {
  return {
    kind: 'scalar',
    value,
    text,
    quoted: false,
    at: args.placeOf(start, Math.max(text.length, 1)),
    placeOf: (offset, length) => args.placeOf(start + offset, length),
  }
}

/** A word runs to the next blank that stands neither in quotes nor in `{{ }}` or `{% %}`. */
const WORD =
  /(?:\{\{[\s\S]*?(?:\}\}|$)|\{%[\s\S]*?(?:%\}|$)|"(?:\\[\s\S]|[^"\\])*(?:"|$)|'[^']*(?:'|$)|\\[\s\S]|\S)+/g

function splitWords(line: string): Word[] {
  return [...line.matchAll(WORD)].map(found => ({ text: found[0], start: found.index }))
}

/** Returns the arguments with those of the `args` keyword added; what the module's own key says wins. */
export function mergeArgs(args: Node, more: MapNode): Node {
  if (args.kind === 'list') return args
  const own = args.kind === 'map' ? args.entries : commandEntry(args)
  const names = new Set(own.map(({ key }) => key.value))
  return {
    kind: 'map',
    entries: [...own, ...more.entries.filter(({ key }) => !names.has(key.value))],
    at: args.kind === 'scalar' && args.value === null ? more.at : args.at,
  }
}

function commandEntry(args: ScalarNode): Entry[] {
  return args.value === null ? [] : [{ key: part(args, 0, COMMAND_LINE, COMMAND_LINE), value: args }]
}
