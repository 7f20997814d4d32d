import type { Command } from 'commander'
import { addPlayOptions } from '../options.ts'
import type { ExitWith, PlayFlags } from '../options.ts'

/** `msingi drift`: finds where hosts have moved away from the playbooks. */
export function addDrift(program: Command, exitWith: ExitWith): void {
  const command = program
    .command('drift')
    .description(
      'find where hosts differ from the playbooks; read-only (exit status 2 where something differs)',
    )
    .argument('<playbook...>', 'playbook files')
  addPlayOptions(command).action(async (files: readonly string[], flags: PlayFlags) => {
    const { play } = await import('../play.ts')
    exitWith(await play('drift', files, flags))
  })
}
