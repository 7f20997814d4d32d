/** Reads the data types of RFC 4251 one after the other. Throws RangeError where the bytes end too soon. */
export class SshBytes {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get at(): number {
    return this.#at
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length
  }

  uint32(): number {
    return this.take(4).readUInt32BE(0)
  }

  uint64(): bigint {
    return this.take(8).readBigUInt64BE(0)
  }

  string(): Buffer {
    return this.take(this.uint32())
  }

  text(): string {
    return this.string().toString('utf8')
  }

  nameList(): readonly string[] {
    const text = this.text()
    return text === '' ? [] : text.split(',')
  }

  /** All strings up to the end. */
  strings(): readonly string[] {
    const found: string[] = []
    while (!this.ended) found.push(this.text())
    return found
  }

  take(count: number): Buffer {
    const end = this.#at + count
    if (end > this.#bytes.length) throw new RangeError('the bytes end too soon')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }
}

/** Returns a string as it travels: its length, then its bytes. */
export function sshString(value: Buffer | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** Returns a positive number as it travels: without leading zeros, but never with its highest bit set. */
export function sshNumber(value: Buffer): Buffer {
  const bytes = withoutZeros(value)
  return sshString((bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes)
}

/** Returns the number's bytes without leading zeros. */
export function withoutZeros(value: Buffer): Buffer {
  const start = value.findIndex(byte => byte !== 0)
  return start < 0 ? Buffer.alloc(0) : value.subarray(start)
}
