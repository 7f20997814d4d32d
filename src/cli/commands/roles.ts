import type { Command } from 'commander'
import type { ExitWith } from '../options.ts'

/** `msingi roles`: what the roles of the project do. */
export function addRoles(program: Command, exitWith: ExitWith): void {
  program
    .command('roles')
    .description('list the roles in roles/, or show the page of one')
    .argument('[name]', 'a role')
    .action(async (name: string | undefined) => {
      const { roleList, roleText } = await import('../roles-text.ts')
      process.stdout.write(name === undefined ? roleList() : roleText(name))
      exitWith(0)
    })
}
