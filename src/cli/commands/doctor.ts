import { Option } from 'commander'
import type { Command } from 'commander'
import { addInventoryOptions, addReachOptions } from '../options.ts'
import type { DoctorFlags, ExitWith } from '../options.ts'

/** `msingi doctor`: what would keep changes from going well. */
export function addDoctor(program: Command, exitWith: ExitWith): void {
  const command = program
    .command('doctor')
    .description(
      'look at hosts before anything is changed: the way to them, room, clock, packages, what earlier runs left (exit status 1 where something is in the way)',
    )
    .argument('[playbook...]', 'playbook files: their hosts, and the programs that their tasks need')
    .addOption(new Option('--output <form>', 'how to tell').choices(['plain', 'json']).default('plain'))
  addInventoryOptions(command)
  addReachOptions(command).action(async (files: readonly string[], flags: DoctorFlags) => {
    const { doctor } = await import('../doctor.ts')
    exitWith(await doctor(files, flags))
  })
}
