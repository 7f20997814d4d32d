import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { UsageError } from '../base/error.ts'
import type { Reporter } from '../base/event.ts'
import { localChecksums } from '../plan/lookup.ts'
import { compareItems, itemKey, type Drifted, type SavedItem, type SavedPlan } from '../plan/saved.ts'
import { EXIT } from './exit.ts'
import { withInventory } from './inventory-lock.ts'
import { maySteal, waitSeconds } from './locking.ts'
import type { PlayFlags } from './options.ts'
import { means, perform, type Means } from './perform.ts'
import { openProject, type OpenProject } from './project.ts'

/** Returns whether what is to be applied is a kept plan and not a playbook. */
export function isKeptPlan(files: readonly string[]): boolean {
  return files.length === 1 && files[0]?.endsWith('.json') === true
}

/** Plans, and keeps the plan in a file; returns the exit status of the plan. */
export async function keepPlan(
  files: readonly string[],
  opened: OpenProject,
  flags: PlayFlags,
  ways: Means,
): Promise<number> {
  const salt = randomBytes(16).toString('hex')
  const items: SavedItem[] = []
  const exit = await perform('plan', opened, flags, ways, { salt, onPlanned: item => items.push(item) })
  const plan: SavedPlan = {
    format: 1,
    created: new Date().toISOString(),
    playbooks: files,
    inventory: opened.from,
    limit: flags.limit,
    tags: flags.tags,
    skipTags: flags.skipTags,
    extraVars: flags.extraVars,
    salt,
    files: checksums(opened),
    items,
  }
  if (flags.out !== undefined) writeFileSync(flags.out, `${JSON.stringify(plan, null, 2)}\n`, { mode: 0o600 })
  return exit
}

/**
 * Applies a kept plan and nothing else. The hosts are looked at again first: where an item has moved nothing is done,
 * or with `--partial` the rest.
 *
 * @throws UsageError BAD_ARGUMENT where the file is no plan, or the project has changed since.
 */
export async function applyKept(file: string, flags: PlayFlags): Promise<number> {
  const plan = readPlan(file)
  const merged: PlayFlags = {
    ...flags,
    inventory: plan.inventory,
    tags: plan.tags,
    skipTags: plan.skipTags,
    extraVars: plan.extraVars,
    ...(plan.limit === undefined ? {} : { limit: plan.limit }),
  }
  const opened = openProject(plan.playbooks, merged, process.env)
  const now: SavedItem[] = []
  const silent: Reporter = { report: () => undefined, end: () => Promise.resolve() }
  const ways = await means(merged, opened)
  const looked = await perform(
    'plan',
    opened,
    merged,
    { ...ways, reporters: [silent] },
    { salt: plan.salt, onPlanned: item => now.push(item) },
  )
  refuseChangedFiles(plan, opened)
  if (looked !== EXIT.done && looked !== EXIT.different) return perform('plan', opened, merged, ways, {})
  const drifted = compareItems(plan.items, now)
  for (const one of drifted) process.stderr.write(`${sentence(one)}\n`)
  const blocking = drifted.filter(({ why }) => why === 'moved')
  if (blocking.length > 0 && flags.partial !== true) {
    process.stderr.write('nothing was applied; plan again, or give --partial to apply what still holds\n')
    return EXIT.failed
  }
  const moved = new Set(blocking.map(({ item }) => itemKey(item)))
  const allowed = new Set(plan.items.map(itemKey).filter(key => !moved.has(key)))
  if (!(await maySteal(merged))) return EXIT.done
  const exit = await withInventory(opened.from, waitSeconds(merged), () =>
    perform('apply', opened, merged, ways, { allowed }),
  )
  return exit === EXIT.done && blocking.length > 0 ? EXIT.failed : exit
}

function readPlan(file: string): SavedPlan {
  let plan: unknown
  try {
    plan = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new UsageError(
      'BAD_ARGUMENT',
      `\`${file}\` cannot be read as a plan: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
  if (plan !== null && typeof plan === 'object' && 'format' in plan && plan.format === 1 && 'items' in plan)
    return plan as SavedPlan
  throw new UsageError('BAD_ARGUMENT', `\`${file}\` is not a plan`, 'make one with `msingi plan --out FILE`')
}

/** A plan stands on texts as well as on hosts. */
function refuseChangedFiles(plan: SavedPlan, opened: OpenProject): void {
  const now = checksums(opened)
  const changed = Object.keys(plan.files).filter(name => plan.files[name] !== now[name])
  if (changed.length === 0) return
  throw new UsageError(
    'BAD_ARGUMENT',
    `the project has changed since the plan was made: ${changed.join(', ')}`,
    'plan again',
  )
}

function checksums({ sources }: OpenProject): Record<string, string> {
  const texts = sources.names().flatMap(name => {
    const text = sources.textOf(name)
    return text === undefined ? [] : [[name, createHash('sha256').update(text).digest('hex')] as const]
  })
  return { ...Object.fromEntries(texts), ...localChecksums() }
}

const REASONS = {
  moved: 'has moved: the host is not as it was when the plan was made',
  gone: 'is already right',
  new: 'differs by now and is not part of the plan; it is left alone',
} as const

function sentence({ item, why }: Drifted): string {
  return `${item.host}: ${item.title} (${item.task}) ${REASONS[why]}`
}
