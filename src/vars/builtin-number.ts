import type { Builtin } from './builtin.ts'
import { BadArgument, integerOf, isTruthy, listOf, numberOf, textOf } from './builtin.ts'
import { compare } from './builtin-choice.ts'

/** Functions that work on numbers and turn values into other types. */
export const number: Readonly<Record<string, Builtin>> = {
  int: {
    params: ['value'],
    about: 'The whole number a text spells, or a number without its fraction.',
    celHasIt: true,
    call: value => Math.trunc(typeof value === 'boolean' ? Number(value) : numberOf(value)),
    examples: [{ template: "{{int '42'}}", cel: "int('42')", gives: 42 }],
  },
  float: {
    params: ['value'],
    about: 'The number a text spells.',
    call: value => numberOf(value),
    examples: [{ template: "{{float '1.5'}}", cel: "float('1.5')", gives: 1.5 }],
  },
  bool: {
    params: ['value'],
    about: 'Whether a text or number means yes: `yes`, `on`, `true`, `1`, or `no`, `off`, `false`, `0`.',
    celHasIt: true,
    call: bool,
    examples: [{ template: "{{bool 'yes'}}", gives: true }],
  },
  string: {
    params: ['value'],
    about: 'The value as text.',
    celHasIt: true,
    call: value => textOf(value),
    examples: [{ template: '{{string 42}}', cel: 'string(42)', gives: '42' }],
  },
  add: arithmetic('The sum. Conditions write `a + b`.', (a, b) => a + b, ['{{add 1 2}}', 'add(1, 2)', 3]),
  sub: arithmetic('The difference. Conditions write `a - b`.', (a, b) => a - b, [
    '{{sub 3 1}}',
    'sub(3, 1)',
    2,
  ]),
  mul: arithmetic('The product. Conditions write `a * b`.', (a, b) => a * b, ['{{mul 2 3}}', 'mul(2, 3)', 6]),
  div: arithmetic('The quotient, with its fraction.', divide, ['{{div 3 2}}', 'div(3, 2)', 1.5]),
  mod: arithmetic('What remains of a division. Conditions write `a % b`.', remain, [
    '{{mod 7 3}}',
    'mod(7, 3)',
    1,
  ]),
  round: {
    params: ['number', 'digits?'],
    about: 'The nearest whole number, or the nearest with that many digits after the point.',
    call: (value, digits) => round(numberOf(value), digits === undefined ? 0 : integerOf(digits)),
    examples: [{ template: '{{round 2.567 1}}', cel: 'round(2.567, 1)', gives: 2.6 }],
  },
  floor: {
    params: ['number'],
    about: 'The next whole number below.',
    call: value => Math.floor(numberOf(value)),
    examples: [{ template: '{{floor 2.9}}', cel: 'floor(2.9)', gives: 2 }],
  },
  ceil: {
    params: ['number'],
    about: 'The next whole number above.',
    call: value => Math.ceil(numberOf(value)),
    examples: [{ template: '{{ceil 2.1}}', cel: 'ceil(2.1)', gives: 3 }],
  },
  abs: {
    params: ['number'],
    about: 'The number without its sign.',
    call: value => Math.abs(numberOf(value)),
    examples: [{ template: '{{abs -2}}', cel: 'abs(-2)', gives: 2 }],
  },
  sum: {
    params: ['list'],
    about: 'The sum of the numbers of a list.',
    call: value => listOf(value).reduce<number>((sum, item) => sum + numberOf(item), 0),
    examples: [{ template: '{{sum (list 1 2 3)}}', cel: 'sum([1, 2, 3])', gives: 6 }],
  },
  min: {
    params: ['list or value', 'more…'],
    about: 'The least of the values, or of the items of one list.',
    call: (...values) => extreme(values, order => order < 0),
    examples: [{ template: '{{min 3 1 2}}', cel: 'min([3, 1, 2])', gives: 1 }],
  },
  max: {
    params: ['list or value', 'more…'],
    about: 'The greatest of the values, or of the items of one list.',
    call: (...values) => extreme(values, order => order > 0),
    examples: [{ template: '{{max 3 1 2}}', cel: 'max(3, 1, 2)', gives: 3 }],
  },
}

function arithmetic(
  about: string,
  apply: (a: number, b: number) => number,
  [template, cel, gives]: readonly [string, string, number],
): Builtin {
  const call = (a: unknown, b: unknown): number =>
    apply(numberOf(a, 'the first value'), numberOf(b, 'the second value'))
  return { params: ['a', 'b'], about, call, examples: [{ template, cel, gives }] }
}

function divide(a: number, b: number): number {
  if (b === 0) throw new BadArgument('nothing can be divided by 0')
  return a / b
}

function remain(a: number, b: number): number {
  if (b === 0) throw new BadArgument('nothing can be divided by 0')
  return a % b
}

function round(value: number, digits: number): number {
  if (digits < 0 || digits > 15) throw new BadArgument('the digits must be between 0 and 15')
  return Number(`${Math.round(Number(`${value}e${digits}`))}e-${digits}`)
}

function bool(value: unknown): boolean {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return isTruthy(value)
  const word = textOf(value).trim().toLowerCase()
  if (['yes', 'on', 'true', 'y', 't', '1'].includes(word)) return true
  if (['no', 'off', 'false', 'n', 'f', '0', ''].includes(word)) return false
  throw new BadArgument(`\`${word}\` means neither yes nor no`)
}

function extreme(values: readonly unknown[], isBetter: (order: number) => boolean): unknown {
  const [first] = values
  const items = values.length === 1 && Array.isArray(first) ? listOf(first) : values
  if (items.length === 0) throw new BadArgument('the list is empty')
  return items.reduce((best, item) => (isBetter(compare(item, best)) ? item : best))
}
