import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { UsageError } from '../base/error.ts'
import type { PlayFlags } from './options.ts'

/** Where an apply that did not come to its end is written down, below the working directory. */
const FILE = '.msingi/resume.json'

/** What is needed to take up an apply again. */
interface Unfinished {
  readonly format: 2
  readonly playbooks: readonly string[]
  readonly inventory: readonly string[]
  readonly limit?: string
  readonly tags: readonly string[]
  readonly skipTags: readonly string[]
  readonly extraVars: readonly string[]
  /** Hosts that are not through; which handlers they owe they know themselves. */
  readonly hosts: readonly string[]
}

/** What an apply says of its progress. */
export interface Progress {
  readonly begun: (hosts: readonly string[]) => void
  readonly through: (host: string) => void
}

/** An apply that is taken up again. */
export interface Resumed {
  readonly files: readonly string[]
  readonly flags: PlayFlags
  readonly hosts: readonly string[]
}

/**
 * Writes down how far an apply has come, after every step that counts, so that even a killed one can be taken up. The
 * file goes away when every host is through.
 */
export function progressOf(
  files: readonly string[],
  inventory: readonly string[],
  flags: PlayFlags,
): Progress {
  const hosts = new Set<string>()
  function save(): void {
    if (hosts.size === 0) rmSync(FILE, { force: true })
    else write({ ...argumentsOf(files, inventory, flags), hosts: [...hosts] })
  }
  return {
    begun(names) {
      for (const name of names) hosts.add(name)
      save()
    },
    through(host) {
      hosts.delete(host)
      save()
    },
  }
}

/** @throws UsageError NO_PLAYBOOK where no apply was left unfinished here. */
export function readUnfinished(flags: PlayFlags): Resumed {
  let unfinished: Unfinished
  try {
    unfinished = JSON.parse(readFileSync(FILE, 'utf8')) as Unfinished
  } catch {
    throw new UsageError(
      'NO_PLAYBOOK',
      `nothing was left unfinished here: there is no \`${FILE}\``,
      'name a playbook',
    )
  }
  const { playbooks, inventory, tags, skipTags, extraVars, limit } = unfinished
  return {
    files: playbooks,
    flags: { ...flags, inventory, tags, skipTags, extraVars, ...(limit === undefined ? {} : { limit }) },
    hosts: unfinished.hosts,
  }
}

function argumentsOf(
  files: readonly string[],
  inventory: readonly string[],
  flags: PlayFlags,
): Omit<Unfinished, 'hosts'> {
  const { tags, skipTags, extraVars, limit } = flags
  return {
    format: 2,
    playbooks: files,
    inventory,
    tags,
    skipTags,
    extraVars,
    ...(limit === undefined ? {} : { limit }),
  }
}

/** A cut in the middle leaves the old file or the new one. */
function write(unfinished: Unfinished): void {
  mkdirSync(dirname(FILE), { recursive: true })
  writeFileSync(`${FILE}.new`, `${JSON.stringify(unfinished, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${FILE}.new`, FILE)
}
