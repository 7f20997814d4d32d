// Written by `npm run gen` from the files of this folder.
import { assert } from './assert.ts'
import { blockinfile } from './blockinfile.ts'
import { copy } from './copy.ts'
import { debug } from './debug.ts'
import { fail } from './fail.ts'
import { file } from './file.ts'
import { group } from './group.ts'
import { lineinfile } from './lineinfile.ts'
import { ping } from './ping.ts'
import { set_fact } from './set_fact.ts'
import { stat } from './stat.ts'
import { systemd } from './systemd.ts'
import { template } from './template.ts'
import { user } from './user.ts'
import type { AnyModule } from './module.ts'

const all: readonly AnyModule[] = [
  assert,
  blockinfile,
  copy,
  debug,
  fail,
  file,
  group,
  lineinfile,
  ping,
  set_fact,
  stat,
  systemd,
  template,
  user,
]

/** Every module, by its name and by its aliases. */
export const modules: ReadonlyMap<string, AnyModule> = new Map(
  all.flatMap(module => [module.name, ...(module.aliases ?? [])].map(name => [name, module])),
)
