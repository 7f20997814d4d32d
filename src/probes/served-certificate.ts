import { isIP } from 'node:net'
import { lines, sh } from '../shell/sh.ts'
import { certificateOf, certificatesIn, type Certificate } from './certificate.ts'
import { probeOf, type Family } from './probe.ts'
import { brokenOff, unreadable } from './unreadable.ts'

export interface ServedArg {
  readonly host: string
  readonly port: number
  /** The name that the server is asked for, and that the certificate must be good for. */
  readonly name: string
  /** Protocol in which the connection begins, such as `smtp`; undefined where it begins with TLS. */
  readonly starttls: string | undefined
  /** File on the host with the authorities to trust; those of the system where not given. */
  readonly authorities: string | undefined
  readonly seconds: number
}

/** What a server shows of itself: its own certificate first. */
export interface Served {
  readonly chain: readonly Certificate[]
  /** Why the host does not trust it; empty where it does. */
  readonly distrust: string
}

/** Nothing was shown, or there is nothing to look with. */
export interface NotServed {
  readonly failure: string
}

/** Asks servers for their certificates, seen from the host; nothing is sent besides the greeting. */
export const servedCertificateFamily: Family<ServedArg, Served | NotServed> = {
  name: 'served-certificate',
  key: arg => JSON.stringify(arg),
  reads: () => [
    { kind: 'process', name: '*' },
    { kind: 'unit', name: '*' },
    { kind: 'package', name: 'openssl' },
  ],
  absent: answer => 'failure' in answer,
  deadline: 180,
  script: args =>
    lines(
      sh`command -v openssl >/dev/null || exit 127`,
      ...args.map(({ host, port, name, starttls, authorities, seconds }) => {
        const words = [
          '-connect',
          `${host.includes(':') ? `[${host}]` : host}:${port}`,
          '-showcerts',
          ...(isIP(name)
            ? ['-noservername', '-verify_ip', name]
            : ['-servername', name, '-verify_hostname', name]),
          ...(starttls === undefined ? [] : ['-starttls', starttls]),
          ...(authorities === undefined ? [] : ['-CAfile', authorities]),
        ]
        return sh`timeout ${seconds} openssl s_client ${words} </dev/null 2>&1; printf '\\nmsingi-status %s\\n' "$?"`
      }),
    ),
  parse: (answer, args) => {
    if (answer.code !== 0) throw brokenOff('openssl s_client', answer)
    const parts = answer.out.split(/\nmsingi-status (\d+)\n/)
    if (parts.length !== 2 * args.length + 1 || parts.at(-1) !== '')
      throw unreadable(`expected ${args.length} answers of openssl s_client`)
    return args.map((_, index) => readServed(parts[2 * index] ?? '', parts[2 * index + 1] ?? ''))
  },
}

/** Asks the server for its certificate. */
export const servedCertificate = probeOf(servedCertificateFamily)

function readServed(said: string, status: string): Served | NotServed {
  const found = certificatesIn({ text: said })
  if (found.length === 0)
    return { failure: status === '124' ? 'it did not answer in time' : complaintIn(said) }
  const [, code = '', why = ''] = /Verify return code: (\d+) \(([^)]*)\)/.exec(said) ?? []
  if (code === '') throw unreadable('openssl does not say whether the certificate is trusted')
  return {
    chain: found.map(certificateOf),
    distrust: code === '0' ? '' : why,
  }
}

/** OpenSSL writes where in itself a failure was noticed, and the reason at the end. */
function complaintIn(said: string): string {
  const rows = said.split('\n').map(row => row.trim())
  const reason = rows.map(row => /:error:[^:]*:[^:]*:[^:]*:(?<reason>[^:]+)/.exec(row)?.groups?.['reason'])
  const first = reason.find(one => one !== undefined) ?? rows.find(row => /errno|refused|failed/i.test(row))
  return (first ?? 'it showed no certificate').slice(0, 200)
}
