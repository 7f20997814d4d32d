import { Option } from 'commander'
import type { Command } from 'commander'
import type { DrillFlags, ExitWith } from '../options.ts'

/** `msingi drill`: rehearses a mishap on the throw-away hosts of a lab. */
export function addDrill(program: Command, exitWith: ExitWith): void {
  program
    .command('drill')
    .description(
      'rehearse a mishap on a host of a lab and write down what happened; without a name, list the drills',
    )
    .argument('[name]', 'the drill')
    .option(
      '-i, --inventory <file>',
      'inventory of a lab: lab/NAME/inventory.yml',
      'lab/default/inventory.yml',
    )
    .option('-l, --limit <host>', 'the host to be broken; may be left out where the lab has one')
    .addOption(
      new Option('--set <option=value>', 'an option of the drill; may be given several times')
        .argParser((value: string, before: readonly string[]) => [...before, value])
        .default([], 'none'),
    )
    .addOption(new Option('--output <form>', 'how to tell').choices(['plain', 'json']).default('plain'))
    .action(async (name: string | undefined, flags: DrillFlags) => {
      const { drill, listDrills } = await import('../drill.ts')
      exitWith(name === undefined ? listDrills() : await drill(name, flags))
    })
}
