import type { Builtin } from './builtin.ts'
import { choice } from './builtin-choice.ts'

/** Every function of texts and conditions, by name. */
export const builtins: ReadonlyMap<string, Builtin> = new Map(Object.entries({ ...choice }))
