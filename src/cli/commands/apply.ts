import type { Command } from 'commander'
import { addPlayOptions } from '../options.ts'
import type { ExitWith, PlayFlags } from '../options.ts'

/** `msingi apply`: makes hosts what the playbooks say. */
export function addApply(program: Command, exitWith: ExitWith): void {
  const command = program
    .command('apply')
    .description('make hosts what the playbooks say')
    .argument('<playbook...>', 'playbook files, run in this order')
    .option('-C, --check', 'change nothing; say what would change (exit status 2)')
  addPlayOptions(command).action(async (files: readonly string[], flags: PlayFlags) => {
    const { play } = await import('../play.ts')
    exitWith(await play(flags.check ? 'check' : 'apply', files, flags))
  })
}
