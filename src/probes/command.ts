import type { Completed } from '../base/result.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { probeOf, type Family, type Probe, type Resource } from './probe.ts'
import { brokenOff, unreadable } from './unreadable.ts'

/** A command that a person says only reads. */
export interface CommandArg {
  /** The program and its arguments; for a line of shell `/bin/sh -c LINE`. */
  readonly argv: readonly string[]
  /** Folder to run it in. */
  readonly chdir?: string | undefined
}

/** It may depend on anything, so any change makes its answer stale. */
export const ANYTHING: readonly Resource[] = [
  { kind: 'tree', name: '/' },
  ...(
    ['package', 'unit', 'user', 'group', 'mount', 'sysctl', 'host', 'process', 'docker', 'device'] as const
  ).map(kind => ({ kind, name: '*' })),
]

/** Asks for the exit status of commands; what they print is thrown away. */
export const exitStatusFamily: Family<CommandArg, number> = {
  name: 'exit-status',
  key: keyOf,
  reads: () => ANYTHING,
  deadline: 60,
  absent: code => code !== 0,
  script: args =>
    lines(
      ...args.map(
        arg => sh`( umask 022; ${scriptOf(arg)} ) </dev/null >/dev/null 2>&1
printf '%s\\n' $?`,
      ),
    ),
  parse: parseStatuses,
}

/** Asks with which status the command ends. */
export const exitStatus = probeOf(exitStatusFamily)

/**
 * Asks for all that a command answers. Output can hold anything, so no two commands share a script: each is a family of
 * its own.
 */
export function output(arg: CommandArg): Probe<Completed> {
  return probeOf<CommandArg, Completed>({
    name: 'output',
    key: keyOf,
    reads: () => ANYTHING,
    absent: () => false,
    deadline: 300,
    script: () => sh`umask 022; ${scriptOf(arg)} </dev/null`,
    parse: answer => [answer],
  })(arg)
}

/** Returns the script that runs the command, and nothing after it. */
export function scriptOf({ argv, chdir }: CommandArg): Sh {
  return chdir === undefined ? sh`exec ${argv}` : sh`cd -- ${chdir} && exec ${argv}`
}

function keyOf({ argv, chdir = '' }: CommandArg): string {
  return JSON.stringify([chdir, ...argv])
}

function parseStatuses(answer: Completed, args: readonly CommandArg[]): readonly number[] {
  if (answer.code !== 0) throw brokenOff('sh', answer)
  const rows = answer.out.split('\n').slice(0, -1)
  if (rows.length !== args.length || rows.some(row => !/^\d{1,3}$/.test(row))) {
    throw unreadable(
      `expected a status for each of ${args.length} commands, found \`${answer.out.slice(0, 80)}\``,
    )
  }
  return rows.map(Number)
}
