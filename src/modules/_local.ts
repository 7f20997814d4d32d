/** A file on the controller that was found and read before the first connection. */
export interface LocalFile {
  /** Where it lies, for messages. */
  readonly path: string
  readonly sha256: string
  readonly bytes: number
  /** Permission bits on the controller, for `mode: preserve`. */
  readonly mode?: number
  readonly content: () => Uint8Array
}

/** One file of a folder on the controller; `name` is relative to the folder, with `/`. */
export interface LocalEntry {
  readonly name: string
  readonly kind: 'file' | 'directory' | 'link'
  /** Permission bits on the controller, such as 0o644. */
  readonly mode: number
  readonly file?: LocalFile
  readonly target?: string
}

/** A folder on the controller, walked depth first, parents before children. */
export interface LocalTree {
  readonly path: string
  readonly entries: readonly LocalEntry[]
}

/** A place on the controller that files of hosts are kept in; nothing needs to be there yet. */
export interface LocalPlace {
  /** Absolute; as it was written, so with a closing slash where a folder is meant. */
  readonly path: string
  /** The host's name in the inventory. */
  readonly host: string
  /** Returns the SHA-256 of the regular file at the absolute path, or undefined where there is none. */
  readonly sumOf: (path: string) => string | undefined
}

/** Variables of a file or folder on the controller. */
export interface LocalVars {
  readonly path: string
  readonly files: readonly string[]
  /** The names that are set there. */
  readonly names: readonly string[]
  /** What is set, for the runner alone. */
  readonly maps: readonly { readonly file: string; readonly vars: unknown }[]
}
