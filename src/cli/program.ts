import { Command } from 'commander'
import type { CommanderError } from 'commander'
import { UsageError } from '../base/error.ts'
import { addApply } from './commands/apply.ts'
import { addBundle } from './commands/bundle.ts'
import { addDrift } from './commands/drift.ts'
import { addDrill } from './commands/drill.ts'
import { addExec } from './commands/exec.ts'
import { addExplain } from './commands/explain.ts'
import { addFacts } from './commands/facts.ts'
import { addHosts } from './commands/hosts.ts'
import { addLab } from './commands/lab.ts'
import { addLint } from './commands/lint.ts'
import { addModules } from './commands/modules.ts'
import { addPlan } from './commands/plan.ts'
import { addRevert } from './commands/revert.ts'
import { addRoles } from './commands/roles.ts'
import { addTest } from './commands/test.ts'
import { addVars } from './commands/vars.ts'
import type { ExitWith } from './options.ts'

const STATUSES = `
Exit status:
  0  done, or no difference
  1  a task failed on a host
  2  differences found (plan, drift, apply --check)
  3  a host could not be reached
  4  the project or the command line is wrong; nothing was contacted
  70 a bug of msingi
  130 interrupted`

/** Returns the command line's grammar. Commands load what they need when they run, so that asking for help costs nothing. */
export function makeProgram(exitWith: ExitWith): Command {
  const program = new Command('msingi')
    .description('Provisions servers over SSH and tells how they differ from what they should be.')
    .option('-V, --version', 'print the version')
    .addHelpText('after', STATUSES)
    .enablePositionalOptions()
  for (const add of [
    addApply,
    addPlan,
    addDrift,
    addLint,
    addExplain,
    addVars,
    addFacts,
    addExec,
    addRevert,
    addHosts,
    addBundle,
    addLab,
    addDrill,
    addTest,
    addModules,
    addRoles,
  ]) {
    add(program, exitWith)
  }
  quieten(program)
  return program
}

/** Errors of the grammar are thrown, not printed, so that they look like all others. */
function quieten(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => undefined })
  for (const inner of command.commands) quieten(inner)
}

/** Returns commander's complaint as ours; undefined where it only ended because help was shown. */
export function usageError(error: CommanderError): UsageError | undefined {
  if (error.code === 'commander.helpDisplayed' || error.code === 'commander.help') return undefined
  const [, message = error.message, guess] = /^error: ([^\n]*)\n?(?:\((.*)\))?/s.exec(error.message) ?? []
  const code = /option/i.test(error.code) || message.startsWith('option ') ? 'BAD_OPTION' : 'BAD_ARGUMENT'
  const hint = guess ?? 'run `msingi --help`, or `--help` after a command'
  return new UsageError(code, message.replaceAll("'", '`'), hint.charAt(0).toLowerCase() + hint.slice(1))
}
