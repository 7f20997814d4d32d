import type { Command } from 'commander'
import { addInventoryOptions, addOutputOptions, addReachOptions } from '../options.ts'
import type { ExitWith, RevertFlags } from '../options.ts'

/** `msingi revert`: puts a file back that a run has replaced. */
export function addRevert(program: Command, exitWith: ExitWith): void {
  const command = program
    .command('revert')
    .description('put a file back as it was before a run replaced it')
    .argument('<host>', 'a host of the inventory')
    .argument('<file>', 'absolute path on the host')
    .option('--run <run>', 'as it was before this run (the last that replaced it)')
    .option('--list', 'only list the runs of which the file is kept, the newest first')
    .option('-C, --check', 'only say what would be done')
  addInventoryOptions(command)
  addReachOptions(command)
  addOutputOptions(command).action(async (host: string, file: string, flags: RevertFlags) => {
    const { revert } = await import('../revert.ts')
    exitWith(await revert(host, file, flags))
  })
}
