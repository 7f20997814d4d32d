import { Option } from 'commander'
import type { Command } from 'commander'
import { addInventoryOptions, addReachOptions, wholeNumber } from '../options.ts'
import type { ExitWith, ExecFlags } from '../options.ts'

const HOUR = 3600

/** `msingi exec`: runs a command on hosts. */
export function addExec(program: Command, exitWith: ExitWith): void {
  const command = program
    .command('exec')
    .description('run a command on hosts: one argument is a line for the shell, several are words')
    .argument('<pattern>', 'hosts and groups, such as web:!web3')
    .argument('<command...>', 'the command, after --')
    .option('--deadline <seconds>', 'how long it may take', wholeNumber('--deadline'), HOUR)
    .addOption(new Option('--output <form>', 'how to tell').choices(['plain', 'json']).default('plain'))
  addInventoryOptions(command)
  addReachOptions(command).action(async (pattern: string, words: readonly string[], flags: ExecFlags) => {
    const { exec } = await import('../exec.ts')
    exitWith(await exec(pattern, words, flags))
  })
}
