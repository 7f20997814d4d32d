import type { Command } from 'commander'
import { addPlayOptions, wholeNumber } from '../options.ts'
import type { ExitWith, PlayFlags } from '../options.ts'

/** `msingi apply`: makes hosts what the playbooks say. */
export function addApply(program: Command, exitWith: ExitWith): void {
  const command = program
    .command('apply')
    .description('make hosts what the playbooks say')
    .argument('[playbook...]', 'playbook files, run in this order; or one plan that `plan --out` kept')
    .option('-C, --check', 'change nothing; say what would change (exit status 2)')
    .option(
      '--resume',
      'take up the apply that did not come to its end: its hosts, and the handlers they owe',
    )
    .option('--partial', 'of a plan, apply what still holds where other items have moved')
    .option(
      '--wait [seconds]',
      'wait for a run that holds a host or this inventory (600 where not said), instead of failing at once',
      wholeNumber('--wait'),
    )
    .option('--steal', 'end the run that holds a host, in the middle of its work')
  addPlayOptions(command).action(async (files: readonly string[], flags: PlayFlags) => {
    const { play, resume } = await import('../play.ts')
    const { applyKept, isKeptPlan } = await import('../kept-plan.ts')
    if (flags.resume) exitWith(await resume(files, flags))
    else if (isKeptPlan(files)) exitWith(await applyKept(files[0] ?? '', flags))
    else exitWith(await play(flags.check ? 'check' : 'apply', files, flags))
  })
}
