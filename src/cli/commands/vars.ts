import type { Command } from 'commander'
import { addInventoryOptions } from '../options.ts'
import type { ExitWith, InventoryFlags } from '../options.ts'

/** `msingi vars`: which variables a host has, and who says so. */
export function addVars(program: Command, exitWith: ExitWith): void {
  const command = program
    .command('vars')
    .description('show the variables of a host: the winner, every loser, and where each stands')
    .argument('<host>', 'a host of the inventory')
    .argument('[name]', 'one variable')
    .option('-p, --playbook <file>', 'also what the plays and roles of this playbook set')
  addInventoryOptions(command).action(
    async (
      host: string,
      name: string | undefined,
      flags: InventoryFlags & { readonly playbook?: string },
    ) => {
      const { varsText } = await import('../vars-text.ts')
      process.stdout.write(varsText(host, name, flags))
      exitWith(0)
    },
  )
}
