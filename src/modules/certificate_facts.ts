import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { certificate, isSignedBy, type CertificateAnswer } from '../probes/certificate.ts'
import { readable } from '../probes/checksum.ts'
import { clock } from '../probes/clock.ts'
import type { Probe } from '../probes/probe.ts'
import { servedCertificate, type NotServed, type Served } from '../probes/served-certificate.ts'
import { describeCertificate } from './_certificates.ts'
import { complain, path } from './_params.ts'
import { defineModule } from './module.ts'

const params = z
  .strictObject({
    path: path().optional().describe('File on the host that holds the certificate.'),
    host: z
      .string()
      .regex(/^[\w.:-]+$/, 'the name or address of a host expected')
      .optional()
      .describe('Server that shows the certificate, as the host sees it.'),
    port: z.coerce.number().int().min(1).max(65_535).default(443).describe('Port of the server.'),
    server_name: z
      .string()
      .regex(/^[\w.:-]+$/)
      .optional()
      .describe('Name to ask the server for; `host` where not given.'),
    starttls: z
      .enum(['smtp', 'pop3', 'imap', 'ftp', 'ldap', 'postgres', 'mysql', 'xmpp'])
      .optional()
      .describe('Protocol in which the connection begins.'),
    ca_cert: path()
      .optional()
      .describe('File on the host with the authorities to trust; those of the system where not given.'),
    timeout: z.coerce.number().int().min(1).max(60).default(10).describe('Seconds the server has to answer.'),
  })
  .superRefine(({ path: file, host }, context) => {
    if ((file === undefined) === (host === undefined))
      complain(context, 'path', 'either `path` or `host` expected', 'MISSING_PARAM')
  })
type Questions = {
  readonly now: Probe<number>
  readonly file?: Probe<CertificateAnswer>
  readonly served?: Probe<Served | NotServed>
}

export const certificate_facts = defineModule({
  name: 'certificate_facts',
  summary: 'Tells what a certificate says, in a file or as a server shows it, for `register`.',
  examples: [
    '- name: Look at the certificate of the application\n  certificate_facts:\n    host: clinic.example\n  register: shown\n  failed_when: shown.days_left < 20 || !shown.trusted\n',
  ],
  deviations: [
    'Takes the place of `x509_certificate_info` (with `path`) and `get_certificate` (with `host`); days are counted by the clock of the host.',
    'A certificate that a server shows is told even where it is not trusted: `trusted` and `distrust` say so.',
  ],
  params,
  probe: ({
    path: file,
    host,
    port,
    server_name: name,
    starttls,
    ca_cert: authorities,
    timeout: seconds,
  }): Questions => ({
    now: clock,
    ...(file !== undefined && { file: certificate(file) }),
    ...(host !== undefined && {
      served: servedCertificate({ host, port, name: name ?? host, starttls, authorities, seconds }),
    }),
  }),
  diff: ({ path: file, host, port }, { file: answer, served }): readonly Change[] => {
    if (served && 'failure' in served)
      throw new TaskError('NOT_SERVED', `\`${host}:${port}\` shows no certificate: ${served.failure}`)
    const found = readable(answer ?? null)
    if (found !== null && 'problem' in found)
      throw new TaskError('NOT_A_CERTIFICATE', `\`${file}\` holds no certificate`)
    return []
  },
  apply: () => [],
  touches: () => [],
  reads: true,
  result: (_, { file, served, now }) => {
    if (served && 'chain' in served) {
      const [own] = served.chain
      return {
        exists: true,
        ...(own && describeCertificate(own, now)),
        chain: served.chain.map(one => one.subject),
        trusted: served.distrust === '',
        distrust: served.distrust,
      }
    }
    const found = readable(file ?? null)
    if (found === null || 'problem' in found) return { exists: false }
    return { exists: true, ...describeCertificate(found, now), self_signed: isSignedBy(found, found) }
  },
})
