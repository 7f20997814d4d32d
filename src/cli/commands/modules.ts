import type { Command } from 'commander'
import type { ExitWith } from '../options.ts'

/** `msingi modules`: what tasks can do. */
export function addModules(program: Command, exitWith: ExitWith): void {
  program
    .command('modules')
    .description('list the modules, or show the page of one')
    .argument('[name]', 'a module; with or without its prefix')
    .action(async (name: string | undefined) => {
      const { modulePage, moduleList } = await import('../modules-text.ts')
      process.stdout.write(name === undefined ? moduleList() : modulePage(name))
      exitWith(0)
    })
}
