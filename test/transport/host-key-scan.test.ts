import { Duplex } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { ConnectError } from '../../src/base/error.ts'
import { showHostKey } from '../../src/transport/host-key-scan.ts'
import { EarlyDrop } from '../../src/transport/limits.ts'
import { SshBytes, sshNumber, sshString } from '../../src/transport/ssh-bytes.ts'

/** A server that says these things as soon as it is spoken to, byte by byte, and then hangs up or falls silent. */
function server(
  said: readonly (Buffer | string)[],
  ending: 'hangs-up' | 'falls-silent' = 'hangs-up',
): Duplex {
  const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
  for (const byte of Buffer.concat(said.map(part => Buffer.from(part)))) stream.push(Buffer.of(byte))
  if (ending === 'hangs-up') stream.push(null)
  return stream
}

function message(number: number, ...fields: Buffer[]): Buffer {
  const payload = Buffer.concat([Buffer.of(number), ...fields])
  const head = Buffer.alloc(5)
  head.writeUInt32BE(payload.length + 5)
  head[4] = 4
  return Buffer.concat([head, payload, Buffer.alloc(4)])
}

const banner = 'SSH-2.0-OpenSSH_9.2\r\n'
const kexInit = (exchanges: string, hostKeys: string): Buffer =>
  message(20, Buffer.alloc(16), sshString(exchanges), sshString(hostKeys))
const reply = message(31, sshString('the key'), sshString('half'), sshString('proof'))
const noise = message(2, sshString('ignore me'))
const show = (stream: Duplex, deadlineMs = 2000): ReturnType<typeof showHostKey> =>
  showHostKey('web', stream, ['ssh-ed25519'], deadlineMs)

describe('showHostKey', () => {
  test('the-key-is-found-behind-greetings-and-other-messages', async () => {
    const stream = server([
      'Hello\n',
      banner,
      noise,
      kexInit('curve25519-sha256', 'ssh-rsa,ssh-ed25519'),
      noise,
      reply,
    ])
    const shown = await show(stream)
    expect(shown.key?.toString()).toBe('the key')
    expect(shown.algorithms).toEqual(['ssh-rsa', 'ssh-ed25519'])
    expect(stream.destroyed).toBe(true)
  })

  test('a-host-without-such-a-key-tells-what-it-has', async () => {
    const shown = await show(server([banner, kexInit('curve25519-sha256', 'ssh-rsa')]))
    expect(shown).toEqual({ key: undefined, algorithms: ['ssh-rsa'] })
  })

  test.each(['', 'Exceeded MaxStartups\r\n'])('hanging-up-after-%j-is-an-early-drop', async said => {
    await expect(show(server([said]))).rejects.toBeInstanceOf(EarlyDrop)
  })

  test.each([
    ['another-protocol', ['HTTP/1.1 400\r\n\r\n'], 'tcp'],
    ['no-end-of-greetings', ['x'.repeat(70_000), '\n'], 'tcp'],
    ['no-key-exchange-in-common', [banner, kexInit('sntrup761', 'ssh-ed25519')], 'hostkey'],
    [
      'the-end-in-the-middle',
      [banner, kexInit('curve25519-sha256', 'ssh-ed25519').subarray(0, 30)],
      'hostkey',
    ],
    ['a-packet-of-impossible-length', [banner, Buffer.from([255, 255, 255, 255, 4])], 'hostkey'],
    ['more-padding-than-packet', [banner, Buffer.from([0, 0, 0, 2, 9, 20])], 'hostkey'],
    ['a-goodbye', [banner, message(1)], 'hostkey'],
  ])('%s-is-an-error', async (_name, said, stage) => {
    await expect(show(server(said))).rejects.toMatchObject({ stage })
  })

  test('silence-ends-with-the-deadline', async () => {
    const error: unknown = await show(server([banner], 'falls-silent'), 50).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ConnectError)
  })
})

describe('bytes', () => {
  test('numbers-never-look-negative-and-carry-no-zeros', () => {
    const hex = (bytes: number[]): string => sshNumber(Buffer.from(bytes)).toString('hex')
    expect(hex([0x7f])).toBe('000000017f')
    expect(hex([0x80])).toBe('000000020080')
    expect(hex([0, 0, 1, 2])).toBe('000000020102')
    expect(hex([0])).toBe('00000000')
  })

  test('what-ends-too-soon-is-a-range-error', () => {
    expect(() => new SshBytes(Buffer.from([0, 0, 0, 9, 1])).string()).toThrow(RangeError)
    expect(() => new SshBytes(Buffer.alloc(7)).uint64()).toThrow(RangeError)
    expect(new SshBytes(sshString('')).nameList()).toEqual([])
  })
})
