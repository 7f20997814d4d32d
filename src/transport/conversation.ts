import { performance } from 'node:perf_hooks'
import { ConnectError, DeadlineError, TaskError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import { FrameReader, type Hello, type StreamName, type Wanted } from '../shell/frame-reader.ts'
import type { FrameOptions, Usage } from './session.ts'
import type { Wire, WireEnd } from './wire.ts'

/** How long a shell may take to tidy up and end by itself. */
const FAREWELL_MS = 2000

interface Pending {
  readonly resolve: (answers: readonly Completed[]) => void
  readonly reject: (error: unknown) => void
}

/** One wire with the protocol on it: sends one request at a time, receives its answers, and ends for good on any fault. */
export class Conversation {
  readonly host: string
  /** Resolves when the talk has ended, by whatever cause. */
  readonly ended: Promise<void>
  readonly #wire: Wire
  readonly #reader: FrameReader
  readonly #usage = { frames: 0, bytesSent: 0, bytesReceived: 0 }
  #seq = 0
  #pending: Pending | undefined
  #over: Error | undefined
  #breach: ConnectError | undefined
  #onHello: ((hello: Hello) => void) | undefined
  #onNoise: (() => void) | undefined

  constructor(host: string, wire: Wire, marker: string) {
    this.host = host
    this.#wire = wire
    this.#reader = new FrameReader(marker, {
      hello: hello => this.#onHello?.(hello),
      answers: answers => this.#answer(answers),
    })
    // A broken pipe shows as the end of the wire; the stream's own error says less.
    wire.stdin.on('error', () => undefined)
    wire.stdout.on('data', (chunk: Buffer) => this.#receive('stdout', chunk))
    wire.stderr.on('data', (chunk: Buffer) => this.#receive('stderr', chunk))
    this.ended = wire.closed.then(end => this.fail(lost(host, end)))
  }

  /** Sets who is told of the greeting, and of every noise before it. */
  listen(onHello: (hello: Hello) => void, onNoise: () => void): void {
    this.#onNoise = onNoise
    this.#onHello = hello => {
      this.#onNoise = undefined
      onHello(hello)
    }
  }

  noise(stream: StreamName): string {
    return this.#reader.noise(stream)
  }

  /** What the far end has said that it must not say; the talk is over then. */
  get breach(): ConnectError | undefined {
    return this.#breach
  }

  usage(): Usage {
    return { ...this.#usage }
  }

  write(data: string | Uint8Array): void {
    this.#usage.bytesSent += typeof data === 'string' ? Buffer.byteLength(data) : data.length
    this.#wire.stdin.write(data)
  }

  /** Sends one frame; `compose` gives its text for a sequence number. */
  request(
    wanted: readonly Wanted[],
    compose: (seq: number) => readonly (string | Uint8Array)[],
    { deadlineMs, signal }: FrameOptions,
  ): Promise<readonly Completed[]> {
    return new Promise((resolve, reject) => {
      if (this.#over) throw this.#over
      signal?.throwIfAborted()
      const data = compose(this.#seq + 1)
      const seconds = deadlineMs / 1000
      const timer = setTimeout(() => {
        this.fail(new DeadlineError(this.host, seconds, `no answer within ${seconds} s`))
      }, deadlineMs)
      const onAbort = (): void => this.fail(asError(signal?.reason))
      signal?.addEventListener('abort', onAbort, { once: true })
      const settled = <A>(settle: (value: A) => void) => {
        return (value: A): void => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', onAbort)
          settle(value)
        }
      }
      this.#pending = { resolve: settled(resolve), reject: settled(reject) }
      this.#send(data, wanted)
    })
  }

  /** Ends the talk because of a fault; what is under way fails with that very error, what comes later with `lost`. */
  fail(error: Error): void {
    const pending = this.#pending
    this.#pending = undefined
    this.#over ??=
      error instanceof ConnectError
        ? error
        : new ConnectError(this.host, 'lost', 'the shell was closed', { cause: error })
    pending?.reject(error)
    this.#wire.close()
  }

  /** Lets an idle shell tidy up and end; cuts it off where it is at work or does not end. Takes a few seconds at most. */
  async close(): Promise<void> {
    if (this.#pending) this.fail(closed(this.host))
    this.#over ??= closed(this.host)
    this.#wire.stdin.end()
    if (await endsWithin(this.ended, FAREWELL_MS)) return
    this.#wire.close()
    await endsWithin(this.ended, FAREWELL_MS)
  }

  #send(data: readonly (string | Uint8Array)[], wanted: readonly Wanted[]): void {
    this.#seq += 1
    this.#usage.frames += 1
    this.#reader.expect(this.#seq, wanted)
    for (const piece of data) this.write(piece)
  }

  #receive(stream: StreamName, chunk: Buffer): void {
    this.#usage.bytesReceived += chunk.length
    if (this.#over) return
    try {
      this.#reader.push(stream, chunk)
    } catch (cause) {
      const message = `the host does not keep to the protocol: ${asError(cause).message}`
      this.#breach = new ConnectError(this.host, 'protocol', message, { cause })
      this.fail(this.#breach)
    }
    this.#onNoise?.()
  }

  #answer(answers: readonly (Completed | TaskError)[]): void {
    const pending = this.#pending
    this.#pending = undefined
    const completed: Completed[] = []
    for (const answer of answers) {
      if (answer instanceof TaskError) return pending?.reject(answer)
      completed.push(answer)
    }
    pending?.resolve(completed)
  }
}

/** Resolves with whether the event came in time. */
async function endsWithin(event: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>(resolve => {
    timer = setTimeout(resolve, ms, false)
  })
  const inTime = await Promise.race([event.then(() => true), late])
  clearTimeout(timer)
  return inTime
}

/** Returns a function that gives the milliseconds that are left, at least 1. */
export function countdown(deadlineMs: number): () => number {
  const end = performance.now() + deadlineMs
  return () => Math.max(1, Math.ceil(end - performance.now()))
}

/** Returns how a wire ended, in words. */
export function describeEnd(end: WireEnd): string {
  if (end instanceof Error) return end.message
  if (end.signal !== null) return `the shell was ended by signal ${end.signal}`
  return end.code === null ? 'the channel was closed' : `the shell ended with status ${end.code}`
}

function lost(host: string, end: WireEnd): ConnectError {
  const cause = end instanceof Error ? { cause: end } : {}
  return new ConnectError(host, 'lost', `the link was lost: ${describeEnd(end)}`, cause)
}

function closed(host: string): ConnectError {
  return new ConnectError(host, 'lost', 'the shell was closed')
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause))
}
