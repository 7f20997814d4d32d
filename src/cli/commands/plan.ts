import type { Command } from 'commander'
import { addPlayOptions } from '../options.ts'
import type { ExitWith, PlayFlags } from '../options.ts'

/** `msingi plan`: says what `apply` would change. */
export function addPlan(program: Command, exitWith: ExitWith): void {
  const command = program
    .command('plan')
    .description('say what `apply` would change; nothing is written (exit status 2 where something differs)')
    .argument('<playbook...>', 'playbook files')
    .option('-o, --out <file>', 'keep the plan, to apply exactly that later')
  addPlayOptions(command).action(async (files: readonly string[], flags: PlayFlags) => {
    const { play } = await import('../play.ts')
    exitWith(await play('plan', files, flags))
  })
}
