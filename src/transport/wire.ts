import type { Readable, Writable } from 'node:stream'

/** How a wire ended: the exit status or signal of the command at its far end, or what cut it. */
export type WireEnd = { readonly code: number | null; readonly signal: string | null } | Error

/** A running command on a host with its three streams: an ssh exec channel or a local child process. */
export interface Wire {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Resolves once, when the command has ended and everything it wrote has been read; it never rejects. */
  readonly closed: Promise<WireEnd>
  /** Ends the wire at once; calling it again does nothing. */
  close(): void
}

/** Starts a command line in the login user's shell on the host. */
export type OpenWire = (command: string) => Promise<Wire>
