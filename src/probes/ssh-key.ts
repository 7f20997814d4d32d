import { lines, sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { pathRead } from './resources.ts'
import { brokenOff, endedLines, unreadable } from './unreadable.ts'

/** The public half of a key of OpenSSH. */
export interface SshPublicKey {
  /** As `ssh-keygen -t` spells it: `rsa`, `ecdsa`, `ed25519`, `dsa`, `ecdsa-sk`, `ed25519-sk`. */
  readonly type: string
  readonly bits: number
  /** Type and key in base64, as they stand in a file of public keys. */
  readonly key: string
  readonly comment: string
}

export interface SshKeyPair {
  /** Null where there is no private key; a problem where it cannot be used. */
  readonly own: SshPublicKey | null | { readonly problem: 'denied' | 'unusable' }
  /** What the file beside it says; null where there is none, or none of a public key. */
  readonly shown: SshPublicKey | null
}

/** Asks about pairs of keys of OpenSSH; nothing but the public halves leaves the host. Null where `ssh-keygen` is missing. */
export const sshKeyFamily: Family<string, SshKeyPair | null> = {
  name: 'ssh-key',
  key: path => path,
  reads: path => [...pathRead(path), ...pathRead(`${path}.pub`), { kind: 'package', name: 'openssh-client' }],
  script: paths =>
    lines(
      sh`command -v ssh-keygen >/dev/null || { echo missing; exit 0; }`,
      // From a pipe, a key is read whatever the permissions of its file are.
      sh`for f in ${paths}; do
if [ ! -e "$f" ]; then echo absent
elif [ ! -r "$f" ]; then echo denied
elif k=$(cat -- "$f" | ssh-keygen -y -P '' -f /dev/stdin 2>/dev/null); then printf '%s\\n' "$k" | head -n 1
else echo unusable; fi
if [ -r "$f.pub" ] && [ -f "$f.pub" ]; then head -n 1 -- "$f.pub" | tr -d '\\000'; fi; echo; echo .
done`,
    ),
  parse: (answer, paths) => {
    if (answer.code !== 0) throw brokenOff('ssh-keygen', answer)
    const rows = endedLines(answer.out)
    if (rows.length === 1 && rows[0] === 'missing') return paths.map(() => null)
    const pairs = rows.join('\n').split(/^\.$/m)
    if (pairs.pop() !== '' || pairs.length !== paths.length)
      throw unreadable(`expected ${paths.length} pairs of keys, found ${pairs.length}`)
    return pairs.map(readPair)
  },
}

/** Asks about the pair of keys of which the private one is at the path. */
export const sshKey = probeOf(sshKeyFamily)

function readPair(block: string): SshKeyPair {
  const [own = '', shown = ''] = block.replace(/^\n/, '').split('\n')
  const beside = readPublicKey(shown)
  if (own === 'absent') return { own: null, shown: beside }
  if (own === 'denied' || own === 'unusable') return { own: { problem: own }, shown: beside }
  const key = readPublicKey(own)
  if (key === null) throw unreadable(`expected a public key, found \`${own.slice(0, 40)}\``)
  return { own: key, shown: beside }
}

const TYPES: Readonly<Record<string, string>> = {
  'ssh-rsa': 'rsa',
  'ssh-dss': 'dsa',
  'ssh-ed25519': 'ed25519',
  'sk-ssh-ed25519@openssh.com': 'ed25519-sk',
  'sk-ecdsa-sha2-nistp256@openssh.com': 'ecdsa-sk',
}

function readPublicKey(row: string): SshPublicKey | null {
  const [, name = '', base64 = '', comment = ''] =
    /^(\S+) ([A-Za-z0-9+/]+=*)(?: (.*))?$/.exec(row.trim()) ?? []
  const curve = /^ecdsa-sha2-nistp(\d+)$/.exec(name)?.[1]
  const type = curve === undefined ? TYPES[name] : 'ecdsa'
  if (type === undefined) return null
  return {
    type,
    bits: curve === undefined ? bitsOf(type, base64) : Number(curve),
    key: `${name} ${base64}`,
    comment,
  }
}

/** Of an RSA key, the third part is the modulus, of a DSA key the second one, big-endian: RFC 4253, 6.6. */
function bitsOf(type: string, base64: string): number {
  if (type !== 'rsa' && type !== 'dsa') return 256
  const bytes = Buffer.from(base64, 'base64')
  let at = 0
  for (let part = 0; part < (type === 'rsa' ? 2 : 1); part++) at += 4 + lengthAt(bytes, at)
  const modulus = bytes.subarray(at + 4, at + 4 + lengthAt(bytes, at))
  return modulus.toString('hex').replace(/^0+/, '').length * 4 - leadingZeros(modulus)
}

function lengthAt(bytes: Buffer, at: number): number {
  return at + 4 <= bytes.length ? bytes.readUInt32BE(at) : 0
}

/** Of the first hexadecimal digit that is not 0. */
function leadingZeros(bytes: Buffer): number {
  const digit = Number.parseInt(bytes.toString('hex').replace(/^0+/, '').slice(0, 1) || '8', 16)
  return Math.clz32(digit) - 28
}
