import { createDiffieHellmanGroup, createECDH, generateKeyPairSync, randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { ConnectError } from '../base/error.ts'
import { EarlyDrop } from './limits.ts'
import { SshBytes, sshNumber, sshString } from './ssh-bytes.ts'

/** What a host showed when it was asked for a key of certain types. */
export interface Shown {
  /** The key or certificate; undefined where the host has none of these types. */
  readonly key: Buffer | undefined
  /** All types that the host can show. */
  readonly algorithms: readonly string[]
}

/**
 * Asks a host for its key, and hangs up as soon as it is seen. This is the beginning of a key exchange, which ssh2 cannot
 * be asked for: it knows no certificates. Nothing is proven by it: whoever answers may show the key of another. So what is
 * seen here is only to be shown to a person, or to be read from a certificate and then demanded in a real login.
 *
 * @throws EarlyDrop where the host hangs up before its banner; ConnectError where it speaks no ssh or none of these key exchanges.
 */
export async function showHostKey(
  name: string,
  stream: Duplex,
  wanted: readonly string[],
  deadlineMs: number,
): Promise<Shown> {
  const timer = setTimeout(() => {
    stream.destroy(new ConnectError(name, 'hostkey', `the host showed no key within ${deadlineMs / 1000} s`))
  }, deadlineMs)
  try {
    return await converse(name, stream, wanted)
  } catch (error) {
    if (error instanceof EarlyDrop || error instanceof ConnectError) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new ConnectError(name, 'hostkey', `the host shows no key (${message})`, { cause: error })
  } finally {
    clearTimeout(timer)
    stream.on('error', () => undefined).destroy()
  }
}

async function converse(name: string, stream: Duplex, wanted: readonly string[]): Promise<Shown> {
  const incoming = new Incoming(stream)
  stream.write('SSH-2.0-msingi\r\n')
  await readBanner(incoming, name)
  stream.write(packet(kexInit(wanted)))
  const { exchanges, algorithms } = parseKexInit(await readMessage(incoming, KEXINIT))
  if (!wanted.some(algorithm => algorithms.includes(algorithm))) return { key: undefined, algorithms }
  const exchange = EXCHANGES.find(([names]) => names.some(one => exchanges.includes(one)))
  if (exchange === undefined) throw new RangeError(`it exchanges keys only by ${exchanges.join(', ')}`)
  stream.write(packet(Buffer.concat([Buffer.from([EXCHANGE_INIT]), exchange[1]()])))
  return { key: (await readMessage(incoming, EXCHANGE_REPLY)).string(), algorithms }
}

const DISCONNECT = 1
const KEXINIT = 20
const EXCHANGE_INIT = 30
const EXCHANGE_REPLY = 31

/** Each with our half of it. The secret halves are thrown away: no secret is ever agreed on. */
const EXCHANGES: readonly (readonly [names: readonly string[], half: () => Buffer])[] = [
  [['curve25519-sha256', 'curve25519-sha256@libssh.org'], x25519Half],
  [['ecdh-sha2-nistp256'], () => ecHalf('prime256v1')],
  [['ecdh-sha2-nistp384'], () => ecHalf('secp384r1')],
  [['ecdh-sha2-nistp521'], () => ecHalf('secp521r1')],
  [['diffie-hellman-group16-sha512'], () => groupHalf('modp16')],
  [['diffie-hellman-group14-sha256', 'diffie-hellman-group14-sha1'], () => groupHalf('modp14')],
]

function x25519Half(): Buffer {
  const { x } = generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' })
  return sshString(Buffer.from(x ?? '', 'base64url'))
}

function ecHalf(curve: string): Buffer {
  return sshString(createECDH(curve).generateKeys())
}

function groupHalf(group: string): Buffer {
  return sshNumber(createDiffieHellmanGroup(group).generateKeys())
}

function kexInit(hostKeys: readonly string[]): Buffer {
  const ciphers =
    'aes128-ctr,aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com'
  const macs =
    'hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1'
  const exchanges = EXCHANGES.flatMap(([names]) => names).join(',')
  const lists = [exchanges, hostKeys.join(','), ciphers, ciphers, macs, macs, 'none', 'none', '', '']
  return Buffer.concat([
    Buffer.from([KEXINIT]),
    randomBytes(16),
    ...lists.map(list => sshString(list)),
    Buffer.alloc(5),
  ])
}

function parseKexInit(message: SshBytes): {
  exchanges: readonly string[]
  algorithms: readonly string[]
} {
  message.take(16)
  return { exchanges: message.nameList(), algorithms: message.nameList() }
}

/** The whole must be a multiple of eight bytes, at least four of them padding. */
function packet(payload: Buffer): Buffer {
  const short = 8 - ((payload.length + 5) % 8)
  const padding = short < 4 ? short + 8 : short
  const head = Buffer.alloc(5)
  head.writeUInt32BE(payload.length + padding + 1)
  head[4] = padding
  return Buffer.concat([head, payload, Buffer.alloc(padding)])
}

const LONGEST_PACKET = 256 * 1024
const LONGEST_BANNER = 64 * 1024

async function readBanner(incoming: Incoming, name: string): Promise<void> {
  let before = ''
  for (let read = 0; read < LONGEST_BANNER;) {
    const line = await incoming.line()
    if (line === undefined) {
      if (before === '' || /MaxStartups/i.test(before)) throw new EarlyDrop('no banner')
      break
    }
    if (line.startsWith('SSH-')) return
    before ||= line
    read += line.length + 1
  }
  throw new ConnectError(name, 'tcp', `the host is no sshd, it says \`${before.slice(0, 200)}\``, {
    hint: 'Check the port.',
  })
}

/** Returns the next message of that number; what may come between is skipped. */
async function readMessage(incoming: Incoming, number: number): Promise<SshBytes> {
  for (;;) {
    const head = await incoming.bytes(5)
    const length = head.readUInt32BE(0)
    if (length < 2 || length > LONGEST_PACKET) throw new RangeError('a packet of impossible length')
    const rest = await incoming.bytes(length - 1)
    const payload = new SshBytes(rest.subarray(0, rest.length - (head[4] ?? 0)))
    const found = payload.take(1)[0]
    if (found === number) return payload
    if (found === DISCONNECT) throw new RangeError('the host hung up')
  }
}

/** Hands out a stream's bytes in the portions that are asked for. */
class Incoming {
  readonly #chunks: AsyncIterator<Buffer>
  #held: Buffer = Buffer.alloc(0)

  constructor(stream: Duplex) {
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  }

  /** Returns the next line without its end; undefined where the stream ends first. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#held.indexOf(0x0a)
      if (end >= 0) {
        const line = this.#held.toString('latin1', 0, end).trimEnd()
        this.#held = this.#held.subarray(end + 1)
        return line
      }
      if (this.#held.length > LONGEST_BANNER) throw new RangeError('it greets without end')
      if (!(await this.#more())) return undefined
    }
  }

  async bytes(count: number): Promise<Buffer> {
    while (this.#held.length < count) {
      if (!(await this.#more())) throw new RangeError('the host hung up')
    }
    const bytes = this.#held.subarray(0, count)
    this.#held = this.#held.subarray(count)
    return bytes
  }

  async #more(): Promise<boolean> {
    const next = await this.#chunks.next()
    if (next.done === true) return false
    this.#held = Buffer.concat([this.#held, next.value])
    return true
  }
}
