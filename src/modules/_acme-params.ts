import { z } from 'zod'
import { nameOf } from '../probes/certificate.ts'
import { complain, flag, path, words } from './_params.ts'

const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory'
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
      .regex(/^([^\s@]+@[^\s@]+)?$/, 'an address for mail expected')
      .default('')
      .describe(
        'Where the authority writes to before the certificate ends; nowhere where empty. `lego` needs it.',
      ),
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
    if (client === 'lego' && given.account_email === '')
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
