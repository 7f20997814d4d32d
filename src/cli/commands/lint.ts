import type { Command } from 'commander'
import { addChoiceOptions, addInventoryOptions } from '../options.ts'
import type { ExitWith, LintFlags } from '../options.ts'

/** `msingi lint`: checks everything that can be checked without a host. */
export function addLint(program: Command, exitWith: ExitWith): void {
  const command = program
    .command('lint')
    .description('check playbooks, roles, templates and inventory; no host is contacted')
    .argument('[playbook...]', 'playbook files')
    .option('--check-roles', 'also every role by itself: its signature, and that its texts keep to it')
  addInventoryOptions(command)
  addChoiceOptions(command).action(async (files: readonly string[], flags: LintFlags) => {
    const { lint } = await import('../lint.ts')
    process.stdout.write(lint(files, flags))
    exitWith(0)
  })
}
