import { z } from 'zod'
import type { Change, Completed, Registered } from '../base/result.ts'
import type { Secret } from '../base/secret.ts'
import type { LocalFile, LocalVars } from './_local.ts'
import type { Probe, Probes, Resource, StateOf } from '../probes/probe.ts'
import type { Sh } from '../shell/sh.ts'

/** A condition of the project with its verdict; the module sees no variables. */
export interface Verdict {
  readonly text: string
  readonly holds: boolean
}

/**
 * Parameters that name something on the controller. The runner puts the thing in their place before `params` are parsed:
 * `file` a LocalFile, `tree` a LocalFile or LocalTree, `template` the rendered text, `condition` a Verdict (or a list of them),
 * `variable` the value of the variable of that name, `place` a LocalPlace, `vars` LocalVars.
 */
export type Input = 'file' | 'tree' | 'template' | 'condition' | 'variable' | 'place' | 'vars'

export type Content = string | Uint8Array | LocalFile | Secret

/** Content that the controller fetches from the network when it is needed, and keeps under its checksum. */
export interface Download {
  readonly url: string | Secret
  readonly headers: Readonly<Record<string, string | Secret>>
  readonly algorithm: 'md5' | 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512'
  /** Hexadecimal; what was fetched must have it. */
  readonly digits: string
  readonly seconds: number
}

/** Owner and permissions of something to be written. Numbers of users and groups are given as digits. */
export interface Ownership {
  /** Octal digits such as `0644`, or a symbolic mode such as `u=rw,g=r`. */
  readonly mode?: string | undefined
  readonly owner?: string | undefined
  readonly group?: string | undefined
}

/** What the runner will perform. Data, so it can be shown, tested and refused. */
export type Action =
  | {
      readonly do: 'run'
      readonly script: Sh
      /** May be interrupted by nothing: runs as a detached job that outlives the link. Default true; `false` for commands that end at once. */
      readonly detached?: boolean
      readonly env?: Readonly<Record<string, string>>
      /** Reaches the command's standard input; the way for secrets. */
      readonly stdin?: string | Secret
      /** Keeps rc, stdout and stderr for `register`. A code other than 0 then still fails the task. */
      readonly capture?: boolean
    }
  | ({
      /** Writes a file atomically: temp in the same directory → owner, mode → validate → fsync → rename → fsync directory. */
      readonly do: 'write'
      readonly path: string
      /** False replaces a symbolic link by the file; default true: what it leads to is written. */
      readonly follow?: boolean
      readonly content: Content | Download
      /** Script with `%s` for the temporary file's path; the built-in validator of a known path runs as well. */
      readonly validate?: string
      readonly backup?: boolean
    } & Ownership)
  | {
      /** Brings a file of the host to the controller, checks it and puts it in its place in one step. */
      readonly do: 'keep'
      /** On the host. */
      readonly path: string
      readonly bytes: number
      readonly sha256: string
      /** Absolute path on the controller, chosen by it alone. */
      readonly to: string
      /** Folder on the controller outside of which nothing is written, symbolic links followed. */
      readonly root: string
    }
  | {
      /** Restarts the host and waits until it is back in another life; stands alone. All that was known of the host is asked anew. */
      readonly do: 'reboot'
      /** What restarts it; run a moment after the answer has left. */
      readonly command: Sh
      /** Ends with status 0 once the host counts as back. */
      readonly test: Sh
      /** Seconds the host may take. */
      readonly seconds: number
      /** Seconds to wait before, and after it answers again. */
      readonly preDelay: number
      readonly postDelay: number
    }

/** Time that an apply spends before a task's questions are asked; a plan spends none. */
export interface Patience {
  /** For so many seconds to go by, or for the host to answer within so many. */
  readonly for: 'time' | 'host'
  readonly seconds: number
  /** Seconds before the first attempt, and between the first two. */
  readonly delay?: number
  readonly sleep?: number
}

/** Facts that a module may need to choose its questions; asked once with the first frame. */
export interface HostView {
  readonly name: string
  /** The effective user of the shell the task runs in. */
  readonly user: string
  readonly uid: number
  /** As whom, and with which key (its fingerprint `SHA256:…`), the host was reached; undefined where nobody logged in. */
  readonly login?: { readonly user: string; readonly key: string | undefined } | undefined
  /** Differences will be shown as texts (`--diff`): content may be asked for where a checksum alone would do. */
  readonly wantsDiff?: boolean
}

/** A host, known or new, in groups. */
export interface Membership {
  readonly host: string
  readonly groups: readonly string[]
  /** Groups that these groups belong to. */
  readonly parents: readonly string[]
  /** Variables of the host: values, never templates. */
  readonly vars: Registered
}

/** A question and its answer as it will be. */
export type Foretold = readonly [question: Probe<unknown>, answer: unknown]

/**
 * What a module does on the host, in four pure statements, in this order. What takes the changes is written as a method,
 * so that a module that never has any fits into a list with the others.
 */
export interface Module<S extends z.ZodType, Q extends Probes, C extends Change> {
  /** The YAML key, the file's name and the export's name. */
  readonly name: string
  /** One sentence in the third person. */
  readonly summary: string
  /** Complete tasks in YAML; they are parsed by a test. */
  readonly examples: readonly string[]
  /** Where it differs from Ansible's module of that name, and why; printed on its page. */
  readonly deviations?: readonly string[]
  /** Other keys for the same module, such as `systemd_service`. */
  readonly aliases?: readonly string[]
  /** Name of the parameter that a bare string stands for, such as `cmd` of `command: ls`. */
  readonly freeForm?: string
  /** Parameters that name something on the controller, by key. */
  readonly inputs?: Readonly<Record<string, Input>>
  /** Strict object; every field carries `.describe()`. */
  readonly params: S
  /** The read-only questions it needs. */
  readonly probe: (params: z.output<S>, host: HostView) => Q
  /**
   * What differs; empty means the host is already right.
   *
   * @throws TaskError where the wish cannot or must not be carried out.
   */
  readonly diff: (params: z.output<S>, state: StateOf<Q>) => readonly C[]
  /** What to do about it. */
  apply(this: void, changes: readonly C[], params: z.output<S>, state: StateOf<Q>): readonly Action[]
  /**
   * The state as it will be once the changes are made, for those probes whose answer can be foretold; plans of later
   * tasks stand on it. `diff(params, { ...state, ...expect(params, state) })` is empty.
   */
  readonly expect?: (params: z.output<S>, state: StateOf<Q>) => Partial<StateOf<Q>>
  /**
   * Answers to questions of other modules as they will be once the changes are made: a new unit file makes a unit that is
   * loaded and not running, a new user a home folder.
   */
  foretells?(changes: readonly C[], params: z.output<S>, state: StateOf<Q>): readonly Foretold[]
  /** All that the actions may alter on the host, its own probes' resources included. Without it, or `undefined`: anything. */
  touches?(this: void, changes: readonly C[], params: z.output<S>): readonly Resource[] | undefined
  /**
   * Things that may come to exist by the changes without being foretold one by one, such as a package's units and files:
   * in a plan an answer "absent" about them is unknown until the task is applied.
   */
  brings?(this: void, changes: readonly C[], params: z.output<S>): readonly Resource[]
  /** False where nothing can be compared (a command without `creates`, `removes`, `unless`); default true. */
  readonly checkable?: (params: z.output<S>) => boolean
  /** False where the probe would not show the change afterwards (a restart, a command); default true. */
  verifiable?(this: void, params: z.output<S>, changes: readonly C[]): boolean
  /** True where it does nothing on the host at all (`debug`, `assert`); no connection is made for it. */
  readonly controller?: boolean
  /** What an apply waits for before it asks anything (`pause`, `wait_for_connection`). */
  readonly patience?: (params: z.output<S>) => Patience
  /** True where its actions wait and change nothing (`wait_for`): done, it counts as ok. */
  readonly waits?: boolean
  /** True where it never changes anything and its result is the point (`stat`, `find`). */
  readonly reads?: boolean
  /** What `register` holds besides changed, failed, skipped and the captured output. */
  result?(this: void, params: z.output<S>, state: StateOf<Q>, changes: readonly C[]): Registered
  /**
   * What `register` holds of the captured output, in place of rc, stdout and stderr; asked where the actions ended with 0.
   *
   * @throws TaskError where the answer means a failure.
   */
  said?(this: void, params: z.output<S>, answer: Completed): Registered
  /** Hosts and memberships that it adds to the inventory, for later plays (`add_host`, `group_by`); `host` is the one it runs for. */
  adds?(this: void, params: z.output<S>, host: string): readonly Membership[]
  /** Variables of the project that the host sees from now on, all of them under a name where one is given (`include_vars`). */
  includes?(this: void, params: z.output<S>): { readonly from: LocalVars; readonly under: string | undefined }
  /** Variables it sets for the host (`set_fact`). */
  readonly sets?: (params: z.output<S>) => Registered
}

/** Checks a module's four statements against each other; keep them in the order params, probe, diff, apply, so that types flow. */
export function defineModule<S extends z.ZodType, Q extends Probes, const C extends Change>(
  module: Module<S, Q, C>,
): Module<S, Q, C> {
  return module
}

/** A module of which the types are not known any more: the one form the registry and the runner work with. */
// oxlint-disable-next-line typescript/no-explicit-any -- a registry of generics needs one
export type AnyModule = Module<z.ZodType<any>, any, any>

/** Drops what does not hold, so that a diff reads as a list of "this differs && this change". */
export function changes<const C extends Change>(
  ...found: readonly (C | false | undefined | null)[]
): readonly C[] {
  return found.filter(change => change !== false && change !== undefined && change !== null)
}

/** Returns the names of the module's parameters, or undefined where it takes any name (`set_fact`). */
export function paramNames(module: AnyModule): readonly string[] | undefined {
  let schema: unknown = module.params
  while (schema instanceof z.ZodPipe) schema = schema.in
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : undefined
}
