import { isIP } from 'node:net'
import { z } from 'zod'
import { plainText } from '../base/secret.ts'
import { nameOf } from '../probes/certificate.ts'
import { complain, flag, maybeSecret, ownership, path, words } from './_params.ts'

/** Of the subject, in the order in which they stand there: the parameter and OpenSSL's name. */
const SUBJECT = {
  country_name: ['C', 'Country, two letters.'],
  state_or_province_name: ['ST', 'State or province.'],
  locality_name: ['L', 'Town.'],
  organization_name: ['O', 'Organization.'],
  organizational_unit_name: ['OU', 'Part of the organization.'],
  common_name: ['CN', 'Name of the host or authority.'],
  email_address: ['emailAddress', 'Address for mail.'],
} as const
type SubjectParam = keyof typeof SUBJECT

/** What a certificate may be used for, as OpenSSL and the standard (RFC 5280, 4.2.1.12) spell it. */
export const PURPOSES: Readonly<Record<string, string>> = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
}

const part = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[^\p{Cc}]+$/u, 'one line expected')
  .optional()
const subject = Object.fromEntries(
  Object.entries(SUBJECT).map(([name, [, says]]) => [name, part.describe(says)]),
) as Record<SubjectParam, typeof part>

/** Weeks and days, as in Ansible; `+3650d`. */
function lifetime() {
  return z
    .string()
    .regex(/^\+(?=\d)(\d{1,3}w)?(\d{1,5}d)?$/, 'a time from now such as `+365d` expected')
    .default('+3650d')
    .transform(text => Number(/(\d+)w/.exec(text)?.[1] ?? 0) * 7 + Number(/(\d+)d/.exec(text)?.[1] ?? 0))
}

export const x509Params = z
  .strictObject({
    path: path().describe('Absolute path of the certificate.'),
    state: z
      .enum(['present', 'absent'])
      .default('present')
      .describe('Whether there should be a certificate.'),
    provider: z
      .enum(['selfsigned', 'ownca'])
      .default('selfsigned')
      .describe('Who signs it: its own key, or an authority whose key is on the host.'),
    privatekey_path: path().optional().describe('The private key that the certificate is for.'),
    privatekey_passphrase: maybeSecret().optional().describe('Passphrase of that key.'),
    ...subject,
    subject_alt_name: words()
      .default([])
      .describe(
        'Names it is good for, such as `DNS:clinic.example` and `IP:10.0.0.7`; the `common_name` where not given.',
      ),
    basic_constraints: words()
      .default(['CA:FALSE'])
      .describe('`CA:TRUE` for an authority, with `pathlen:0` where it signs no further authorities.'),
    extended_key_usage: words()
      .optional()
      .describe('What it may be used for; `serverAuth` where it is no authority and nothing is given.'),
    selfsigned_not_after: lifetime().describe('How long a self-signed certificate holds, such as `+365d`.'),
    ownca_not_after: lifetime().describe(
      'How long one of an authority holds; never longer than the authority.',
    ),
    ownca_path: path().optional().describe('Certificate of the authority.'),
    ownca_privatekey_path: path().optional().describe('Private key of the authority.'),
    ownca_privatekey_passphrase: maybeSecret().optional().describe('Passphrase of that key.'),
    remaining_days: z.coerce
      .number()
      .int()
      .min(0)
      .default(30)
      .describe('Days before its end at which it is made anew.'),
    force: flag().default(false).describe('Make it anew in each run.'),
    backup: flag().default(false).describe('Keep a certificate that is replaced, beside it.'),
    ...ownership,
  })
  .transform((given, context) => {
    checkPaths(given, context)
    const isAuthority = given.basic_constraints.includes('CA:TRUE')
    const odd = given.basic_constraints.find(one => !/^(CA:(TRUE|FALSE)|pathlen:\d{1,2})$/.test(one))
    if (odd !== undefined)
      complain(context, 'basic_constraints', `\`${odd}\` found, \`CA:TRUE\` or \`CA:FALSE\` expected`)
    const uses = given.extended_key_usage ?? (isAuthority ? [] : ['serverAuth'])
    const strange = uses.find(one => !(one in PURPOSES))
    if (strange !== undefined)
      complain(
        context,
        'extended_key_usage',
        `\`${strange}\` found, one of ${Object.keys(PURPOSES).join(', ')} expected`,
      )
    const names = namesOf(given.subject_alt_name, isAuthority ? undefined : given.common_name)
    const wrong = names.find(name => !isName(name))
    if (wrong !== undefined)
      complain(
        context,
        'subject_alt_name',
        `\`${wrong}\` found, a name such as \`DNS:clinic.example\` expected`,
      )
    const days = given.provider === 'ownca' ? given.ownca_not_after : given.selfsigned_not_after
    if (days <= given.remaining_days)
      complain(context, 'remaining_days', `it would be made anew in each run: it holds for ${days} days`)
    const fields = (Object.keys(SUBJECT) as SubjectParam[]).flatMap(name => {
      const value = given[name]
      return value === undefined ? [] : [[SUBJECT[name][0], value] as const]
    })
    if (given.state === 'present' && fields.length === 0)
      complain(context, 'common_name', '`common_name` is missing', 'MISSING_PARAM')
    return { ...given, mode: given.mode ?? '0644', fields, names, uses, isAuthority, days }
  })
export type X509Params = z.output<typeof x509Params>

interface Paths {
  readonly state: string
  readonly provider: string
  readonly privatekey_path?: string | undefined
  readonly ownca_path?: string | undefined
  readonly ownca_privatekey_path?: string | undefined
  readonly privatekey_passphrase?: Parameters<typeof plainText>[0] | undefined
  readonly ownca_privatekey_passphrase?: Parameters<typeof plainText>[0] | undefined
}

function checkPaths(given: Paths, context: z.RefinementCtx): void {
  const needed = [
    'privatekey_path',
    ...(given.provider === 'ownca' ? ['ownca_path', 'ownca_privatekey_path'] : []),
  ]
  for (const name of given.state === 'present' ? (needed as (keyof Paths)[]) : [])
    if (given[name] === undefined) complain(context, name, `\`${name}\` is missing`, 'MISSING_PARAM')
  for (const name of ['privatekey_passphrase', 'ownca_privatekey_passphrase'] as const) {
    const secret = given[name]
    if (secret !== undefined && !/^[^\0\r\n]+$/.test(plainText(secret)))
      complain(context, name, 'one line expected')
  }
}

function namesOf(written: readonly string[], common: string | undefined): readonly string[] {
  const found = written.length > 0 || common === undefined || !/^[\w.*-]+$/.test(common) ? written : [common]
  return [...new Set(found.map(name => nameOf(/^\w+:/.test(name) || !isIP(name) ? name : `IP:${name}`)))]
}

function isName(name: string): boolean {
  const [, kind, value = ''] = /^(\w+):(.*)$/.exec(name) ?? []
  if (kind === 'IP') return isIP(value) > 0
  if (kind === 'DNS')
    return /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(value)
  return (kind === 'email' || kind === 'URI') && /^[\w.+@:/?=&%~-]+$/.test(value)
}
