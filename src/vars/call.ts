import { Secret } from '../base/secret.ts'
import { Unknown } from '../base/unknown.ts'
import type { Builtin } from './builtin.ts'
import { BadArgument } from './builtin.ts'
import { Pending, PENDING } from './pending.ts'
import { hasSecret, inspectDeep, revealDeep, sealDeep } from './value.ts'

/**
 * Calls a function of texts and conditions. An unknown in the arguments makes the result unknown; what is worked out
 * from a secret is a secret.
 * @throws Pending where an argument is outstanding; what `refuse` makes where the function cannot work with its
 * arguments.
 */
export function callBuiltin(
  name: string,
  builtin: Builtin,
  args: readonly unknown[],
  refuse: (message: string) => Error,
): unknown {
  for (const arg of args) {
    const unknown = builtin.handsOn ? inspectTop(arg, name) : inspectDeep(arg, name)
    if (unknown) return unknown
  }
  const isSecret = args.some(builtin.handsOn ? arg => arg instanceof Secret : hasSecret)
  try {
    const result = builtin.call(...(isSecret ? args.map(revealDeep) : args))
    if (result === PENDING) throw new Pending(name)
    return isSecret ? sealDeep(result) : result
  } catch (error) {
    if (!(error instanceof BadArgument)) throw error
    const message = isSecret ? `\`${name}\` cannot work with this secret` : `\`${name}\`: ${error.message}`
    throw refuse(message)
  }
}

function inspectTop(value: unknown, name: string): Unknown | undefined {
  if (value === PENDING) throw new Pending(name)
  return value instanceof Unknown ? value : undefined
}
