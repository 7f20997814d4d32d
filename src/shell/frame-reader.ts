import { StringDecoder } from 'node:string_decoder'
import { TaskError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import { Capture, decode, type Captured } from './capture.ts'
import { MarkScanner } from './marks.ts'

export type StreamName = 'stdout' | 'stderr'

const STREAMS = ['stdout', 'stderr'] as const

const MEBIBYTE = 1024 * 1024
/** What is kept of a stream that somebody watches live. */
const WATCHED_LIMIT = MEBIBYTE
/** What a part may answer; more is a mistake of whoever asked. All parts of a frame together get no more than that either. */
const ANSWER_LIMIT = 64 * MEBIBYTE
const NOISE_LIMIT = 64 * 1024
/** Some shells write a marker's newline and the marker one after the other. */
const NEWLINE_MS = 200

/** What the reader must know of a part to receive its answer. */
export interface Wanted {
  readonly onOutput?: (stream: StreamName, text: string) => void
  readonly limit?: number
}

/** What the bootstrap says of itself. */
export interface Hello {
  readonly uid: number
  readonly user: string
  readonly pid: number
  /** Undefined where no private directory could be made. */
  readonly scratch: string | undefined
}

export interface FrameListener {
  readonly hello: (hello: Hello) => void
  /** Called when the last part has answered on both streams; a TaskError stands for a part that answered too much. */
  readonly answers: (answers: readonly (Completed | TaskError)[]) => void
}

/** The state of one stream: which part it is in, and what has come of it. */
interface Lane {
  readonly name: StreamName
  readonly scanner: MarkScanner
  noise: Capture
  greeted: boolean
  part: number
  capture: Capture
  decoder: StringDecoder
  /** Runs while a newline that the scanner holds may turn out to be the beginning of a marker. */
  newline: NodeJS.Timeout | undefined
  /** A newline that the scanner still holds has been told to whoever watches. */
  toldNewline: boolean
  readonly done: { readonly captured: Captured; readonly code: number; readonly ms: number }[]
}

/**
 * The receiving half of the protocol of `frame.ts`: takes the bytes of both streams, cut anywhere, and gives answers.
 */
export class FrameReader {
  readonly #listener: FrameListener
  readonly #lanes: Readonly<Record<StreamName, Lane>>
  #wanted: readonly Wanted[] = []
  #seq = 0
  /** Bytes that are kept of this frame so far. */
  #kept = 0
  #hello: Hello | undefined

  constructor(marker: string, listener: FrameListener) {
    this.#listener = listener
    const lane = (name: StreamName): Lane => ({
      name,
      scanner: new MarkScanner(marker, {
        data: bytes => this.#data(this.#lanes[name], bytes),
        mark: words => this.#mark(this.#lanes[name], words),
      }),
      noise: new Capture(NOISE_LIMIT),
      greeted: false,
      part: 0,
      capture: new Capture(0),
      decoder: new StringDecoder('utf8'),
      newline: undefined,
      toldNewline: false,
      done: [],
    })
    this.#lanes = { stdout: lane('stdout'), stderr: lane('stderr') }
  }

  /** Says that frame `seq` has been sent and which answers are wanted. */
  expect(seq: number, wanted: readonly Wanted[]): void {
    this.#seq = seq
    this.#wanted = wanted
    this.#kept = 0
    for (const name of STREAMS) {
      const lane = this.#lanes[name]
      lane.done.length = 0
      this.#start(lane, 0)
    }
  }

  /** @throws Error where the bytes break the protocol; nothing that follows can be trusted then. */
  push(stream: StreamName, chunk: Buffer): void {
    const lane = this.#lanes[stream]
    clearTimeout(lane.newline)
    lane.scanner.push(chunk)
    if (lane.scanner.isAtLineEnd) lane.newline = setTimeout(() => this.#tellNewline(lane), NEWLINE_MS).unref()
  }

  /** Returns what came outside of any answer: before the handshake, and between frames. */
  noise(stream: StreamName): string {
    const { out } = decode(this.#lanes[stream].noise.end(), NOTHING)
    return out
  }

  #start(lane: Lane, part: number): void {
    const wanted = this.#wanted[part]
    lane.part = part
    lane.capture = new Capture(Math.min(limitOf(wanted), Math.max(0, ANSWER_LIMIT - this.#kept)))
    lane.decoder = new StringDecoder('utf8')
    clearTimeout(lane.newline)
    lane.toldNewline = false
  }

  #data(lane: Lane, bytes: Buffer): void {
    const wanted = this.#wanted[lane.part]
    if (!wanted) return lane.noise.push(bytes)
    lane.capture.push(bytes)
    if (!wanted.onOutput) return
    const text = lane.decoder.write(lane.toldNewline ? bytes.subarray(1) : bytes)
    lane.toldNewline = false
    if (text !== '') wanted.onOutput(lane.name, text)
  }

  /**
   * Who watches a long command wants its last line at once, not when the next one comes. A newline that turns out to belong
   * to a marker, which took its time, was told in vain; the answer itself does not have it.
   */
  #tellNewline(lane: Lane): void {
    const wanted = this.#wanted[lane.part]
    if (!wanted?.onOutput || lane.toldNewline) return
    lane.toldNewline = true
    wanted.onOutput(lane.name, '\n')
  }

  #mark(lane: Lane, words: readonly string[]): void {
    if (words[0] === 'hello') return this.#greet(lane, words)
    const [index, code, ms] = words
    if (lane.part >= this.#wanted.length || index !== `${this.#seq}.${lane.part}`) {
      throw new Error(
        `the answer \`${(index ?? '').slice(0, 40)}\` came where \`${this.#seq}.${lane.part}\` was expected`,
      )
    }
    const wanted = this.#wanted[lane.part]
    const late = lane.decoder.end()
    if (late !== '') wanted?.onOutput?.(lane.name, late)
    const captured = lane.capture.end()
    this.#kept += captured.head.length + captured.tail.length
    lane.done.push({ captured, code: toNumber(code), ms: toNumber(ms) })
    this.#start(lane, lane.part + 1)
    this.#finish()
  }

  #greet(lane: Lane, words: readonly string[]): void {
    if (lane.greeted) throw new Error('a second greeting came')
    lane.greeted = true
    const [, uid, pid, scratch, ...user] = words
    this.#hello = {
      uid: toNumber(uid),
      pid: toNumber(pid),
      scratch: scratch === '-' ? undefined : scratch,
      user: Buffer.from(user.join(' '), 'latin1').toString('utf8'),
    }
    if (STREAMS.every(name => this.#lanes[name].greeted)) this.#listener.hello(this.#hello)
  }

  #finish(): void {
    const { stdout, stderr } = this.#lanes
    if (stdout.done.length < this.#wanted.length || stderr.done.length < this.#wanted.length) return
    const answers = this.#wanted.map((wanted, part) => {
      const [out, err] = [stdout.done[part], stderr.done[part]]
      if (!out || !err) throw new Error(`part ${part} has no answer`)
      const { captured, code, ms } = out
      return tooLong(wanted, captured, err.captured) ?? { code, ms, ...decode(captured, err.captured) }
    })
    this.#wanted = []
    this.#listener.answers(answers)
  }
}

const NOTHING: Captured = { head: Buffer.alloc(0), tail: Buffer.alloc(0), dropped: 0 }

function limitOf(wanted: Wanted | undefined): number {
  return wanted?.limit ?? (wanted?.onOutput ? WATCHED_LIMIT : ANSWER_LIMIT)
}

function tooLong(wanted: Wanted, ...streams: readonly Captured[]): TaskError | undefined {
  if (wanted.onOutput || streams.every(stream => stream.dropped === 0)) return undefined
  return new TaskError(
    'OUTPUT_TOO_LONG',
    `the answer is longer than the ${limitOf(wanted)} bytes that may be kept of it`,
    'write long output to a file on the host',
  )
}

function toNumber(word: string | undefined): number {
  if (word === undefined || !/^-?\d{1,15}$/.test(word))
    throw new Error(`\`${(word ?? '').slice(0, 40)}\` is not a number`)
  return Number(word)
}
