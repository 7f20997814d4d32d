import { gzipSync } from 'node:zlib'

/** A member of an archive; folders need not be named. */
export interface TarMember {
  /** Relative, with `/`. */
  readonly name: string
  readonly mode: number
  readonly content?: Uint8Array | undefined
  /** What a symbolic link holds. */
  readonly target?: string | undefined
}

const BLOCK = 512

/** Returns a compressed archive that any tar understands; names that are too long for its old form stand in the newer one. */
export function tarball(members: readonly TarMember[]): Uint8Array {
  return gzipSync(Buffer.concat([...members.flatMap(memberBlocks), Buffer.alloc(2 * BLOCK)]))
}

function memberBlocks({ name, mode, content, target }: TarMember): readonly Buffer[] {
  const bytes = Buffer.from(content ?? new Uint8Array())
  const isLong = Buffer.byteLength(name) > 100 || Buffer.byteLength(target ?? '') > 100
  const kind = target === undefined ? '0' : '2'
  const own = [header({ name, mode, size: bytes.length, kind, target: target ?? '' }), padded(bytes)]
  return isLong ? [...extension(name, target), ...own] : own
}

/** A member before the member, which tells its name and target in full. */
function extension(name: string, target: string | undefined): readonly Buffer[] {
  const records = Buffer.concat([
    record('path', name),
    ...(target === undefined ? [] : [record('linkpath', target)]),
  ])
  return [
    header({ name: 'long-name', mode: 0o600, size: records.length, kind: 'x', target: '' }),
    padded(records),
  ]
}

/** Each record begins with its own length, the digits of which count as well. */
function record(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`)
  let length = rest + String(rest).length
  length = rest + String(length).length
  return Buffer.from(`${length} ${key}=${value}\n`)
}

interface Header {
  readonly name: string
  readonly mode: number
  readonly size: number
  readonly kind: string
  readonly target: string
}

function header({ name, mode, size, kind, target }: Header): Buffer {
  const block = Buffer.alloc(BLOCK)
  const put = (text: string, at: number, most: number): void => {
    Buffer.from(text).copy(block, at, 0, most)
  }
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0')
  put(name, 0, 100)
  put(octal(mode, 7), 100, 7)
  put(octal(0, 7), 108, 7)
  put(octal(0, 7), 116, 7)
  put(octal(size, 11), 124, 11)
  put(octal(0, 11), 136, 11)
  put('        ', 148, 8)
  put(kind, 156, 1)
  put(target, 157, 100)
  put('ustar\x0000', 257, 8)
  put(
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      6,
    )}\0 `,
    148,
    8,
  )
  return block
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)])
}
