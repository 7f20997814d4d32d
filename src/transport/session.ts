import type { Completed } from '../base/result.ts'
import type { Sh } from '../shell/sh.ts'

/** Who a shell runs as. `undefined` is the login user. */
export interface Become {
  readonly user: string
  readonly method: 'sudo' | 'su' | 'doas'
}

/** One piece of a frame; the pieces run in order, each in a subshell of its own, whatever the earlier ones answered. */
export interface Part {
  readonly script: Sh
  /** Called with output as it arrives; the text is not kept in the answer beyond the limit of captured output. */
  readonly onOutput?: (stream: 'stdout' | 'stderr', text: string) => void
  /**
   * Bytes kept of each stream. Where more is written, a part with `onOutput` keeps the beginning and the end (default
   * 1 MiB), one without makes the exchange fail with a TaskError `OUTPUT_TOO_LONG` (default 64 MiB).
   */
  readonly limit?: number
  /** See `Piece` of shell/frame.ts. */
  readonly holds?: string
}

export interface FrameOptions {
  /** Milliseconds from sending to the last answer. When they are over the session is closed and a DeadlineError thrown. */
  readonly deadlineMs: number
  readonly signal?: AbortSignal
}

/** What travelled so far. Bytes are those on the wire, handshake included. */
export interface Usage {
  readonly frames: number
  readonly bytesSent: number
  readonly bytesReceived: number
}

/** As whom, and with which key, the connection was opened. */
export interface LoggedIn {
  readonly user: string
  /** The key's fingerprint, `SHA256:…`; undefined where no key was needed. */
  readonly key: string | undefined
}

/** One shell on one host, kept open for the run. Frames are sent one after the other. */
export interface Session {
  readonly host: string
  readonly user: string
  readonly uid: number
  /** Undefined where nobody logged in: on this very machine. */
  readonly login?: LoggedIn | undefined
  /** Noise that stood before the handshake, and the like. */
  readonly warnings: readonly string[]
  /** A private 0700 directory on the host that goes away with the session. */
  readonly scratch: string
  /**
   * Sends one frame and resolves with an answer for each part, in order.
   *
   * @throws ConnectError with stage `lost` where the link or the shell is gone, `protocol` where the host answers what it must not; DeadlineError where time is up.
   */
  readonly exchange: (parts: readonly Part[], options: FrameOptions) => Promise<readonly Completed[]>
  /** Puts bytes into a file of the scratch directory and returns its path; by a second channel where the host allows one, else in chunks. */
  readonly upload: (content: Uint8Array, options: FrameOptions) => Promise<string>
  readonly close: () => Promise<void>
}

/** All shells of one host over one connection (more only where the host refuses a second channel). */
export interface Connection {
  readonly host: string
  /** Opens the shell of that user, or returns the one already open. */
  readonly shell: (become: Become | undefined) => Promise<Session>
  readonly usage: () => Usage
  readonly close: () => Promise<void>
}

/** Where a host is reached other than the inventory says. */
export interface Way {
  readonly port?: number | undefined
}

/** Opens connections, each a new one; handed to the run by the command line, faked in tests. */
export type Connect = (host: string, signal: AbortSignal, way?: Way) => Promise<Connection>
