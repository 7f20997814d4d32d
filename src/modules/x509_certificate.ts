import { TaskError } from '../base/error.ts'
import type { Change, Registered } from '../base/result.ts'
import { Unknown } from '../base/unknown.ts'
import { certificate, isSignedBy, type Certificate, type CertificateAnswer } from '../probes/certificate.ts'
import { readable } from '../probes/checksum.ts'
import { clock } from '../probes/clock.ts'
import { privateKey, type NoKey, type PrivateKey } from '../probes/private-key.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import type { Stat } from '../probes/stat.ts'
import { contentTouches } from './_content.ts'
import { DAY, describeCertificate } from './_certificates.ts'
import { madeActions, madeAfter, madeDiff, madeQuestions } from './_made-file.ts'
import { passLines, readableKey, TO_BE_MADE } from './_openssl.ts'
import { PURPOSES, x509Params, type X509Params } from './_x509-params.ts'
import { issueScript } from './_x509-script.ts'
import { changes, defineModule } from './module.ts'

type Questions = {
  readonly file: Probe<Stat>
  readonly folder: Probe<Stat>
  readonly certificate: Probe<CertificateAnswer>
  readonly now: Probe<number>
  readonly key?: Probe<PrivateKey | NoKey | null>
  readonly authority?: Probe<CertificateAnswer>
}
type State = StateOf<Questions>

export const x509_certificate = defineModule({
  name: 'x509_certificate',
  summary: 'Makes a certificate for a key of the host, and makes it anew before it ends.',
  examples: [
    '- name: Sign the certificate of the web server ourselves\n  x509_certificate:\n    path: /etc/ssl/clinic.crt\n    privatekey_path: /etc/ssl/private/clinic.key\n    common_name: clinic.example\n    subject_alt_name: [DNS:clinic.example, IP:10.0.0.7]\n    selfsigned_not_after: +365d\n',
    '- name: Let our own authority sign it\n  x509_certificate:\n    path: /etc/ssl/clinic.crt\n    provider: ownca\n    ownca_path: /etc/ssl/ca.crt\n    ownca_privatekey_path: /etc/ssl/private/ca.key\n    privatekey_path: /etc/ssl/private/clinic.key\n    common_name: clinic.example\n    ownca_not_after: +90d\n    remaining_days: 30\n',
  ],
  deviations: [
    'The request for it is not a file: subject, names and uses are parameters here, under the names that `openssl_csr` has for them.',
    'It is made anew when it has less than `remaining_days` left, by the clock of the host; Ansible never renews these.',
    'Compared are the key, the subject, the names, the uses, whether it is an authority, and who signed it. Digests are SHA-256.',
    'A certificate does not outlive its authority. Times are from now, in weeks and days; a file that holds no certificate is refused unless `force` is given.',
  ],
  params: x509Params,
  probe: (wish): Questions => ({
    ...madeQuestions(wish),
    certificate: certificate(wish.path),
    now: clock,
    ...(wish.state === 'present' && {
      key: privateKey({ path: wish.privatekey_path ?? '/', passphrase: wish.privatekey_passphrase }),
    }),
    ...(wish.provider === 'ownca' && { authority: certificate(wish.ownca_path ?? '/') }),
  }),
  diff: (wish, state): readonly Change[] => {
    if (wish.state === 'present') daysFor(wish, state)
    const fresh = `${wish.provider}, ${wish.days} days`
    return madeDiff(wish, state, { content: () => certificateChanges(wish, state), fresh })
  },
  apply: (found, wish, state) => {
    const key = wish.state === 'present' ? keyOf(wish, state) : undefined
    const stdin = passLines(wish.privatekey_passphrase, wish.ownca_privatekey_passphrase)
    const fill = issueScript(wish, key ? daysFor(wish, state) : 0, key?.type ?? '')
    return madeActions(found, wish, state, { fill, stdin })
  },
  expect: (wish, state) => {
    if (wish.state === 'absent') return { ...state, ...madeAfter(wish, state), certificate: null }
    const isKept = state.certificate !== null && certificateChanges(wish, state).length === 0
    return {
      ...state,
      ...madeAfter(wish, state),
      certificate: isKept ? state.certificate : asWished(wish, state),
    }
  },
  touches: (_, { path }) => contentTouches([], [path]),
  verifiable: ({ force }, found) => !force || found.every(({ kind }) => kind !== 'renew'),
  result: ({ path: filename }, { certificate: answer, now }): Registered => {
    const found = readable(answer)
    if (found === null || 'problem' in found) return { filename }
    if (found.serial === TO_BE_MADE) return { filename, certificate: new Unknown('the certificate is made') }
    return { filename, ...describeCertificate(found, now) }
  },
})

function keyOf(wish: X509Params, { key }: State): PrivateKey {
  return readableKey(wish.privatekey_path ?? '', key ?? null)
}

/** What is wrong with a certificate that is there; each reason makes a new one. */
function certificateChanges(wish: X509Params, state: State): readonly Change[] {
  const { path, remaining_days: least, force } = wish
  const found = readable(state.certificate)
  const always = force && { kind: 'renew', what: path, before: null, after: 'a new one' }
  if (found === null) return []
  if ('problem' in found) {
    if (force) return [{ kind: 'certificate', what: path, before: 'something else', after: wish.provider }]
    throw new TaskError(
      'NOT_A_CERTIFICATE',
      `\`${path}\` holds no certificate`,
      'set `force: true` to replace it',
    )
  }
  const wished = asWished(wish, state)
  const left = Math.floor((found.until - state.now) / DAY)
  const sorted = (list: readonly string[]): readonly string[] => list.toSorted()
  const differ = (a: readonly string[], b: readonly string[]): boolean =>
    sorted(a).join('\n') !== sorted(b).join('\n')
  return changes<Change>(
    found.publicKey !== wished.publicKey && {
      kind: 'key',
      what: path,
      before: 'of another key',
      after: wish.privatekey_path ?? '',
    },
    found.subject !== wished.subject && {
      kind: 'subject',
      what: path,
      before: found.subject,
      after: wished.subject,
    },
    differ(found.names, wished.names) && {
      kind: 'names',
      what: path,
      before: found.names,
      after: wished.names,
    },
    differ(found.purposes, wished.purposes) && {
      kind: 'uses',
      what: path,
      before: usesOf(found),
      after: wish.uses,
    },
    found.isAuthority !== wished.isAuthority && {
      kind: 'authority',
      what: path,
      before: found.isAuthority,
      after: wished.isAuthority,
    },
    !isSigned(found, wish, state) && {
      kind: 'issuer',
      what: path,
      before: found.issuer,
      after: wish.ownca_path ?? 'itself',
    },
    left < least && { kind: 'days_left', what: path, before: left, after: daysFor(wish, state) },
    always,
  )
}

/** One that is still to be made will be. */
function isSigned(found: Certificate, wish: X509Params, state: State): boolean {
  return (
    found.raw === TO_BE_MADE ||
    isSignedBy(found, wish.provider === 'selfsigned' ? found : authorityOf(wish, state))
  )
}

function usesOf({ purposes }: Certificate): readonly string[] {
  return purposes.map(one => Object.entries(PURPOSES).find(([, number]) => number === one)?.[0] ?? one)
}

/** The certificate as it will be; what only the host can say is left open. */
function asWished(wish: X509Params, state: State): Certificate {
  const { fields, names, uses, isAuthority } = wish
  return {
    subject: fields.map(([name, value]) => `${name}=${subjectValue(value)}`).join(', '),
    issuer: TO_BE_MADE,
    names,
    from: state.now,
    until: state.now + daysFor(wish, state) * DAY,
    serial: TO_BE_MADE,
    fingerprint: TO_BE_MADE,
    publicKey: keyOf(wish, state).publicKey,
    isAuthority,
    purposes: uses.map(one => PURPOSES[one] ?? one),
    raw: TO_BE_MADE,
  }
}

/** As RFC 2253 escapes it, which is how a certificate's subject is read. */
function subjectValue(value: string): string {
  return value.replaceAll(/[,+"\\<>;]|^[ #]| $/g, String.raw`\$&`)
}

/**
 * Returns how many days a new certificate holds.
 *
 * @throws TaskError where its authority cannot sign it.
 */
function daysFor(wish: X509Params, state: State): number {
  keyOf(wish, state)
  if (wish.provider === 'selfsigned') return wish.days
  const at = wish.ownca_path ?? ''
  const authority = authorityOf(wish, state)
  if (!authority.isAuthority)
    throw new TaskError(
      'NO_AUTHORITY',
      `\`${at}\` is no authority`,
      'make it with `basic_constraints: [CA:TRUE]`',
    )
  const left = Math.floor((authority.until - state.now) / DAY)
  if (left > wish.remaining_days) return Math.min(wish.days, left)
  throw new TaskError(
    'AUTHORITY_ENDS',
    `the authority in \`${at}\` ends in ${left} days`,
    'make a new authority first',
  )
}

/** @throws TaskError with code `FILE_MISSING` or `NOT_A_CERTIFICATE`. */
function authorityOf({ ownca_path: at = '' }: X509Params, state: State): Certificate {
  const authority = readable(state.authority ?? null)
  if (authority === null) throw new TaskError('FILE_MISSING', `\`${at}\` is not there`)
  if ('problem' in authority) throw new TaskError('NOT_A_CERTIFICATE', `\`${at}\` holds no certificate`)
  return authority
}
