import { didYouMean, nearest } from '../base/nearest.ts'
import type { Entry, MapNode, Node, ScalarNode } from '../syntax/node.ts'
import { insteadOf, keywordsOf, shapeOf } from './keywords.ts'
import type { Task } from './model.ts'
import { checkKeyword, type Reading, report, unknownKeyword } from './reading.ts'
import { isNull, shown, text, words } from './shape.ts'
import { expandShortForm, mergeArgs } from './short-form.ts'

/** What may stand before a module's or include's name. */
export const PREFIX_PATTERN = String.raw`(?:ansible\.(?:builtin|legacy|posix)|community\.(?:general|docker|crypto))\.`
const PREFIX = new RegExp(`^${PREFIX_PATTERN}`)

/** Returns a module's or include's name without the prefixes of Ansible's collections. */
export function bareName(key: ScalarNode): string {
  return String(key.value).replace(PREFIX, '')
}

/** Returns the task, or undefined where no module can be told; every problem in it is reported. */
export function readTask(map: MapNode, reading: Reading): Task | undefined {
  const { level } = reading
  const keywords = new Map<string, Node>()
  const modules: Entry[] = []
  const unknown: Entry[] = []
  for (const entry of map.entries) {
    const word = String(entry.key.value)
    if (isOwnKey(word, level)) continue
    if (shapeOf(level, word) !== undefined) {
      if (checkKeyword(reading, level, entry)) keywords.set(word, entry.value)
    } else if (reading.knownModules.has(bareName(entry.key))) modules.push(entry)
    else unknown.push(entry)
  }
  const entry = chooseModule(map, modules, unknown, reading)
  checkLoopControl(keywords.get('loop_control'), reading)
  const name = readName(map, reading)
  if (entry === undefined) return undefined
  return {
    kind: 'task',
    at: map.at,
    name,
    module: bareName(entry.key),
    moduleKey: entry.key,
    args: readArgs(map, entry, reading),
    keywords,
    listen: level === 'handler' ? readWords(map, 'listen', reading) : [],
  }
}

function isOwnKey(word: string, level: 'task' | 'handler'): boolean {
  return word === 'name' || word === 'args' || (word === 'listen' && level === 'handler')
}

/** Reports what cannot be the module; returns the one key that is. */
function chooseModule(
  map: MapNode,
  modules: readonly Entry[],
  unknown: readonly Entry[],
  reading: Reading,
): Entry | undefined {
  const [first, ...more] = modules
  for (const other of more) {
    const hint = 'Make a task of its own for each module.'
    const message = `\`${other.key.text}\` is a second module in this task`
    report(reading, 'TWO_MODULES', other.key.at, message, { hint, related: first ? [first.key.at] : [] })
  }
  let takenForModule = false
  for (const entry of unknown) {
    if (first === undefined && !takenForModule && looksLikeModule(entry, reading)) {
      takenForModule = true
      unknownModule(entry, reading)
    } else unknownKeyword(reading, reading.level, entry, reading.knownModules)
  }
  if (first === undefined && !takenForModule && unknown.length === 0) {
    report(reading, 'NO_MODULE', map.at, 'this task names no module', {
      hint: 'Add the key of a module, such as `apt:`.',
    })
  }
  return first
}

/** A word that is near a keyword, or known as another level's, is a keyword gone wrong; any other stands for a module. */
function looksLikeModule({ key }: Entry, reading: Reading): boolean {
  const word = bareName(key)
  const keywords = keywordsOf(reading.level)
  const near = nearest(word, [...reading.knownModules, ...keywords])
  if (near !== undefined) return reading.knownModules.has(near)
  return insteadOf(word, reading.level) === undefined
}

function unknownModule({ key }: Entry, reading: Reading): void {
  const hint = didYouMean(bareName(key), reading.knownModules) ?? 'Run `msingi modules` to see all of them.'
  report(reading, 'UNKNOWN_MODULE', key.at, `there is no module \`${key.text}\``, { hint })
}

function readArgs(map: MapNode, entry: Entry, reading: Reading): Node {
  const expanded = expandShortForm(bareName(entry.key), entry.value)
  const more = map.entries.find(({ key }) => key.value === 'args')?.value
  let args = entry.value
  if ('word' in expanded) {
    report(
      reading,
      'BAD_VALUE',
      expanded.node.at,
      `\`${expanded.word}\` stands among \`key=value\` words, expected \`key=value\``,
      { hint: 'Put a value with blanks in quotes, or write the parameters as a map.' },
    )
  } else args = expanded
  if (more === undefined || isNull(more)) return args
  if (more.kind === 'map') return mergeArgs(args, more)
  report(reading, 'BAD_VALUE', more.at, `\`args\` is ${shown(more)}, expected a map`)
  return args
}

/** Returns the name of a play, task or block. */
export function readName(map: MapNode, reading: Reading): ScalarNode | undefined {
  const node = map.entries.find(({ key }) => key.value === 'name')?.value
  if (node === undefined || isNull(node)) return undefined
  const wrong = text(node)
  if (wrong) report(reading, 'BAD_VALUE', wrong.at, `\`name\` is ${wrong.message}`)
  return node.kind === 'scalar' && !wrong ? node : undefined
}

function readWords(map: MapNode, word: string, reading: Reading): readonly ScalarNode[] {
  const node = map.entries.find(({ key }) => key.value === word)?.value
  if (node === undefined) return []
  const wrong = words(node)
  if (wrong) report(reading, 'BAD_VALUE', wrong.at, `\`${word}\` is ${wrong.message}`, { hint: wrong.hint })
  const items = node.kind === 'list' ? node.items : [node]
  return wrong ? [] : items.filter(item => item.kind === 'scalar')
}

/** Keys of `loop_control`. */
export const LOOP_CONTROL: readonly string[] = ['loop_var', 'index_var', 'label', 'break_when']

/** Reports the keys of `loop_control` that nobody would read. */
export function checkLoopControl(node: Node | undefined, reading: Reading): void {
  if (node?.kind !== 'map') return
  for (const { key, value } of node.entries) {
    const word = String(key.value)
    if (!LOOP_CONTROL.includes(word)) {
      const hint = didYouMean(word, LOOP_CONTROL) ?? insteadOf(word, 'task')
      report(reading, 'UNKNOWN_KEYWORD', key.at, `\`${word}\` is no keyword of \`loop_control\``, { hint })
    } else if (value.kind !== 'scalar' || (word.endsWith('_var') && !/^[A-Za-z_]\w*$/.test(value.text))) {
      report(reading, 'BAD_VALUE', value.at, `\`${word}\` is ${shown(value)}, expected a name`)
    }
  }
}
