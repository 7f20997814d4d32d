import type { Builtin } from './builtin.ts'
import { BadArgument, integerOf, isTruthy, listOf, mapOf, textOf } from './builtin.ts'
import { compare, isEqual } from './builtin-choice.ts'
import { follow, isMap } from './value.ts'

const LONGEST_RANGE = 10_000

/** Functions that work on lists and maps. */
export const list: Readonly<Record<string, Builtin>> = {
  length: {
    params: ['value'],
    about: 'How many characters, items or keys there are. Conditions also have `size(value)`.',
    handsOn: true,
    call: length,
    examples: [{ template: "{{length 'four'}}", cel: "length('four')", gives: 4 }],
  },
  size: {
    params: ['value'],
    about: 'The same as `length`.',
    handsOn: true,
    celHasIt: true,
    call: length,
    examples: [{ template: "{{size (list 'a' 'b')}}", cel: "size(['a', 'b'])", gives: 2 }],
  },
  list: {
    params: ['item…'],
    about: 'A list of the values. Conditions write `[a, b]`.',
    handsOn: true,
    call: (...items) => items,
    examples: [{ template: '{{list 1 2}}', cel: 'list(1, 2)', gives: [1, 2] }],
  },
  dict: {
    params: ['key=value…'],
    about: "A map of the values. Conditions write `{'key': value}`.",
    handsOn: true,
    open: true,
    call: (...pairs) => dict(pairs),
    examples: [{ template: "{{dict a=1 b='x'}}", gives: { a: 1, b: 'x' } }],
  },
  get: {
    params: ['value', 'key', 'fallback?'],
    about: 'The value of a key or the item at a position; the fallback where there is none.',
    handsOn: true,
    call: (value, key, fallback) => at(value, key, fallback),
    examples: [{ template: "{{get (dict a=1) 'a'}}", cel: "get({'a': 1}, 'a')", gives: 1 }],
  },
  first: {
    params: ['list'],
    about: 'The first item.',
    handsOn: true,
    call: value => end(value, 0),
    examples: [{ template: "{{first (list 'a' 'b')}}", cel: "first(['a', 'b'])", gives: 'a' }],
  },
  last: {
    params: ['list'],
    about: 'The last item.',
    handsOn: true,
    call: value => end(value, -1),
    examples: [{ template: "{{last (list 'a' 'b')}}", cel: "last(['a', 'b'])", gives: 'b' }],
  },
  slice: {
    params: ['list', 'from', 'to?'],
    about:
      'The items from one position up to, not including, another; negative positions count from the end.',
    handsOn: true,
    call: (value, from, to) =>
      listOf(value).slice(integerOf(from), to === undefined ? undefined : integerOf(to)),
    examples: [{ template: '{{slice (list 1 2 3) 1}}', cel: 'slice([1, 2, 3], 1)', gives: [2, 3] }],
  },
  join: {
    params: ['list', 'separator?'],
    about: 'The items as one text, with the separator between them.',
    call: (value, separator) =>
      listOf(value)
        .map(item => textOf(item, 'every item'))
        .join(separator === undefined ? '' : textOf(separator)),
    examples: [{ template: "{{join (list 'a' 'b') ', '}}", cel: "join(['a', 'b'], ', ')", gives: 'a, b' }],
  },
  reverse: {
    params: ['list'],
    about: 'The items in the opposite order.',
    handsOn: true,
    call: value => listOf(value).toReversed(),
    examples: [{ template: '{{reverse (list 1 2)}}', cel: 'reverse([1, 2])', gives: [2, 1] }],
  },
  unique: {
    params: ['list'],
    about: 'The items without repetitions, each where it came first.',
    call: value => unique(listOf(value)),
    examples: [{ template: '{{unique (list 1 2 1)}}', cel: 'unique([1, 2, 1])', gives: [1, 2] }],
  },
  sort: {
    params: ['list', 'key?'],
    about:
      'The items in order: numbers by size, texts by character code. With a key, maps by the value of that key.',
    call: (value, key) => sort(listOf(value), key),
    examples: [{ template: '{{sort (list 10 9 1)}}', cel: 'sort([10, 9, 1])', gives: [1, 9, 10] }],
  },
  flatten: {
    params: ['list'],
    about: 'The items of the lists inside the list, at any depth.',
    call: value => listOf(value).flat(Infinity),
    examples: [
      { template: '{{flatten (list 1 (list 2 3))}}', cel: 'flatten([1, [2, 3]])', gives: [1, 2, 3] },
    ],
  },
  union: {
    params: ['a', 'b'],
    about: 'The items of either list, without repetitions.',
    call: (a, b) => unique([...listOf(a), ...listOf(b)]),
    examples: [
      { template: '{{union (list 1 2) (list 2 3)}}', cel: 'union([1, 2], [2, 3])', gives: [1, 2, 3] },
    ],
  },
  intersect: {
    params: ['a', 'b'],
    about: 'The items that are in both lists, without repetitions.',
    call: (a, b) => unique(listOf(a)).filter(item => includes(listOf(b), item)),
    examples: [
      { template: '{{intersect (list 1 2) (list 2 3)}}', cel: 'intersect([1, 2], [2, 3])', gives: [2] },
    ],
  },
  difference: {
    params: ['a', 'b'],
    about: 'The items of the first list that are not in the second, without repetitions.',
    call: (a, b) => unique(listOf(a)).filter(item => !includes(listOf(b), item)),
    examples: [
      { template: '{{difference (list 1 2) (list 2 3)}}', cel: 'difference([1, 2], [2, 3])', gives: [1] },
    ],
  },
  contains: {
    params: ['value', 'part'],
    about: 'Whether a list has the item, a map the key, or a text the part.',
    call: contains,
    examples: [{ template: "{{contains (list 'a') 'a'}}", cel: "contains(['a'], 'a')", gives: true }],
  },
  range: {
    params: ['from', 'to?', 'step?'],
    about: 'The whole numbers from one up to, not including, another; with one value those from 0.',
    call: (from, to, step) => range(from, to, step),
    examples: [
      { template: '{{range 1 4}}', cel: 'range(1, 4)', gives: [1, 2, 3] },
      { template: '{{range 2}}', cel: 'range(2)', gives: [0, 1] },
    ],
  },
  keys: {
    params: ['map'],
    about: 'The keys of a map.',
    handsOn: true,
    call: value => Object.keys(mapOf(value)),
    examples: [{ template: '{{keys (dict a=1)}}', cel: "keys({'a': 1})", gives: ['a'] }],
  },
  values: {
    params: ['map'],
    about: 'The values of a map.',
    call: value => Object.values(mapOf(value)),
    examples: [{ template: '{{values (dict a=1)}}', cel: "values({'a': 1})", gives: [1] }],
  },
  dict2items: {
    params: ['map'],
    about: 'A list of maps with `key` and `value`.',
    call: value => Object.entries(mapOf(value)).map(([key, item]) => ({ key, value: item })),
    examples: [
      { template: '{{dict2items (dict a=1)}}', cel: "dict2items({'a': 1})", gives: [{ key: 'a', value: 1 }] },
    ],
  },
  items2dict: {
    params: ['list', 'key?', 'value?'],
    about: 'The map of a list of maps; the names of the two keys are `key` and `value` where none are given.',
    call: (items, key, value) => items2dict(listOf(items), textOf(key ?? 'key'), textOf(value ?? 'value')),
    examples: [
      {
        template: "{{items2dict (list (dict key='a' value=1))}}",
        cel: "items2dict([{'key': 'a', 'value': 1}])",
        gives: { a: 1 },
      },
    ],
  },
  combine: {
    params: ['a', 'b', 'more…'],
    about: 'One map of several; a key of a later map replaces that of an earlier one.',
    handsOn: true,
    call: (...maps) => Object.fromEntries(maps.flatMap(map => Object.entries(mapOf(map)))),
    examples: [
      {
        template: '{{combine (dict a=1) (dict b=2)}}',
        cel: "combine({'a': 1}, {'b': 2})",
        gives: { a: 1, b: 2 },
      },
    ],
  },
  combine_deep: {
    params: ['a', 'b', 'more…'],
    about: 'One map of several; maps inside are combined too, lists are replaced.',
    call: (...maps) => maps.map(map => mapOf(map)).reduce(combineDeep),
    examples: [
      {
        template: '{{combine_deep (dict x=(dict a=1)) (dict x=(dict b=2))}}',
        cel: "combine_deep({'x': {'a': 1}}, {'x': {'b': 2}})",
        gives: { x: { a: 1, b: 2 } },
      },
    ],
  },
  pluck: {
    params: ['list', 'key'],
    about: 'One key of every map of a list; the key may be a dotted path.',
    call: (items, key) => listOf(items).map(item => need(item, textOf(key))),
    examples: [
      {
        template: "{{pluck (list (dict a=1) (dict a=2)) 'a'}}",
        cel: "pluck([{'a': 1}, {'a': 2}], 'a')",
        gives: [1, 2],
      },
    ],
  },
  where: {
    params: ['list', 'key', 'value?'],
    about:
      'The maps whose key has the value, or is true where no value is given. Conditions also have `list.filter(x, …)`.',
    call: (items, key, value) => listOf(items).filter(item => fits(item, textOf(key), value)),
    examples: [
      {
        template: "{{where (list (dict a=1) (dict a=2)) 'a' 2}}",
        cel: "where([{'a': 1}, {'a': 2}], 'a', 2)",
        gives: [{ a: 2 }],
      },
    ],
  },
  where_not: {
    params: ['list', 'key', 'value?'],
    about: 'The maps that `where` leaves out.',
    call: (items, key, value) => listOf(items).filter(item => !fits(item, textOf(key), value)),
    examples: [
      {
        template: "{{where_not (list (dict a=1) (dict a=2)) 'a' 2}}",
        cel: "where_not([{'a': 1}, {'a': 2}], 'a', 2)",
        gives: [{ a: 1 }],
      },
    ],
  },
}

function length(value: unknown): number {
  if (typeof value === 'string') return [...value].length
  return Array.isArray(value) ? value.length : Object.keys(mapOf(value)).length
}

function dict(pairs: readonly unknown[]): Readonly<Record<string, unknown>> {
  const entries: [string, unknown][] = []
  for (let i = 0; i + 1 < pairs.length; i += 2) entries.push([textOf(pairs[i]), pairs[i + 1]])
  return Object.fromEntries(entries)
}

function at(value: unknown, key: unknown, fallback: unknown): unknown {
  const found = follow(value, 'value', [textOf(key, 'the key')])
  if (found.found) return found.value
  if (fallback !== undefined) return fallback
  throw new BadArgument(`there is no \`${textOf(key)}\``)
}

function end(value: unknown, index: 0 | -1): unknown {
  const items = typeof value === 'string' ? [...value] : listOf(value)
  if (items.length === 0) throw new BadArgument('the list is empty')
  return items.at(index)
}

function includes(items: readonly unknown[], item: unknown): boolean {
  return items.some(other => isEqual(other, item))
}

function unique(items: readonly unknown[]): readonly unknown[] {
  const seen = new Set<unknown>()
  return items.filter(item => {
    const mark = typeof item === 'object' ? JSON.stringify(item) : item
    return seen.has(mark) ? false : Boolean(seen.add(mark))
  })
}

function sort(items: readonly unknown[], key: unknown): readonly unknown[] {
  const by = key === undefined ? undefined : textOf(key)
  const mark = (item: unknown): unknown => (by === undefined ? item : need(item, by))
  return items.toSorted((a, b) => compare(mark(a), mark(b)))
}

function contains(value: unknown, part: unknown): boolean {
  if (Array.isArray(value)) return includes(value, part)
  if (typeof value === 'string') return value.includes(textOf(part, 'the part'))
  return Object.hasOwn(mapOf(value), textOf(part, 'the key'))
}

function range(from: unknown, to: unknown, step: unknown): readonly number[] {
  const [start, stop] = to === undefined ? [0, integerOf(from)] : [integerOf(from), integerOf(to)]
  const by = step === undefined ? 1 : integerOf(step)
  if (by === 0) throw new BadArgument('the step must not be 0')
  const count = Math.max(0, Math.ceil((stop - start) / by))
  if (count > LONGEST_RANGE) throw new BadArgument(`a range has at most ${LONGEST_RANGE} numbers`)
  return Array.from({ length: count }, (_, index) => start + index * by)
}

function items2dict(
  items: readonly unknown[],
  key: string,
  value: string,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(items.map(item => [textOf(need(item, key)), need(item, value)]))
}

function combineDeep(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const merged = Object.entries(b).map(([key, value]): [string, unknown] => {
    const before = Object.hasOwn(a, key) ? a[key] : undefined
    return [key, isMap(before) && isMap(value) ? combineDeep(before, value) : value]
  })
  return Object.fromEntries([...Object.entries(a), ...merged])
}

function need(item: unknown, key: string): unknown {
  const found = follow(item, 'item', key.split('.'))
  if (found.found) return found.value
  throw new BadArgument(`an item has no \`${key}\``)
}

function fits(item: unknown, key: string, value: unknown): boolean {
  const found = follow(item, 'item', key.split('.'))
  if (!found.found) return false
  return value === undefined ? isTruthy(found.value) : isEqual(found.value, value)
}
