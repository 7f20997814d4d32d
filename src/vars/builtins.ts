import type { Builtin } from './builtin.ts'
import { choice } from './builtin-choice.ts'
import { encode } from './builtin-encode.ts'
import { list } from './builtin-list.ts'
import { network } from './builtin-network.ts'
import { number } from './builtin-number.ts'
import { path } from './builtin-path.ts'
import { text } from './builtin-text.ts'

/** Every function of texts and conditions by subject; the order is that of the documentation. */
export const subjects: Readonly<Record<string, Readonly<Record<string, Builtin>>>> = {
  'Choosing and comparing': choice,
  Text: text,
  'Lists and maps': list,
  'Numbers and types': number,
  'Other notations': encode,
  'Paths, versions, dates': path,
  Addresses: network,
}

/** Every function of texts and conditions, by name. */
export const builtins: ReadonlyMap<string, Builtin> = new Map(
  Object.values(subjects).flatMap(part => Object.entries(part)),
)
