// Written by `npm run gen` from the files of this folder.
import { stat } from './stat.ts'
import type { AnyModule } from './module.ts'

const all: readonly AnyModule[] = [stat]

/** Every module, by its name and by its aliases. */
export const modules: ReadonlyMap<string, AnyModule> = new Map(
  all.flatMap(module => [module.name, ...(module.aliases ?? [])].map(name => [name, module])),
)
