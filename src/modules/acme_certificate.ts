import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { Unknown } from '../base/unknown.ts'
import { certificate, type Certificate, type CertificateAnswer } from '../probes/certificate.ts'
import { readable } from '../probes/checksum.ts'
import { clock } from '../probes/clock.ts'
import { privateKey, type NoKey, type PrivateKey } from '../probes/private-key.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import { text } from '../probes/text.ts'
import { acmeParams, type AcmeParams } from './_acme-params.ts'
import { acmeScript } from './_acme-script.ts'
import { DAY, describeCertificate } from './_certificates.ts'
import { readableKey, TO_BE_MADE } from './_openssl.ts'
import { changes, defineModule } from './module.ts'

type Questions = {
  readonly certificate: Probe<CertificateAnswer>
  readonly key: Probe<PrivateKey | NoKey | null>
  readonly now: Probe<number>
  readonly settings?: ReturnType<typeof text>
}
type State = StateOf<Questions>

export const acme_certificate = defineModule({
  name: 'acme_certificate',
  summary: "Gets a certificate from an authority such as Let's Encrypt, by certbot or lego on the host.",
  examples: [
    '- name: Get the certificate of the application\n  acme_certificate:\n    domains: [clinic.example.org]\n    account_email: it@example.org\n    terms_agreed: true\n    webroot: /var/www/acme\n    deploy_hook: systemctl reload nginx\n',
  ],
  deviations: [
    'It only drives certbot or lego, which must be on the host: the account, the challenge, the key and later renewals are theirs. Key and certificate stay where the client keeps them; `register` tells both paths.',
    'Compared are the names, the key, the authority (`certbot`), and the days left by the clock of the host. A certificate that the timer of the client renews in time is never renewed here.',
    'A certificate is not revoked or removed. `csr`, `account_key_src`, `data`, `dest`, `fullchain_dest` and the like are not taken.',
  ],
  params: acmeParams,
  probe: ({ certificate: file, key, client, settings }): Questions => ({
    certificate: certificate(file),
    key: privateKey({ path: key, passphrase: undefined }),
    now: clock,
    ...(client === 'certbot' && { settings: text(settings) }),
  }),
  diff: (wish, state): readonly Change[] => {
    const found = readable(state.certificate)
    if (found === null) return [{ kind: 'state', what: wish.name, before: 'absent', after: wish.names }]
    if ('problem' in found)
      throw new TaskError('NOT_A_CERTIFICATE', `\`${wish.certificate}\` holds no certificate`)
    const left = Math.floor((found.until - state.now) / DAY)
    const key = readableKey(wish.key, state.key)
    const server = serverOf(state)
    const same = found.names.toSorted().join(' ') === wish.names.toSorted().join(' ')
    return changes<Change>(
      !same && { kind: 'names', what: wish.name, before: found.names, after: wish.names },
      key.publicKey !== found.publicKey && {
        kind: 'key',
        what: wish.name,
        before: 'of another key',
        after: wish.key,
      },
      server !== undefined &&
        server !== wish.acme_directory && {
          kind: 'authority',
          what: wish.name,
          before: server,
          after: wish.acme_directory,
        },
      left < wish.remaining_days && {
        kind: 'days_left',
        what: wish.name,
        before: left,
        after: 'a new certificate',
      },
    )
  },
  apply: (found, wish) => [{ do: 'run', script: acmeScript(found, wish) }],
  expect: (wish, state) => ({
    ...state,
    certificate: renewed(wish, state),
    key: { type: 'ec', size: null, curve: 'prime256v1', isLocked: false, publicKey: TO_BE_MADE },
    ...('settings' in state && {
      settings: { text: `server = ${wish.acme_directory}\n`, encoding: 'utf8' as const },
    }),
  }),
  touches: (_, { client, lego_path: lego }) => [
    { kind: 'tree', name: client === 'lego' ? lego : '/etc/letsencrypt' },
  ],
  result: ({ certificate: cert, key }, state) => {
    const found = readable(state.certificate)
    if (found === null || 'problem' in found) return { cert, key }
    const said =
      found.serial === TO_BE_MADE
        ? new Unknown('the certificate is there')
        : describeCertificate(found, state.now)
    return { cert, key, certificate: said }
  },
})

/** What certbot has noted down: https://eff-certbot.readthedocs.io/en/stable/using.html#modifying-the-renewal-configuration-of-existing-certificates. */
function serverOf({ settings }: State): string | undefined {
  const noted = readable(settings ?? null)?.text ?? ''
  return /^server\s*=\s*(\S+)\s*$/m.exec(noted)?.[1]
}

function renewed({ names, remaining_days: least }: AcmeParams, { now }: State): Certificate {
  return {
    subject: '',
    issuer: TO_BE_MADE,
    names,
    from: now,
    until: now + (least + 1) * DAY,
    serial: TO_BE_MADE,
    fingerprint: TO_BE_MADE,
    publicKey: TO_BE_MADE,
    isAuthority: false,
    purposes: [],
    raw: TO_BE_MADE,
  }
}
