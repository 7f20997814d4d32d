import { createInterface } from 'node:readline/promises'
import type { Mode } from '../base/event.ts'
import { EXIT } from './exit.ts'
import { keepPlan } from './kept-plan.ts'
import { hostLines, taskLines } from './listing.ts'
import type { PlayFlags } from './options.ts'
import { openReporters, readWishes } from './outputs.ts'
import { means, perform, type Means } from './perform.ts'
import { openProject } from './project.ts'
import type { OpenProject } from './project.ts'

/** Runs playbooks in one of the modes and returns the exit status. */
export async function play(mode: Mode, files: readonly string[], flags: PlayFlags): Promise<number> {
  readWishes(flags.output, process)
  const opened = openProject(files, flags, process.env)
  if (flags.listHosts || flags.listTasks) {
    list(opened, flags)
    return EXIT.done
  }
  const ways = await means(flags)
  if (mode === 'plan' && flags.out !== undefined) return keepPlan(files, opened, flags, ways)
  if (mode === 'apply' && asksFirst(flags)) return applyIfApproved(opened, flags, ways)
  return perform(mode, opened, flags, ways, {})
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

async function applyIfApproved(opened: OpenProject, flags: PlayFlags, ways: Means): Promise<number> {
  const reporters = await openReporters([{ form: 'plain', file: undefined }], flags, process)
  let items = 0
  const planned = await perform('plan', opened, flags, { ...ways, reporters }, { onPlanned: () => items++ })
  if (planned !== EXIT.done && planned !== EXIT.different) return planned
  if (items === 0) return EXIT.done
  if (!(await isApproved())) return EXIT.done
  return perform('apply', opened, flags, ways, {})
}

async function isApproved(): Promise<boolean> {
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await asking.question('apply this? [y/N] ')
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    asking.close()
  }
}
