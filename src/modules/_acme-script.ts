import type { Change } from '../base/result.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { needs } from './_tools.ts'
import type { AcmeParams } from './_acme-params.ts'

/** Returns the script that gets the certificate, or a new one. */
export function acmeScript(found: readonly Change[], wish: AcmeParams): Sh {
  return wish.client === 'certbot' ? certbotScript(found, wish) : legoScript(found, wish)
}

function certbotScript(found: readonly Change[], wish: AcmeParams): Sh {
  const { name, domains, account_email: email, ca_cert: ca, webroot, deploy_hook: hook } = wish
  const { dns_provider: provider = '', dns_credentials: credentials } = wish
  const isNew = found.some(({ kind }) => kind === 'state')
  const proof =
    wish.challenge === 'dns-01'
      ? [
          `--dns-${provider}`,
          ...(credentials === undefined ? [] : [`--dns-${provider}-credentials`, credentials]),
        ]
      : webroot === undefined
        ? ['--standalone', '--http-01-port', String(wish.http_port)]
        : ['--webroot', '--webroot-path', webroot]
  const words = [
    'certonly',
    '--non-interactive',
    '--agree-tos',
    '--server',
    wish.acme_directory,
    '--cert-name',
    name,
    ...(email === '' ? ['--register-unsafely-without-email'] : ['--email', email]),
    ...proof,
    ...domains.flatMap(one => ['-d', one]),
    '--key-type',
    wish.key_type,
    '--rsa-key-size',
    '2048',
    '--elliptic-curve',
    'secp256r1',
    ...(isNew ? [] : ['--force-renewal', '--renew-with-new-domains']),
    ...(hook === undefined ? [] : ['--deploy-hook', hook]),
  ]
  return lines(
    needs('certbot', 'certbot'),
    ca !== undefined && sh`export REQUESTS_CA_BUNDLE=${ca}`,
    sh`certbot ${words} </dev/null || exit`,
  )
}

/** Another set of names is another certificate to lego, under the same name; the same names are renewed. */
function legoScript(found: readonly Change[], wish: AcmeParams): Sh {
  const { domains, account_email: email, ca_cert: ca, webroot, deploy_hook: hook } = wish
  const { dns_provider: provider = '', dns_credentials: credentials } = wish
  const renews = found.every(({ kind }) => kind === 'days_left')
  const proof =
    wish.challenge === 'dns-01'
      ? ['--dns', provider]
      : webroot === undefined
        ? ['--http', '--http.port', `:${wish.http_port}`]
        : ['--http', '--http.webroot', webroot]
  const words = [
    '--accept-tos',
    '--server',
    wish.acme_directory,
    '--email',
    email,
    '--path',
    wish.lego_path,
    ...domains.flatMap(one => ['--domains', one]),
    '--key-type',
    wish.key_type === 'rsa' ? 'rsa2048' : 'ec256',
    ...proof,
    ...(renews ? ['renew', '--days', '10000', '--no-random-sleep'] : ['run']),
    ...(hook === undefined ? [] : [renews ? '--renew-hook' : '--run-hook', hook]),
  ]
  return lines(
    needs('lego', 'lego'),
    ca !== undefined && sh`export LEGO_CA_CERTIFICATES=${ca}`,
    credentials !== undefined && sh`set -a; . ${credentials} || exit; set +a`,
    sh`umask 077; lego ${words} </dev/null || exit`,
  )
}
