import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { Unknown } from '../base/unknown.ts'
import { sshKey, type SshKeyPair, type SshPublicKey } from '../probes/ssh-key.ts'
import { followed, stat, type Stat } from '../probes/stat.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { afterwards, attributeChanges, attributeScript, newStat, ownershipScript } from './_attributes.ts'
import { contentTouches, keptOwnership } from './_content.ts'
import { draftScript } from './_drafts.ts'
import { freshFileScript } from './_fresh-file.ts'
import { TO_BE_MADE } from './_openssl.ts'
import { flag, ownership, path } from './_params.ts'
import { folderOf, requireFolder } from './_paths.ts'
import { removalScript } from './_removal.ts'
import { needs } from './_tools.ts'
import { changes, defineModule } from './module.ts'

const SIZES = { rsa: 4096, ecdsa: 256, ed25519: 256 } as const

const params = z
  .strictObject({
    path: path().describe('Absolute path of the private key; the public one is beside it, with `.pub`.'),
    state: z.enum(['present', 'absent']).default('present').describe('Whether there should be keys.'),
    type: z.enum(['rsa', 'ecdsa', 'ed25519']).default('rsa').describe('Kind of the keys.'),
    size: z.coerce
      .number()
      .int()
      .optional()
      .describe('Bits: 4096 for rsa where not given; 256, 384 or 521 for ecdsa.'),
    comment: z
      .string()
      .regex(/^[^\p{Cc}]*$/u, 'one line expected')
      .optional()
      .describe('Comment of the public key.'),
    regenerate: z
      .enum(['never', 'fail', 'partial_idempotence', 'full_idempotence'])
      .default('partial_idempotence')
      .describe(
        'When keys that are there are replaced: where they differ (`partial_idempotence`), also where they cannot be read (`full_idempotence`); `never`, or `fail` where they differ.',
      ),
    backup: flag().default(true).describe('Keep keys that are replaced, beside them.'),
    ...ownership,
  })
  .transform(({ size, mode, ...given }, context) => {
    const bits = given.type === 'ed25519' ? 256 : (size ?? SIZES[given.type])
    if (given.type === 'rsa' ? bits < 2048 || bits > 16_384 : ![256, 384, 521].includes(bits))
      context.addIssue({
        code: 'custom',
        message: `\`${bits}\` found, no size of such a key`,
        path: ['size'],
      })
    return { ...given, mode: mode ?? '0600', bits }
  })
type Params = z.output<typeof params>
type State = {
  readonly pair: SshKeyPair | null
  readonly file: Stat
  readonly pub: Stat
  readonly folder: Stat
}

export const openssh_keypair = defineModule({
  name: 'openssh_keypair',
  summary: 'Makes a pair of keys for OpenSSH on the host, which the private one never leaves.',
  examples: [
    '- name: Make the key that fetches the backups\n  openssh_keypair:\n    path: /root/.ssh/backup\n    type: ed25519\n    comment: backup of clinic-7\n',
  ],
  deviations: [
    'Keys are not locked with a passphrase (`passphrase` is not taken): nobody is there to type it. DSA keys and `force` are not taken.',
    'Keys that are replaced are kept beside, as nobody can make them again.',
    '`mode`, `owner` and `group` are those of the private key; the public one has the same owner and `0644`.',
  ],
  params,
  probe: ({ path: at }) => ({
    pair: sshKey(at),
    file: stat(at),
    pub: stat(`${at}.pub`),
    folder: stat(folderOf(at)),
  }),
  diff: (wish, state): readonly Change[] => {
    if (state.pair === null)
      throw new TaskError(
        'SSH_KEYGEN_MISSING',
        '`ssh-keygen` is missing on the host',
        'install the package `openssh-client` first',
      )
    const seen = followed(state.file)
    if (wish.state === 'absent')
      return changes<Change>(
        seen && { kind: 'state', what: wish.path, before: 'present', after: 'absent', destroys: true },
        state.pub !== null && { kind: 'state', what: `${wish.path}.pub`, before: 'present', after: 'absent' },
      )
    if (seen && seen.kind !== 'file')
      throw new TaskError('NOT_A_FILE', `\`${wish.path}\` is a ${seen.kind}, not a file`)
    if (!seen || state.pair.own === null) {
      requireFolder(wish.path, state.folder)
      return [{ kind: 'state', what: wish.path, before: 'absent', after: `${wish.type} ${wish.bits}` }]
    }
    return [...keyChanges(wish, state.pair), ...attributesOf(wish, state)]
  },
  apply: (found, wish, { pub }) => {
    const makesKey = found.some(
      ({ kind, after }) => kind === 'key' || (kind === 'state' && after !== 'absent'),
    )
    if (makesKey) return [{ do: 'run', script: keyScript(wish) }]
    const script = lines(
      ...found.map(change => {
        if (change.kind === 'state') return removalScript(change.what, false)
        return change.kind === 'public' || change.kind === 'comment'
          ? publicScript(wish, pub)
          : attributeScript(change)
      }),
    )
    return [{ do: 'run', script, detached: false }]
  },
  expect: (wish, state) => {
    if (wish.state === 'absent') return { ...state, pair: { own: null, shown: null }, file: null, pub: null }
    const [seen, beside] = [followed(state.file), followed(state.pub)]
    return {
      ...state,
      pair: pairAfter(wish, state),
      file: seen ? afterwards(seen, wish, true) : newStat('file', wish),
      pub: beside ? afterwards(beside, publicWish(wish), true) : newStat('file', publicWish(wish)),
    }
  },
  touches: (_, { path: at }) => contentTouches([], [at, `${at}.pub`]),
  result: ({ path: filename }, { pair }) => {
    const own = pair?.own ?? null
    if (own === null || 'problem' in own) return { filename }
    const isOpen = own.key === TO_BE_MADE
    return {
      filename,
      type: own.type,
      size: own.bits,
      comment: pair?.shown?.comment ?? '',
      public_key: isOpen ? new Unknown('the keys are made') : own.key,
    }
  },
})

function keyChanges(
  { path: at, type, bits, comment, regenerate }: Params,
  { own, shown }: SshKeyPair,
): readonly Change[] {
  const replaced = (before: string): Change => ({
    kind: 'key',
    what: at,
    before,
    after: `${type} ${bits}`,
    destroys: true,
  })
  if (own === null) return []
  if ('problem' in own) {
    if (regenerate === 'full_idempotence') return [replaced(own.problem)]
    if (regenerate === 'never') return []
    throw new TaskError('KEY_UNREADABLE', `\`${at}\` holds no key that can be used without a passphrase`)
  }
  if (regenerate !== 'never' && (own.type !== type || own.bits !== bits)) {
    if (regenerate !== 'fail') return [replaced(`${own.type} ${own.bits}`)]
    throw new TaskError('KEY_DIFFERS', `\`${at}\` is ${own.type} ${own.bits}`, 'move it away by hand')
  }
  const isOther = own.key !== shown?.key
  return changes<Change>(
    isOther && { kind: 'public', what: `${at}.pub`, before: shown?.key ?? null, after: own.key },
    !isOther &&
      comment !== undefined &&
      shown.comment !== comment && {
        kind: 'comment',
        what: `${at}.pub`,
        before: shown.comment,
        after: comment,
      },
  )
}

function publicWish({ owner, group }: Params) {
  return { owner, group, mode: '0644' }
}

function attributesOf(wish: Params, { file, pub }: State): readonly Change[] {
  const [seen, beside] = [followed(file), followed(pub)]
  return [
    ...(seen ? attributeChanges(wish.path, seen, wish) : []),
    ...(beside ? attributeChanges(`${wish.path}.pub`, beside, publicWish(wish)) : []),
  ]
}

function pairAfter(wish: Params, { pair }: State): SshKeyPair {
  const { type, bits, comment } = wish
  const isKept = pair?.own && !keyChanges(wish, pair).some(({ kind }) => kind === 'key')
  const fresh: SshPublicKey = { type, bits, key: TO_BE_MADE, comment: comment ?? '' }
  const own = isKept ? pair.own : fresh
  return {
    own,
    shown: 'problem' in own ? null : { ...own, comment: comment ?? pair?.shown?.comment ?? own.comment },
  }
}

/** Both keys are made in a folder of their own and put in place, the private one first. */
function keyScript(wish: Params): Sh {
  const { path: at, type, bits, comment, backup } = wish
  const words = [
    '-q',
    '-t',
    type,
    '-b',
    String(bits),
    '-N',
    '',
    ...(comment === undefined ? [] : ['-C', comment]),
  ]
  return lines(
    needs('ssh-keygen', 'openssh-client'),
    sh`umask 077; t=`,
    sh`trap '[ -z "$t" ] || rm -rf -- "$t"' EXIT; trap 'exit 143' HUP INT TERM`,
    draftScript(at, 'folder'),
    sh`ssh-keygen ${words} -f "$t/key" </dev/null || exit`,
    ownershipScript(sh`"$t/key"`, wish),
    ownershipScript(sh`"$t/key.pub"`, publicWish(wish)),
    backup &&
      sh`for f in ${[at, `${at}.pub`]}; do [ ! -f "$f" ] || ln -- "$f" "$f.$(date -u +%Y%m%dT%H%M%SZ).old" || exit; done`,
    sh`mv -f -- "$t/key" ${at} && mv -f -- "$t/key.pub" ${`${at}.pub`} || exit`,
    sh`sync`,
  )
}

function publicScript(wish: Params, pub: Stat): Sh {
  const { path: at, comment } = wish
  const fill = lines(
    sh`k=$(cat -- ${at} | ssh-keygen -y -P '' -f /dev/stdin) || exit`,
    comment !== undefined && sh`k="$(printf '%s\\n' "$k" | cut -d ' ' -f 1,2) "${comment}`,
    sh`printf '%s\\n' "$k" >"$t" || exit`,
  )
  return freshFileScript(`${at}.pub`, fill, keptOwnership(publicWish(wish), followed(pub)))
}
