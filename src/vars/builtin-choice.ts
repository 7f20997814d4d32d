import type { Builtin } from './builtin.ts'
import { BadArgument, isTruthy, textOf } from './builtin.ts'

/** Functions that choose and compare. */
export const choice: Readonly<Record<string, Builtin>> = {
  default: {
    params: ['value', 'fallback', 'empty?'],
    about: 'The value, or the fallback where it is not defined; with `empty=true` also where it is empty.',
    handsOn: true,
    guarded: true,
    call: (value, fallback, empty) =>
      value === undefined || (empty === true && !isTruthy(value)) ? fallback : value,
    examples: [
      { template: "{{default missing 'none'}}", cel: "default(missing, 'none')", gives: 'none' },
      { template: "{{default '' 'none' empty=true}}", cel: "default('', 'none', true)", gives: 'none' },
    ],
  },
  required: {
    params: ['value', 'message'],
    about: 'The value; where it is not defined or null, an error with the message.',
    handsOn: true,
    guarded: true,
    call: (value, message) => {
      if (value === undefined || value === null) throw new BadArgument(textOf(message))
      return value
    },
    examples: [{ template: "{{required 'x' 'set it'}}", cel: "required('x', 'set it')", gives: 'x' }],
  },
  defined: {
    params: ['value'],
    about: 'Whether the variable, or the part of it that is named, exists.',
    handsOn: true,
    guarded: true,
    call: value => value !== undefined,
    examples: [{ template: '{{defined missing}}', cel: 'defined(missing)', gives: false }],
  },
  ternary: {
    params: ['test', 'yes', 'no'],
    about: 'One of two values. Conditions also have `test ? yes : no`.',
    handsOn: true,
    call: (test, yes, no) => (isTruthy(test) ? yes : no),
    examples: [{ template: "{{ternary true 'on' 'off'}}", cel: "ternary(true, 'on', 'off')", gives: 'on' }],
  },
  eq: {
    params: ['a', 'b'],
    about: 'Whether two values are equal; lists and maps by content.',
    call: (a, b) => isEqual(a, b),
    examples: [{ template: "{{eq 'a' 'a'}}", cel: "eq('a', 'a')", gives: true }],
  },
  ne: {
    params: ['a', 'b'],
    about: 'Whether two values differ.',
    call: (a, b) => !isEqual(a, b),
    examples: [{ template: '{{ne 1 2}}', cel: 'ne(1, 2)', gives: true }],
  },
  lt: ordering('a < b', order => order < 0, 1, 2),
  le: ordering('a ≤ b', order => order <= 0, 2, 2),
  gt: ordering('a > b', order => order > 0, 2, 1),
  ge: ordering('a ≥ b', order => order >= 0, 2, 2),
  and: {
    params: ['a', 'b', 'more…'],
    about: 'Whether all are true. Conditions write `a && b`.',
    call: (...all) => all.every(isTruthy),
    examples: [{ template: '{{and true false}}', cel: 'and(true, false)', gives: false }],
  },
  or: {
    params: ['a', 'b', 'more…'],
    about: 'Whether one is true. Conditions write `a || b`.',
    call: (...all) => all.some(isTruthy),
    examples: [{ template: '{{or true false}}', cel: 'or(true, false)', gives: true }],
  },
  not: {
    params: ['a'],
    about: 'Whether it is not true. Conditions write `!a`.',
    call: a => !isTruthy(a),
    examples: [{ template: '{{not false}}', cel: 'not(false)', gives: true }],
  },
}

/** Compares plain data by content. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [left, right] = [Object.entries(a), Object.entries(b)]
  if (left.length !== right.length) return false
  return left.every(([key, value]) => Object.hasOwn(b, key) && isEqual(value, Reflect.get(b, key)))
}

/** Orders two numbers, or two texts by code unit; anything else has no order. */
export function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0
  throw new BadArgument('only two numbers or two texts can be ordered')
}

function ordering(shown: string, test: (order: number) => boolean, a: number, b: number): Builtin {
  const name = { '<': 'lt', '≤': 'le', '>': 'gt', '≥': 'ge' }[shown[2] ?? ''] ?? ''
  return {
    params: ['a', 'b'],
    about: `Whether ${shown}, for two numbers or two texts.`,
    call: (left, right) => test(compare(left, right)),
    examples: [{ template: `{{${name} ${a} ${b}}}`, cel: `${name}(${a}, ${b})`, gives: true }],
  }
}
