import { isUtf8 } from 'node:buffer'

/** What was kept of one stream. */
export interface Captured {
  readonly head: Buffer
  /** Empty unless bytes were dropped between head and tail. */
  readonly tail: Buffer
  readonly dropped: number
}

/** Keeps the beginning and the end of a stream of bytes in bounded memory. */
export class Capture {
  readonly #limit: number
  readonly #head: Buffer[] = []
  #headLength = 0
  #tail: Buffer[] = []
  #tailLength = 0
  #dropped = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  push(bytes: Buffer): void {
    const room = this.#half() - this.#headLength
    if (room > 0) {
      const kept = Buffer.from(bytes.subarray(0, room))
      this.#head.push(kept)
      this.#headLength += kept.length
    }
    if (bytes.length > room) this.#pushTail(Buffer.from(bytes.subarray(Math.max(room, 0))))
  }

  /** Returns what was kept. */
  end(): Captured {
    const head = Buffer.concat(this.#head)
    const tail = Buffer.concat(this.#tail)
    const room = this.#limit - this.#half()
    const excess = Math.max(tail.length - room, 0)
    const dropped = this.#dropped + excess
    if (dropped === 0) return { head: Buffer.concat([head, tail]), tail: Buffer.alloc(0), dropped }
    return { head, tail: tail.subarray(excess), dropped }
  }

  #half(): number {
    return Math.ceil(this.#limit / 2)
  }

  #pushTail(bytes: Buffer): void {
    this.#tail.push(bytes)
    this.#tailLength += bytes.length
    const room = this.#limit - this.#half()
    for (let first = this.#tail[0]; first; first = this.#tail[0]) {
      if (this.#tailLength - first.length < room) break
      this.#tail.shift()
      this.#tailLength -= first.length
      this.#dropped += first.length
    }
  }
}

/** Returns both streams as text: UTF-8 where both are valid, else Latin-1, which loses no byte. */
export function decode(
  out: Captured,
  err: Captured,
): {
  readonly out: string
  readonly err: string
  readonly encoding: 'utf8' | 'latin1'
  readonly dropped?: number
} {
  const [cutOut, cutErr] = [onCharacters(out), onCharacters(err)]
  const whole = [cutOut.head, cutOut.tail, cutErr.head, cutErr.tail]
  const encoding = whole.every(bytes => isUtf8(bytes)) ? 'utf8' : 'latin1'
  const [from, fromErr] = encoding === 'utf8' ? [cutOut, cutErr] : [out, err]
  const dropped = from.dropped + fromErr.dropped
  const text = { out: join(from, encoding), err: join(fromErr, encoding), encoding } as const
  return dropped === 0 ? text : { ...text, dropped }
}

function join({ head, tail, dropped }: Captured, encoding: 'utf8' | 'latin1'): string {
  if (dropped === 0) return head.toString(encoding)
  return `${head.toString(encoding)}\n[${dropped} bytes left out]\n${tail.toString(encoding)}`
}

/** Moves the two cuts to the edges of UTF-8 characters; the pieces of those that were cut count as dropped. */
function onCharacters({ head, tail, dropped }: Captured): Captured {
  if (dropped === 0) return { head, tail, dropped }
  let start = 0
  while (start < 3 && isContinuation(tail[start])) start++
  let end = head.length
  while (head.length - end < 3 && isContinuation(head[end - 1])) end--
  const lead = head[end - 1] ?? 0
  const complete = lead < 0xc0 || head.length - end + 1 === characterLength(lead)
  const kept = complete ? head.length : end - 1
  return {
    head: head.subarray(0, kept),
    tail: tail.subarray(start),
    dropped: dropped + start + head.length - kept,
  }
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}

function characterLength(lead: number): number {
  if (lead >= 0xf0) return 4
  return lead >= 0xe0 ? 3 : 2
}
