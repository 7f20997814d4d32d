import { TaskError } from '../base/error.ts'
import type { Change, Completed, Registered } from '../base/result.ts'
import { Secret } from '../base/secret.ts'
import { exitStatus, output } from '../probes/command.ts'
import { exists } from '../probes/exists.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import { lines, sh } from '../shell/sh.ts'
import { z } from 'zod'
import { complain, flag, maybeSecret, path } from './_params.ts'
import type { Action } from './module.ts'

/** Parameters that `command` and `shell` share. */
export const commandParams = {
  chdir: path().optional().describe('Folder to run it in.'),
  creates: z
    .string()
    .min(1)
    .optional()
    .describe('Path, or pattern with `*`, `?`, `[…]`: where it is there, there is nothing to do.'),
  removes: z
    .string()
    .min(1)
    .optional()
    .describe('Path, or pattern: where it is not there, there is nothing to do.'),
  unless: z
    .string()
    .min(1)
    .optional()
    .describe('Line of shell that only reads: where it ends with status 0, there is nothing to do.'),
  reads: flag()
    .default(false)
    .describe('It only reads: it runs in `plan` and `drift` as well, and changes nothing.'),
  stdin: maybeSecret().optional().describe('What it reads; nothing where not given.'),
  stdin_add_newline: flag().default(true).describe('End what it reads with a new line.'),
  strip_empty_ends: flag()
    .default(true)
    .refine(value => value, '`false` found; the last line end is always left out')
    .describe('Leave out the line end at the end of the output: always.'),
}

export interface CommandWish {
  readonly chdir?: string | undefined
  readonly creates?: string | undefined
  readonly removes?: string | undefined
  readonly unless?: string | undefined
  readonly reads: boolean
  readonly stdin?: string | Secret | undefined
  readonly stdin_add_newline: boolean
  /** The program and its arguments. */
  readonly argv: readonly string[]
  /** As a person reads it. */
  readonly shown: string
}

/** Complains about what cannot go together. */
export function checkCommand(
  wish: Pick<CommandWish, 'reads' | 'chdir' | 'creates' | 'removes' | 'unless' | 'stdin'>,
  context: z.RefinementCtx,
): void {
  for (const key of ['creates', 'removes', 'unless', 'stdin'] as const) {
    if (wish.reads && wish[key] !== undefined)
      complain(
        context,
        key,
        `\`reads\` found with it; a command that only reads is always run, without input`,
      )
  }
  for (const key of ['creates', 'removes'] as const) {
    const value = wish[key]
    if (value !== undefined && !value.startsWith('/') && wish.chdir === undefined) {
      complain(context, key, `the relative path \`${value}\` found, an absolute one or \`chdir\` expected`)
    }
  }
}

export type CommandQuestions = {
  readonly answer?: Probe<Completed>
  readonly creates?: Probe<boolean>
  readonly removes?: Probe<boolean>
  readonly unless?: Probe<number>
}
export type CommandState = StateOf<CommandQuestions>

export function commandQuestions(wish: CommandWish): CommandQuestions {
  const { chdir, creates, removes, unless } = wish
  if (wish.reads) return { answer: output({ argv: wish.argv, chdir }) }
  return {
    ...(creates !== undefined && { creates: exists(absolute(creates, chdir)) }),
    ...(removes !== undefined && { removes: exists(absolute(removes, chdir)) }),
    ...(unless !== undefined && { unless: exitStatus({ argv: ['/bin/sh', '-c', unless], chdir }) }),
  }
}

/** Returns whether there is anything to compare. */
export function isCheckable({ reads, creates, removes, unless }: CommandWish): boolean {
  return reads || creates !== undefined || removes !== undefined || unless !== undefined
}

/** @throws TaskError with code `COMMAND_FAILED` where a command that only reads ends with another status than 0. */
export function commandDiff(wish: CommandWish, state: CommandState): readonly Change[] {
  const { answer } = state
  if (answer && answer.code !== 0) {
    const said = answer.err.trim().split('\n').at(-1) ?? ''
    throw new TaskError(
      'COMMAND_FAILED',
      `\`${wish.shown}\` ended with status ${answer.code}${said === '' ? '' : `: ${said}`}`,
      undefined,
      answer,
    )
  }
  if (wish.reads || reasonToRest(wish, state) !== undefined) return []
  return [{ kind: 'run', what: wish.shown, before: null, after: 'run' }]
}

/** Runs it in an `exec`, so that only programs are run: what the shell has built in would do nothing outside of it. */
export function commandActions({
  argv,
  chdir,
  stdin,
  stdin_add_newline: ends,
}: CommandWish): readonly Action[] {
  const script = lines(
    sh`umask 022`,
    chdir !== undefined && sh`cd -- ${chdir} || exit`,
    stdin === undefined ? sh`( exec ${argv} ) </dev/null` : sh`( exec ${argv} )`,
  )
  return [{ do: 'run', script, capture: true, ...(stdin !== undefined && { stdin: ended(stdin, ends) }) }]
}

export function commandAfter({ creates, removes, unless }: CommandWish): Partial<CommandState> {
  return {
    ...(creates !== undefined && { creates: true }),
    ...(removes !== undefined && { removes: false }),
    ...(unless !== undefined && { unless: 0 }),
  }
}

/** What `register` holds; the output of a command that was run is added by the runner. */
export function commandResult(
  wish: CommandWish,
  state: CommandState,
  cmd: string | readonly string[],
  found: readonly Change[],
): Registered {
  if (state.answer) return { cmd, ...outputOf(state.answer) }
  const reason = found.length > 0 ? undefined : reasonToRest(wish, state)
  if (reason === undefined) return { cmd }
  return {
    cmd,
    msg: `nothing to do, because ${reason}`,
    rc: 0,
    stdout: '',
    stderr: '',
    stdout_lines: [],
    stderr_lines: [],
  }
}

function reasonToRest({ creates, removes, unless }: CommandWish, state: CommandState): string | undefined {
  if (state.creates === true) return `\`${creates}\` is there`
  if (state.removes === false) return `\`${removes}\` is not there`
  return state.unless === 0 ? `\`${unless}\` holds` : undefined
}

function outputOf({ code, out, err }: Completed): Registered {
  const [stdout, stderr] = [out, err].map(text => text.replace(/\r?\n$/, '')) as [string, string]
  const rows = (text: string): readonly string[] => (text === '' ? [] : text.split(/\r?\n/))
  return { rc: code, stdout, stderr, stdout_lines: rows(stdout), stderr_lines: rows(stderr) }
}

function absolute(pattern: string, chdir: string | undefined): string {
  return pattern.startsWith('/') || chdir === undefined ? pattern : `${chdir === '/' ? '' : chdir}/${pattern}`
}

function ended(stdin: string | Secret, ends: boolean): string | Secret {
  const close = (value: string): string => (ends && !value.endsWith('\n') ? `${value}\n` : value)
  return stdin instanceof Secret ? new Secret(close(stdin.reveal())) : close(stdin)
}
