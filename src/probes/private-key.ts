import { createPublicKey } from 'node:crypto'
import { plainText, type Secret } from '../base/secret.ts'
import { lines, sh } from '../shell/sh.ts'
import { probeOf, type Family } from './probe.ts'
import { pathRead } from './resources.ts'
import { sealOf } from './sealed.ts'
import { brokenOff, unreadable } from './unreadable.ts'

export interface PrivateKeyArg {
  readonly path: string
  /** What the key is locked with; undefined where it should not be locked. */
  readonly passphrase: string | Secret | undefined
}

/** What of a private key may be known elsewhere: that of its public half. */
export interface PrivateKey {
  /** As OpenSSL spells it: `rsa`, `ec`, `ed25519` … */
  readonly type: string
  /** Bits of the modulus; null where the type alone says it. */
  readonly size: number | null
  /** Such as `prime256v1`; null where the type has none. */
  readonly curve: string | null
  readonly isLocked: boolean
  /** DER in base64. */
  readonly publicKey: string
}

/** Why nothing can be said: no `openssl`, not ours to read, locked otherwise, or no key at all. */
export interface NoKey {
  readonly problem: 'missing' | 'denied' | 'locked' | 'unusable'
}

/** Asks about private keys. Nothing but their public halves leaves the host; passphrases reach openssl through pipes. */
export const privateKeyFamily: Family<PrivateKeyArg, PrivateKey | NoKey | null> = {
  name: 'private-key',
  key: ({ path, passphrase }) => `${path} ${sealOf(passphrase)}`.trimEnd(),
  reads: ({ path }) => [...pathRead(path), { kind: 'package', name: 'openssl' }],
  absent: answer => answer === null || ('problem' in answer && answer.problem === 'missing'),
  script: args =>
    lines(
      ...args.map(
        ({ path, passphrase }) => sh`f=${path}; if [ ! -e "$f" ]; then echo absent
elif [ ! -f "$f" ]; then echo unusable
elif [ ! -r "$f" ]; then echo denied
elif ! command -v openssl >/dev/null; then echo missing
else e=open; ! grep -q ENCRYPTED "$f" || e=locked
if k=$(printf '%s\\n' ${plainText(passphrase ?? '')} | openssl pkey -in "$f" -passin stdin -pubout 2>/dev/null); then printf '%s\\n%s\\n' "$e" "$k"
elif [ "$e" = locked ]; then echo wrong; else echo unusable; fi; fi; echo .`,
      ),
    ),
  parse: (answer, args) => {
    if (answer.code !== 0) throw brokenOff('openssl pkey', answer)
    const blocks = answer.out.split(/^\.\n/m)
    if (blocks.pop() !== '' || blocks.length !== args.length)
      throw unreadable(`expected ${args.length} answers about keys, found ${blocks.length}`)
    return blocks.map(readKey)
  },
}

/** Asks about the private key in the file. */
export const privateKey = probeOf(privateKeyFamily)

function readKey(block: string): PrivateKey | NoKey | null {
  const [, word, pem = ''] = /^(\w+)\n([^]*)$/.exec(block) ?? []
  if (word === 'absent') return null
  if (word === 'missing' || word === 'denied' || word === 'unusable') return { problem: word }
  if (word === 'wrong') return { problem: 'locked' }
  if (word !== 'open' && word !== 'locked')
    throw unreadable(`expected what is known of a key, found \`${block.slice(0, 40)}\``)
  return { ...publicKeyOf(pem), isLocked: word === 'locked' }
}

/** @throws TaskError with code `PROBE_UNREADABLE` where it is no public key. */
function publicKeyOf(pem: string): Omit<PrivateKey, 'isLocked'> {
  try {
    const key = createPublicKey(pem)
    const { modulusLength = null, namedCurve = null } = key.asymmetricKeyDetails ?? {}
    const publicKey = key.export({ type: 'spki', format: 'der' }).toString('base64')
    return { type: key.asymmetricKeyType ?? '', size: modulusLength, curve: namedCurve, publicKey }
  } catch {
    throw unreadable('expected a public key, found something else')
  }
}
