import { Option } from 'commander'
import type { Command } from 'commander'
import type { ExitWith, TestFlags } from '../options.ts'

/** `msingi test`: proves a role or playbook on a throw-away host. */
export function addTest(program: Command, exitWith: ExitWith): void {
  const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]
  program
    .command('test')
    .description(
      'prove a role or a playbook on a throw-away host: converge, idempotence, drift, mutate, verify',
    )
    .argument('<role|playbook>', 'name of a role, or a playbook file')
    .addOption(
      new Option('--kind <kind>', 'the host: container starts in seconds, vm has a kernel of its own')
        .choices(['container', 'vm'])
        .default('container'),
    )
    .addOption(
      new Option('--os <system>', 'what the host runs')
        .choices(['debian-12', 'debian-13'])
        .default('debian-12'),
    )
    .addOption(
      new Option('--group <name>', 'a group the host is in; may be given several times')
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(
      new Option('-e, --extra-vars <vars>', 'variables: key=text, key:=json, @file.yml or {json}')
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--junit <file>', 'also write the outcome as JUnit XML')
    .option('--keep', 'leave the host running')
    .action(async (target: string, flags: TestFlags) => {
      const { test } = await import('../test.ts')
      exitWith(await test(target, flags))
    })
}
