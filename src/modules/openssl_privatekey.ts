import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { plainText } from '../base/secret.ts'
import { Unknown } from '../base/unknown.ts'
import { privateKey, type NoKey, type PrivateKey } from '../probes/private-key.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { contentTouches } from './_content.ts'
import { madeActions, madeAfter, madeDiff, madeQuestions } from './_made-file.ts'
import { digestOf } from './_certificates.ts'
import { passLines, readableKey, requireOpenssl, TO_BE_MADE } from './_openssl.ts'
import { complain, flag, maybeSecret, ownership, path } from './_params.ts'
import { needs } from './_tools.ts'
import { changes, defineModule } from './module.ts'

/** Ansible's names of curves that OpenSSL calls otherwise. */
const CURVES: Readonly<Record<string, string>> = { secp256r1: 'prime256v1', secp192r1: 'prime192v1' }

const params = z
  .strictObject({
    path: path().describe('Absolute path of the key.'),
    state: z.enum(['present', 'absent']).default('present').describe('Whether there should be a key.'),
    type: z
      .enum(['RSA', 'ECC', 'Ed25519', 'Ed448', 'X25519', 'X448'])
      .default('RSA')
      .describe('Kind of the key.'),
    size: z.coerce.number().int().min(2048).max(16_384).default(4096).describe('Bits of an RSA key.'),
    curve: z
      .string()
      .regex(/^\w+$/)
      .optional()
      .describe('Curve of an ECC key, such as `secp384r1`; `secp256r1` where not given.'),
    passphrase: maybeSecret().optional().describe('Lock the key with it; unlocked where not given.'),
    cipher: z.literal('auto').default('auto').describe('How it is locked: `auto` is AES with 256 bits.'),
    regenerate: z
      .enum(['never', 'fail', 'partial_idempotence', 'full_idempotence', 'always'])
      .default('partial_idempotence')
      .describe(
        'When a key that is there is replaced: where it differs (`partial_idempotence`), also where it cannot be read (`full_idempotence`), in each run (`always`); `never`, or `fail` where it differs.',
      ),
    force: flag().default(false).describe('Same as `regenerate: always`.'),
    backup: flag().default(true).describe('Keep a key that is replaced, beside it.'),
    ...ownership,
  })
  .transform(({ force, mode, curve, ...given }, context) => {
    const { passphrase, regenerate, type } = given
    if (passphrase !== undefined && !/^[^\0\r\n]+$/.test(plainText(passphrase)))
      complain(context, 'passphrase', 'one line expected')
    const named = curve ?? 'secp256r1'
    return {
      ...given,
      mode: mode ?? '0600',
      curve: type === 'ECC' ? (CURVES[named] ?? named) : null,
      regenerate: force ? ('always' as const) : regenerate,
    }
  })
type Params = z.output<typeof params>

export const openssl_privatekey = defineModule({
  name: 'openssl_privatekey',
  summary: 'Makes a private key on the host, which it never leaves.',
  examples: [
    '- name: Make the key of the web server\n  openssl_privatekey:\n    path: /etc/ssl/private/clinic.key\n    type: ECC\n    curve: secp384r1\n    group: ssl-cert\n    mode: "0640"\n',
  ],
  deviations: [
    'A key that cannot be read, or is locked with another passphrase, is not replaced unless `regenerate: full_idempotence` says so; a key that is replaced is kept beside it, as nobody can make it again.',
    'The key is only ever on the host: there is no `return_content`. A passphrase reaches openssl through a pipe.',
    'Keys are open to their owner alone (`mode: "0600"`) where `mode` is not given, those that were there before as well.',
    'DSA, `format`, `cipher` other than `auto` and RSA keys of less than 2048 bits are not taken.',
  ],
  params,
  probe: ({ path: at, passphrase }) => ({
    ...madeQuestions({ path: at }),
    key: privateKey({ path: at, passphrase }),
  }),
  diff: (wish, state): readonly Change[] => {
    if (wish.state === 'present') requireOpenssl(state.key)
    return madeDiff(wish, state, {
      content: () => keyChanges(wish, state.key),
      fresh: kindOf(asWished(wish)),
    })
  },
  apply: (found, wish, state) =>
    madeActions(found, wish, state, { fill: fillScript(wish), stdin: passLines(wish.passphrase) }),
  expect: (wish, state) => {
    const isKept = wish.state === 'present' && state.key !== null && keyChanges(wish, state.key).length === 0
    return {
      ...madeAfter(wish, state),
      key: wish.state === 'absent' ? null : isKept ? state.key : asWished(wish),
    }
  },
  touches: (_, { path: at }) => contentTouches([], [at]),
  verifiable: ({ regenerate }, found) => regenerate !== 'always' || found.every(({ kind }) => kind !== 'key'),
  result: ({ path: filename }, { key }) => {
    if (key === null || 'problem' in key) return { filename }
    const { type, size, curve, publicKey } = key
    const sha256 = publicKey === TO_BE_MADE ? new Unknown('the key is made') : digestOf(publicKey)
    return { filename, type, size, curve, fingerprint: { sha256 } }
  },
})

function asWished({ type, size, curve, passphrase }: Params): PrivateKey {
  return {
    type: type === 'ECC' ? 'ec' : type.toLowerCase(),
    size: type === 'RSA' ? size : null,
    curve,
    isLocked: passphrase !== undefined,
    publicKey: TO_BE_MADE,
  }
}

/** What is wrong with a key that is there; each reason makes a new one. */
function keyChanges(wish: Params, found: PrivateKey | NoKey | null): readonly Change[] {
  const { path: at, regenerate } = wish
  if (regenerate === 'never') return []
  if (regenerate === 'always')
    return [{ kind: 'key', what: at, before: 'any', after: 'a new one', destroys: true }]
  if (regenerate === 'full_idempotence' && found !== null && 'problem' in found)
    return [{ kind: 'key', what: at, before: found.problem, after: 'a new one', destroys: true }]
  const key = readableKey(at, found)
  const wished = asWished(wish)
  const [before, after] = [kindOf(key), kindOf(wished)]
  const locked = (isLocked: boolean): string => (isLocked ? 'locked' : 'open')
  const differs = changes(
    before !== after && { kind: 'key', what: at, before, after, destroys: true },
    key.isLocked !== wished.isLocked && {
      kind: 'passphrase',
      what: at,
      before: locked(key.isLocked),
      after: locked(wished.isLocked),
      destroys: true,
    },
  )
  if (differs.length > 0 && regenerate === 'fail')
    throw new TaskError(
      'KEY_DIFFERS',
      `\`${at}\` is ${before}, ${locked(key.isLocked)}`,
      'move it away by hand',
    )
  return differs
}

function kindOf({ type, size, curve }: PrivateKey): string {
  return [type, size ?? curve].filter(part => part !== null).join(' ')
}

function fillScript({ type, size, curve, passphrase }: Params): Sh {
  const words =
    type === 'RSA'
      ? ['-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${size}`]
      : type === 'ECC'
        ? [
            '-algorithm',
            'EC',
            '-pkeyopt',
            `ec_paramgen_curve:${curve ?? ''}`,
            '-pkeyopt',
            'ec_param_enc:named_curve',
          ]
        : ['-algorithm', type.toUpperCase()]
  const lock = passphrase === undefined ? [] : ['-aes-256-cbc', '-pass', 'stdin']
  return lines(
    needs('openssl', 'openssl'),
    sh`e=$(openssl genpkey ${words} ${lock} -out "$t" 2>&1) || { printf '%s\\n' "$e" >&2; exit 1; }`,
  )
}
