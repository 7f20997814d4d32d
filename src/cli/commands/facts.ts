import { Option } from 'commander'
import type { Command } from 'commander'
import { addInventoryOptions, addReachOptions } from '../options.ts'
import type { ExitWith, FactsFlags } from '../options.ts'

/** `msingi facts`: what hosts say about themselves. */
export function addFacts(program: Command, exitWith: ExitWith): void {
  const command = program
    .command('facts')
    .description('ask hosts what they are, as `facts.…` in playbooks sees it')
    .argument('[pattern]', 'hosts and groups', 'all')
    .argument('[names...]', 'facts, such as os or memory; all where none is named')
    .addOption(new Option('--output <form>', 'how to tell').choices(['plain', 'json']).default('plain'))
  addInventoryOptions(command)
  addReachOptions(command).action(async (pattern: string, names: readonly string[], flags: FactsFlags) => {
    const { facts } = await import('../facts.ts')
    exitWith(await facts(pattern, names, flags))
  })
}
