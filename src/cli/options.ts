import { Option } from 'commander'
import type { Command } from 'commander'
import { UsageError } from '../base/error.ts'

/** Gives the process its exit status once a command has run. */
export type ExitWith = (status: number) => void

/** Where the keys to encrypted files and values come from. */
export interface KeyFlags {
  readonly identity?: readonly string[]
  readonly vaultPasswordFile?: readonly string[]
  readonly vaultId?: readonly string[]
}

/** Where hosts and variables come from. */
export interface InventoryFlags extends KeyFlags {
  readonly inventory: readonly string[]
  readonly limit?: string
  readonly extraVars: readonly string[]
}

/** How hosts are reached and who tasks become. */
export interface ReachFlags {
  readonly user?: string
  readonly privateKey?: string
  readonly timeout?: number
  readonly link?: 'normal' | 'slow'
  readonly forks: number
  readonly become?: true
  readonly becomeUser?: string
  readonly becomeMethod?: 'sudo' | 'su' | 'doas'
  readonly askBecomePass?: true
  readonly becomePasswordFile?: string
}

/** What is told, and how. */
export interface OutputFlags {
  readonly output: readonly string[]
  readonly diff?: true
  readonly verbose: number
}

/** Which tasks of the playbooks are meant. */
export interface ChoiceFlags {
  readonly tags: readonly string[]
  readonly skipTags: readonly string[]
}

/** All that `apply`, `plan` and `drift` understand. */
export interface PlayFlags extends InventoryFlags, ReachFlags, OutputFlags, ChoiceFlags {
  readonly check?: true
  readonly listHosts?: true
  readonly listTasks?: true
  readonly yes?: true
  /** Where `plan` keeps its result. */
  readonly out?: string
  /** Apply what still holds of a plan that has moved. */
  readonly partial?: true
  /** Take up the apply that did not come to its end. */
  readonly resume?: true
  /** Wait for whoever holds a host or the inventory: seconds, or as long as is usual. */
  readonly wait?: number | true
  /** End whoever holds a host. */
  readonly steal?: true
  /** Seconds for the whole run. */
  readonly deadline?: number
  /** Seconds for each task that does not say so itself. */
  readonly taskTimeout?: number
}

/** All that `lint` understands. */
export interface LintFlags extends InventoryFlags, ChoiceFlags {
  /** Check every role by itself. */
  readonly checkRoles?: true
}

/** All that `exec` understands. */
export interface ExecFlags extends InventoryFlags, ReachFlags {
  /** Seconds. */
  readonly deadline: number
  readonly output: 'plain' | 'json'
}

/** All that `revert` understands. */
export interface RevertFlags extends InventoryFlags, ReachFlags, OutputFlags {
  readonly run?: string
  readonly list?: true
  readonly check?: true
}

/** All that `runs` understands. */
export interface RunsFlags {
  readonly count: number
  readonly output: 'plain' | 'json'
}

/** All that `doctor` understands. */
export interface DoctorFlags extends InventoryFlags, ReachFlags {
  readonly output: 'plain' | 'json'
}

/** All that `facts` understands. */
export interface FactsFlags extends InventoryFlags, ReachFlags {
  readonly output: 'plain' | 'json'
}

/** All that `explain` understands. */
export interface ExplainFlags extends InventoryFlags, ReachFlags, ChoiceFlags {
  readonly scripts?: true
}

/** All that `hosts trust` understands. */
export interface TrustFlags extends InventoryFlags, ReachFlags {
  readonly yes?: true
  readonly replace?: true
  readonly knownHosts?: string
}

/** All that `lab up` understands. */
export interface LabUpFlags {
  readonly kind: 'vm' | 'container'
  readonly os: 'debian-12' | 'debian-13'
  readonly hosts: number
  readonly disk: readonly string[]
  readonly medium?: string
  readonly memory: string
  readonly cpus?: number
  readonly tpm?: true
  readonly internet?: true
  readonly publish: readonly string[]
  readonly package: readonly string[]
}

/** Which lab a command is about. */
export interface LabFlags {
  readonly lab?: string
}

/** All that `drill` understands. */
export interface DrillFlags {
  readonly inventory: string
  readonly limit?: string
  readonly set: readonly string[]
  readonly output: 'plain' | 'json'
}

/** All that `test` understands. */
export interface TestFlags {
  readonly kind: 'container' | 'vm'
  readonly os: 'debian-12' | 'debian-13'
  readonly group: readonly string[]
  readonly extraVars: readonly string[]
  readonly junit?: string
  readonly keep?: true
}

const DEFAULT_FORKS = 32

export function addKeyOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--identity <file>',
        'open what age encrypted with this identity; may be given several times',
      )
        .argParser(collect)
        .default([], '$MSINGI_IDENTITY_FILE, ~/.config/msingi/identity.txt'),
    )
    .addOption(
      new Option('--vault-password-file <file>', 'open what ansible-vault encrypted with this password')
        .argParser(collect)
        .default([], '$ANSIBLE_VAULT_PASSWORD_FILE'),
    )
    .addOption(
      new Option('--vault-id <id@file>', 'the same for one vault id; `id@prompt` asks')
        .argParser(collect)
        .default([], 'none'),
    )
}

export function addInventoryOptions(command: Command): Command {
  return addKeyOptions(command)
    .addOption(
      new Option('-i, --inventory <path>', 'inventory file or folder; may be given several times')
        .argParser(collect)
        .default([], 'inventory/ beside the playbook, or $MSINGI_INVENTORY'),
    )
    .option('-l, --limit <pattern>', 'only hosts that this pattern also matches')
    .addOption(
      new Option('-e, --extra-vars <vars>', 'variables: key=text, key:=json, @file.yml or {json}')
        .argParser(collect)
        .default([], 'none'),
    )
}

export function addReachOptions(command: Command): Command {
  return command
    .option('-u, --user <name>', 'log in as this user')
    .option('--private-key <file>', 'offer this key')
    .option('-T, --timeout <seconds>', 'wait this long for a connection', wholeNumber('--timeout'))
    .addOption(
      new Option('--link <speed>', 'what to expect of the lines to the hosts').choices(['normal', 'slow']),
    )
    .option('-f, --forks <count>', 'hosts worked on at once', wholeNumber('--forks'), DEFAULT_FORKS)
    .option('-b, --become', 'become another user, where the playbook does not say')
    .option('--become-user <name>', 'the user to become (root)')
    .addOption(
      new Option('--become-method <method>', 'how to become that user').choices(['sudo', 'su', 'doas']),
    )
    .option('-K, --ask-become-pass', 'ask for the password that becoming needs')
    .option('--become-password-file <file>', 'read that password from a file')
}

export function addOutputOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--output <form>',
        'tty, plain, json, junit, prometheus or html, =FILE to write to a file; may be given several times',
      )
        .argParser(collect)
        .default([], 'tty on a terminal, else plain'),
    )
    .option('-D, --diff', 'show differing texts line by line')
    .addOption(
      new Option('-v, --verbose', 'tell more; -vv also what tasks returned')
        .argParser((_value, before: number) => before + 1)
        .default(0, '0'),
    )
}

export function addChoiceOptions(command: Command): Command {
  return command
    .addOption(
      new Option('-t, --tags <tags>', 'only tasks with one of these tags')
        .argParser(words)
        .default([], 'all'),
    )
    .addOption(
      new Option('--skip-tags <tags>', 'not the tasks with these tags').argParser(words).default([], 'none'),
    )
}

/** Adds everything that commands with playbooks share. */
export function addPlayOptions(command: Command): Command {
  addInventoryOptions(command)
  addChoiceOptions(command)
  addReachOptions(command)
  return addOutputOptions(command)
    .option('--deadline <seconds>', 'end the run after this time, as Ctrl-C would', wholeNumber('--deadline'))
    .option(
      '--task-timeout <seconds>',
      'the longest a command of a task may take that has no `timeout` (an hour)',
      wholeNumber('--task-timeout'),
    )
    .option('-y, --yes', 'ask nothing; take yes for the answer')
    .option('--list-hosts', 'list the hosts and stop')
    .option('--list-tasks', 'list the tasks and stop')
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}

function words(value: string, before: readonly string[]): readonly string[] {
  return [...before, ...value.split(',').filter(word => word !== '')]
}

/** Returns a reader of whole numbers from 1. */
export function wholeNumber(flag: string): (value: string) => number {
  return value => {
    const number = Number(value)
    if (/^\d+$/.test(value) && number >= 1) return number
    throw new UsageError('BAD_OPTION', `\`${flag}\` is \`${value}\`, expected a whole number from 1`)
  }
}
