import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { Unknown } from '../base/unknown.ts'
import { certificate, nameOf, type Certificate, type CertificateAnswer } from '../probes/certificate.ts'
import { readable } from '../probes/checksum.ts'
import { clock } from '../probes/clock.ts'
import { privateKey, type NoKey, type PrivateKey } from '../probes/private-key.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import { text } from '../probes/text.ts'
import { acmeScript } from './_acme-script.ts'
import { DAY, describeCertificate } from './_certificates.ts'
import { readableKey, TO_BE_MADE } from './_openssl.ts'
import { complain, flag, path, words } from './_params.ts'
import { changes, defineModule } from './module.ts'

export const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory'
const DOMAIN = /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/i

export const acmeParams = z
  .strictObject({
    name: z
      .string()
      .regex(/^[\w.-]+$/)
      .optional()
      .describe('Name of the certificate at the client; the first of `domains` where not given.'),
    domains: words().describe('Names that the certificate is for.'),
    client: z.enum(['certbot', 'lego']).default('certbot').describe('Program on the host that gets it.'),
    account_email: z
      .string()
      .regex(/^[^\s@]+@[^\s@]+$/, 'an address for mail expected')
      .optional()
      .describe('Where the authority writes to before the certificate ends; `lego` needs it.'),
    terms_agreed: flag()
      .default(false)
      .describe('You agree to the terms of the authority; it asks for that.'),
    acme_directory: z
      .string()
      .regex(/^https:\/\/\S+$/, 'an address with https expected')
      .default(LETS_ENCRYPT)
      .describe("Address of the authority; Let's Encrypt where not given."),
    ca_cert: path()
      .optional()
      .describe('File on the host with the authority to trust for `acme_directory`, for one of your own.'),
    challenge: z.enum(['http-01', 'dns-01']).default('http-01').describe('How the names are proved.'),
    webroot: path()
      .optional()
      .describe('Folder that the web server shows; without it, the client listens on port 80 itself.'),
    http_port: z.coerce
      .number()
      .int()
      .min(1)
      .max(65_535)
      .default(80)
      .describe('Port that the client listens on.'),
    dns_provider: z
      .string()
      .regex(/^[a-z0-9-]+$/)
      .optional()
      .describe('Who serves the names, as the client calls it; certbot has a plugin for each.'),
    dns_credentials: path()
      .optional()
      .describe(
        'File on the host with what the provider asks for: ini for certbot, lines `NAME=value` for lego.',
      ),
    key_type: z.enum(['ecdsa', 'rsa']).default('ecdsa').describe('Kind of the key, with 256 or 2048 bits.'),
    remaining_days: z.coerce
      .number()
      .int()
      .min(0)
      .default(10)
      .describe(
        'Days before its end at which it is renewed; before that the timer of the client should have done it.',
      ),
    deploy_hook: z
      .string()
      .min(1)
      .optional()
      .describe('Command of the host to run with each new certificate, such as `systemctl reload nginx`.'),
    lego_path: path().default('/var/lib/lego').describe('Folder that lego keeps keys and certificates in.'),
  })
  .transform((given, context) => {
    const { domains, client, challenge } = given
    const odd = domains.find(one => !DOMAIN.test(one))
    if (odd !== undefined || domains.length === 0)
      complain(context, 'domains', `\`${odd ?? ''}\` found, the name of a host expected`)
    if (!given.terms_agreed) complain(context, 'terms_agreed', 'the authority asks for `terms_agreed: true`')
    if (client === 'lego' && given.account_email === undefined)
      complain(context, 'account_email', '`account_email` is missing', 'MISSING_PARAM')
    if (challenge === 'dns-01' && given.dns_provider === undefined)
      complain(context, 'dns_provider', '`dns_provider` is missing', 'MISSING_PARAM')
    if (challenge === 'http-01' && domains.some(one => one.startsWith('*.')))
      complain(context, 'challenge', 'names with `*` are proved by `dns-01` alone')
    const [first = ''] = domains
    const name = given.name ?? first.replace(/^\*\./, '')
    const lego = `${given.lego_path}/certificates/${first.replace('*', '_')}`
    return {
      ...given,
      name,
      names: [...new Set(domains.map(nameOf))],
      certificate: client === 'lego' ? `${lego}.crt` : `/etc/letsencrypt/live/${name}/fullchain.pem`,
      key: client === 'lego' ? `${lego}.key` : `/etc/letsencrypt/live/${name}/privkey.pem`,
      settings: `/etc/letsencrypt/renewal/${name}.conf`,
    }
  })
export type AcmeParams = z.output<typeof acmeParams>

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
