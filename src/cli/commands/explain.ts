import type { Command } from 'commander'
import { addChoiceOptions, addInventoryOptions, addReachOptions } from '../options.ts'
import type { ExitWith, ExplainFlags } from '../options.ts'

/** `msingi explain`: how each task is worked out on a host. */
export function addExplain(program: Command, exitWith: ExitWith): void {
  const command = program
    .command('explain')
    .description('show how tasks are worked out: questions, answers, changes, commands; nothing is written')
    .argument('<playbook...>', 'playbook files; choose a host with -l and tasks with -t')
    .option('--scripts', 'also the scripts that ask')
  addInventoryOptions(command)
  addChoiceOptions(command)
  addReachOptions(command).action(async (files: readonly string[], flags: ExplainFlags) => {
    const { explain } = await import('../explain.ts')
    exitWith(await explain(files, flags))
  })
}
