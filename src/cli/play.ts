import { UsageError } from '../base/error.ts'
import type { Mode } from '../base/event.ts'
import type { RunOptions } from '../run/run.ts'
import { confirmed } from './confirmed.ts'
import { EXIT } from './exit.ts'
import { withInventory } from './inventory-lock.ts'
import { keepPlan } from './kept-plan.ts'
import { hostLines, taskLines } from './listing.ts'
import { maySteal, waitSeconds } from './locking.ts'
import type { PlayFlags } from './options.ts'
import { openReporters, readWishes } from './outputs.ts'
import { means, perform, type Means } from './perform.ts'
import { openProject } from './project.ts'
import type { OpenProject } from './project.ts'
import { progressOf, readUnfinished } from './resume.ts'

/** Runs playbooks in one of the modes and returns the exit status. */
export async function play(mode: Mode, files: readonly string[], flags: PlayFlags): Promise<number> {
  readWishes(flags.output, process)
  if (files.length === 0)
    throw new UsageError('BAD_ARGUMENT', 'no playbook is named', 'name one, or give --resume')
  const opened = openProject(files, flags, process.env)
  if (flags.listHosts || flags.listTasks) {
    list(opened, flags)
    return EXIT.done
  }
  const ways = await means(flags, opened)
  if (mode === 'plan' && flags.out !== undefined) return keepPlan(files, opened, flags, ways)
  if (mode === 'apply' && asksFirst(flags)) return applyIfApproved(files, opened, flags, ways)
  return mode === 'apply' ? applyAll(files, opened, flags, ways) : perform(mode, opened, flags, ways, {})
}

/**
 * Takes up the last apply of this folder that failed or was interrupted.
 *
 * @throws UsageError where there is none, or playbooks are named as well.
 */
export async function resume(files: readonly string[], flags: PlayFlags): Promise<number> {
  if (files.length > 0)
    throw new UsageError('BAD_ARGUMENT', '`--resume` knows its playbooks; none can be named')
  const unfinished = readUnfinished(flags)
  const opened = openProject(unfinished.files, unfinished.flags, process.env)
  return applyAll(unfinished.files, opened, unfinished.flags, await means(unfinished.flags, opened), {
    only: new Set(unfinished.hosts),
  })
}

/** Applies, writing down how far each host has come. */
async function applyAll(
  files: readonly string[],
  opened: OpenProject,
  flags: PlayFlags,
  ways: Means,
  more: Pick<RunOptions, 'only'> = {},
): Promise<number> {
  if (!(await maySteal(flags))) return EXIT.done
  return withInventory(opened.from, waitSeconds(flags), () => {
    const progress = progressOf(files, opened.from, flags)
    const all = new Set(opened.project.plays.flatMap(play => play.hosts))
    progress.begun([...all].filter(host => more.only?.has(host) !== false))
    return perform('apply', opened, flags, ways, {
      ...more,
      onThrough: progress.through,
    })
  })
}

function list({ project }: OpenProject, flags: PlayFlags): void {
  const lines = [
    ...(flags.listHosts ? hostLines(project) : []),
    ...(flags.listTasks ? taskLines(project) : []),
  ]
  process.stdout.write(lines.map(line => `${line}\n`).join(''))
}

/** Only a person at a terminal can be asked; scripts and pipes go on as they do with `-y`. */
function asksFirst(flags: PlayFlags): boolean {
  return flags.yes !== true && process.stdin.isTTY && process.stdout.isTTY && !process.env['CI']
}

async function applyIfApproved(
  files: readonly string[],
  opened: OpenProject,
  flags: PlayFlags,
  ways: Means,
): Promise<number> {
  const reporters = await openReporters([{ form: 'plain', file: undefined }], flags, process)
  let items = 0
  const planned = await perform('plan', opened, flags, { ...ways, reporters }, { onPlanned: () => items++ })
  if (planned !== EXIT.done && planned !== EXIT.different) return planned
  if (items === 0) return EXIT.done
  if (!(await confirmed('apply this?'))) return EXIT.done
  return applyAll(files, opened, flags, ways)
}
