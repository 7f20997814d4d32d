import { generateKeyPairSync, randomBytes } from 'node:crypto'

interface KeyPair {
  /** In OpenSSH's format. */
  readonly secret: string
  /** `ssh-ed25519 AAAA…`, without a comment. */
  readonly open: string
}

const TYPE = 'ssh-ed25519'

/** Returns a new ed25519 key pair. */
export function makeKeyPair(): KeyPair {
  const { x = '', d = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  const open = Buffer.from(x, 'base64url')
  const blob = Buffer.concat([field(TYPE), field(open)])
  const both = Buffer.concat([Buffer.from(d, 'base64url'), open])
  const check = randomBytes(4)
  const inner = padded(Buffer.concat([check, check, blob, field(both), field('')]))
  const outer = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    field('none'),
    field('none'),
    field(''),
    number(1),
    field(blob),
    field(inner),
  ])
  const lines = outer.toString('base64').match(/.{1,70}/g) ?? []
  const secret = ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', '']
  return { secret: secret.join('\n'), open: `${TYPE} ${blob.toString('base64')}` }
}

function field(value: Buffer | string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([number(bytes.length), bytes])
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** The private part is filled up to whole blocks with 1, 2, 3 … */
function padded(bytes: Buffer): Buffer {
  const missing = (8 - (bytes.length % 8)) % 8
  return Buffer.concat([bytes, Buffer.from([1, 2, 3, 4, 5, 6, 7].slice(0, missing))])
}
