import type { Command } from 'commander'
import { addChoiceOptions, addInventoryOptions } from '../options.ts'
import type { ChoiceFlags, ExitWith, InventoryFlags } from '../options.ts'

/** `msingi lint`: checks everything that can be checked without a host. */
export function addLint(program: Command, exitWith: ExitWith): void {
  const command = program
    .command('lint')
    .description('check playbooks, roles, templates and inventory; no host is contacted')
    .argument('<playbook...>', 'playbook files')
  addInventoryOptions(command)
  addChoiceOptions(command).action(async (files: readonly string[], flags: InventoryFlags & ChoiceFlags) => {
    const [{ openProject }, { leaves }, { plural }] = await Promise.all([
      import('../project.ts'),
      import('../../plan/leaves.ts'),
      import('../../report/quantity.ts'),
    ])
    const { plays } = openProject(files, flags, process.env).project
    const tasks = plays.flatMap(play => play.sections.flatMap(section => [...leaves(section.items)])).length
    const hosts = new Set(plays.flatMap(play => play.hosts)).size
    const found = [plural(files.length, 'playbook'), plural(tasks, 'task'), plural(hosts, 'host')]
    process.stdout.write(`no problems: ${found.join(', ')}\n`)
    exitWith(0)
  })
}
