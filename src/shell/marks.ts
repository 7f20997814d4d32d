/** Far longer than any line after a marker can become; a longer one means that the far end does not speak the protocol. */
const LONGEST_MARK = 8192

export interface MarkListener {
  /** Called with bytes of output, in order. They are only valid during the call. */
  readonly data: (bytes: Buffer) => void
  /** Called with the words that stand after a marker. */
  readonly mark: (words: readonly string[]) => void
}

/**
 * Separates output from marker lines, `\n<marker> …\n`, however the bytes are cut into chunks. Output is passed on at
 * once, except for an end that may turn out to be the beginning of a marker: at most a newline, as a rule.
 */
export class MarkScanner {
  readonly #needle: Buffer
  readonly #listener: MarkListener
  #held: Buffer = Buffer.alloc(0)

  constructor(marker: string, listener: MarkListener) {
    this.#needle = Buffer.from(`\n${marker} `, 'latin1')
    this.#listener = listener
  }

  /** Whether all that is held back is one newline: the end of a line of output, unless a marker comes right after it. */
  get isAtLineEnd(): boolean {
    return this.#held.length === 1
  }

  /** @throws Error where a marker is followed by a line that never ends. */
  push(chunk: Buffer): void {
    let rest = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk
    this.#held = Buffer.alloc(0)
    for (;;) {
      const at = rest.indexOf(this.#needle)
      if (at < 0) break
      this.#pass(rest.subarray(0, at))
      const end = rest.indexOf(0x0a, at + this.#needle.length)
      if (end < 0) return this.#hold(rest.subarray(at))
      this.#listener.mark(rest.toString('latin1', at + this.#needle.length, end).split(' '))
      rest = rest.subarray(end + 1)
    }
    const output = rest.length - beginningOf(this.#needle, rest)
    this.#pass(rest.subarray(0, output))
    this.#hold(rest.subarray(output))
  }

  #pass(bytes: Buffer): void {
    if (bytes.length > 0) this.#listener.data(bytes)
  }

  #hold(bytes: Buffer): void {
    if (bytes.length > LONGEST_MARK) throw new Error('a marker line does not end')
    this.#held = Buffer.from(bytes)
  }
}

/** Returns how many bytes at the end of `text` are a beginning of `needle`. */
function beginningOf(needle: Buffer, text: Buffer): number {
  // The needle's only newline is its first byte, so there is one candidate: the last newline of the text.
  const at = text.lastIndexOf(0x0a)
  const length = text.length - at
  if (at < 0 || length >= needle.length) return 0
  return needle.subarray(0, length).equals(text.subarray(at)) ? length : 0
}
