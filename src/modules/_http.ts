import { z } from 'zod'
import { plainText, Secret } from '../base/secret.ts'
import type { HttpRequest } from '../probes/http.ts'
import { flag, maybeSecret } from './_params.ts'

/** Parameters of a request that `uri` and `get_url` share. */
export const requestParams = {
  url: maybeSecret().describe('Address, `http://…` or `https://…`.'),
  headers: z
    .record(z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/), maybeSecret())
    .default({})
    .describe('Further headers, by name.'),
  url_username: maybeSecret().optional().describe('User to log in as.'),
  url_password: maybeSecret().optional().describe('Password of that user.'),
  force_basic_auth: flag()
    .default(true)
    .describe('Accepted for Ansible playbooks; the password is sent at once, always.'),
  validate_certs: flag().default(true).describe('Trust only certificates that can be verified.'),
  use_proxy: flag().default(true).describe('Use the proxy that the environment of the host names.'),
  timeout: z.coerce
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(30)
    .describe('Seconds to wait: for the whole answer, or for the next bytes of a file.'),
  http_agent: z.string().default('msingi').describe('Name to call oneself by.'),
  ca_path: z.string().startsWith('/').optional().describe('File on the host with authorities to trust.'),
  client_cert: z.string().startsWith('/').optional().describe('Certificate file on the host.'),
  client_key: z.string().startsWith('/').optional().describe('Key file on the host.'),
} as const

export interface RequestWish {
  readonly url: string | Secret
  readonly headers: Readonly<Record<string, string | Secret>>
  readonly url_username?: string | Secret | undefined
  readonly url_password?: string | Secret | undefined
  readonly validate_certs: boolean
  readonly use_proxy: boolean
  readonly timeout: number
  readonly http_agent: string
  readonly ca_path?: string | undefined
  readonly client_cert?: string | undefined
  readonly client_key?: string | undefined
  readonly unix_socket?: string | undefined
  readonly method: string
  readonly body?: string | Secret | undefined
  /** Follows redirections. */
  readonly follows: boolean
  /** A status of 400 or more is a failure of the program. */
  readonly fails?: boolean
}

/** Returns why the wish cannot be a request, or undefined. */
export function requestProblem({ url, headers }: Pick<RequestWish, 'url' | 'headers'>): string | undefined {
  if (!/^https?:\/\/[^\s/]/i.test(plainText(url))) return 'an address such as `https://example.org/` expected'
  const odd = [url, ...Object.values(headers)].some(value => /[\0\r\n]/.test(plainText(value)))
  return odd ? 'a line end found in an address or a header' : undefined
}

/** Returns the request as curl and wget are told of it; as soon as one part is secret, all of it is. */
export function requestOf(wish: RequestWish): HttpRequest {
  const parts = [wish.url, wish.url_username, wish.url_password, wish.body, ...Object.values(wish.headers)]
  const secrets = parts.filter(part => part instanceof Secret)
  const isSecret = secrets.length > 0
  const text = curlConfig(wish)
  return {
    curl: isSecret ? new Secret(text, secrets) : text,
    wget: isSecret ? undefined : wgetOptions(wish),
    url: wish.url,
    seconds: wish.timeout,
  }
}

function curlConfig(wish: RequestWish): string {
  const { url, method, headers, body, url_username: user, url_password: password } = wish
  const option = (name: string, value: string | Secret | undefined): string =>
    value === undefined ? '' : `${name} = "${escaped(plainText(value))}"\n`
  const login = user === undefined ? undefined : `${plainText(user)}:${plainText(password ?? '')}`
  return [
    option('url', url),
    method === 'HEAD' ? 'head\n' : option('request', method),
    ...Object.entries(headers).map(([name, value]) =>
      option('header', plainText(value) === '' ? `${name};` : `${name}: ${plainText(value)}`),
    ),
    option('data-raw', body),
    option('user', login),
    option('user-agent', wish.http_agent),
    wish.fails === true
      ? `connect-timeout = ${wish.timeout}\nspeed-limit = 1\nspeed-time = ${wish.timeout}\n`
      : `max-time = ${wish.timeout}\n`,
    option('unix-socket', wish.unix_socket),
    option('cacert', wish.ca_path),
    option('cert', wish.client_cert),
    option('key', wish.client_key),
    wish.fails === true ? 'fail\n' : '',
    wish.validate_certs ? '' : 'insecure\n',
    wish.use_proxy ? '' : 'noproxy = "*"\n',
    wish.follows ? 'location\nmax-redirs = 10\nproto-redir = "=http,https"\n' : '',
    'proto = "=http,https"\nsilent\nshow-error\ngloboff\n',
  ].join('')
}

/** The escapes of curl's configuration. */
function escaped(value: string): string {
  const letters: Readonly<Record<string, string>> = { '\n': 'n', '\r': 'r', '\t': 't', '\v': 'v' }
  return value.replaceAll(/["\\\n\r\t\v]/g, found => `\\${letters[found] ?? found}`)
}

function wgetOptions(wish: RequestWish): readonly string[] | undefined {
  const { method, headers, body, url_username: user, ca_path: authorities } = wish
  const isBeyond = wish.client_cert !== undefined || wish.unix_socket !== undefined
  if (body !== undefined || user !== undefined || isBeyond) return undefined
  return [
    `--method=${method}`,
    '--tries=1',
    `--timeout=${wish.timeout}`,
    `--user-agent=${wish.http_agent}`,
    `--max-redirect=${wish.follows ? 10 : 0}`,
    ...Object.entries(headers).map(([name, value]) => `--header=${name}: ${plainText(value)}`),
    ...(authorities === undefined ? [] : [`--ca-certificate=${authorities}`]),
    ...(wish.validate_certs ? [] : ['--no-check-certificate']),
    ...(wish.use_proxy ? [] : ['--no-proxy']),
  ]
}
