import { Option } from 'commander'
import type { Command } from 'commander'
import { wholeNumber } from '../options.ts'
import type { ExitWith, RunsFlags } from '../options.ts'

const DEFAULT_COUNT = 20

/** `msingi runs`: what was done from here. */
export function addRuns(program: Command, exitWith: ExitWith): void {
  program
    .command('runs')
    .description('list the last runs of this folder, or show one: what it was made of and what it changed')
    .argument('[run]', 'the beginning of its identifier, or `last`')
    .option('-n, --count <count>', 'how many to list', wholeNumber('--count'), DEFAULT_COUNT)
    .addOption(new Option('--output <form>', 'how to tell').choices(['plain', 'json']).default('plain'))
    .action(async (name: string | undefined, flags: RunsFlags) => {
      const { runs } = await import('../runs.ts')
      exitWith(runs(name, flags))
    })
}
