import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { UsageError } from '../base/error.ts'
import type { SourceError } from '../base/error.ts'
import { loadInventory } from '../inventory/load.ts'
import type { Inventory } from '../inventory/model.ts'
import type { Keyring } from '../secrets/keyring.ts'
import { openSources } from '../syntax/files.ts'
import type { Sources } from '../syntax/files.ts'
import type { Layer } from '../vars/scope.ts'
import { ProjectError } from './complain.ts'
import { readExtraVars } from './extra-vars.ts'
import { openKeyring, unsealing } from './keys.ts'
import type { InventoryFlags, KeyFlags } from './options.ts'

/** Hosts and variables, read, with everything that is wrong so far. */
export interface OpenInventory {
  readonly sources: Sources
  readonly keyring: Keyring
  /** The files and folders it was read from. */
  readonly from: readonly string[]
  readonly inventory: Inventory
  readonly extra: Layer | undefined
  readonly problems: SourceError[]
  readonly textOf: (file: string) => string | undefined
}

/** For commands that only look at texts: single values that no key opens stay shut. */
export interface MayStayLocked {
  readonly mayStayLocked?: true
}

/**
 * Reads the inventory and the variables of the command line; problems are collected, not thrown.
 *
 * @throws UsageError NO_INVENTORY where there is none.
 */
export function openInventory(
  flags: Pick<InventoryFlags, 'inventory' | 'extraVars'> & KeyFlags & MayStayLocked,
  playbooks: readonly string[],
  env: NodeJS.ProcessEnv,
): OpenInventory {
  const from = inventorySources(flags.inventory, playbooks, env)
  const keyring = openKeyring(flags, env)
  const sources = openSources(unsealing(keyring, flags.mayStayLocked === true))
  const problems: SourceError[] = []
  const onProblem = (problem: SourceError): void => {
    problems.push(problem)
  }
  const inventory = loadInventory(from, sources, onProblem)
  const { layer, textOf } = readExtraVars(flags.extraVars, sources, onProblem)
  return {
    sources,
    keyring,
    from,
    inventory,
    extra: layer,
    problems,
    textOf: file => textOf(file) ?? sources.textOf(file) ?? given(file, from),
  }
}

/** @throws ProjectError where anything is wrong. */
export function refuseProblems({ problems, textOf }: OpenInventory): void {
  if (problems.length > 0) throw new ProjectError(problems, textOf)
}

/** Places of host lists given with `-i a,b,` are places in that text. */
function given(file: string, from: readonly string[]): string | undefined {
  return file === '-i' ? from.find(source => source.includes(',')) : undefined
}

function inventorySources(
  wanted: readonly string[],
  playbooks: readonly string[],
  env: NodeJS.ProcessEnv,
): readonly string[] {
  for (const path of wanted) {
    if (isThere(path) || path.includes(',')) continue
    throw new UsageError('NO_INVENTORY', `\`-i ${path}\`: there is no such file or folder`)
  }
  if (wanted.length > 0) return wanted
  const named = env['MSINGI_INVENTORY']
  if (named) return inventorySources(named.split(':'), playbooks, {})
  const folders = [...playbooks.flatMap(file => [dirname(file), join(dirname(file), '..')]), '.']
  const found = folders.flatMap(inventoriesIn)[0]
  if (found !== undefined) return [found]
  throw new UsageError(
    'NO_INVENTORY',
    'there is no `inventory/` beside the playbook, above it, or here',
    'give one with -i, or set MSINGI_INVENTORY',
  )
}

function inventoriesIn(folder: string): readonly string[] {
  return ['inventory/hosts.yml', 'inventory/hosts.yaml', 'inventory', 'inventory.yml', 'hosts.yml']
    .map(name => join(folder, name))
    .filter(isThere)
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}
