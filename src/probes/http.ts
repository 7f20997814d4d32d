import { isUtf8 } from 'node:buffer'
import { createHmac, randomBytes } from 'node:crypto'
import type { Completed } from '../base/result.ts'
import { plainText, type Secret } from '../base/secret.ts'
import { ANYTHING } from './command.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'
import { probeOf, type Probe } from './probe.ts'
import { unreadable } from './unreadable.ts'

/** A request as curl's configuration says it, which stands in no command line. */
export interface HttpRequest {
  readonly curl: string | Secret
  /** Options of wget, for hosts without curl; undefined where it cannot say it, or only in its command line. */
  readonly wget: readonly string[] | undefined
  /** For wget; it reads the address, too. */
  readonly url: string | Secret
  readonly seconds: number
}

/** What a server answered last, after redirections. */
export interface HttpAnswer {
  readonly status: number
  readonly reason: string
  /** Names in lower case; several lines of one name are joined with a comma. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly encoding: 'utf8' | 'latin1'
  readonly url: string | undefined
}

/** Nobody answered: why, in the program's own words. */
export interface NoAnswer {
  readonly failure: string
}

/** Identities of requests must tell nothing about what is secret in them. */
const SALT = randomBytes(16)

/**
 * Asks what a server answers; a body can hold anything, so no two requests share a script. Changes of the host are taken to
 * alter the answer, unless it is given that they do not.
 */
export function http(request: HttpRequest, reads = ANYTHING): Probe<HttpAnswer | NoAnswer> {
  return probeOf<HttpRequest, HttpAnswer | NoAnswer>({
    name: 'http',
    key: ({ curl, url }) =>
      `${String(url)} ${createHmac('sha256', SALT).update(plainText(curl)).digest('hex').slice(0, 16)}`,
    reads: () => reads,
    absent: answer => 'failure' in answer || answer.status >= 400,
    deadline: request.seconds + 10,
    script: () => httpScript(request),
    parse: answer => [readHttp(answer)],
  })(request)
}

/** Stands before what curl says of the answer; wget says nothing, and gives the headers on standard error. */
const MARK = 'msingi-http:'

/**
 * Returns the script of a request; its answer is read by `readHttp`. The request reaches the program through a pipe, or is
 * what the script itself reads from its standard input: the way for a change, of which the script is kept.
 */
export function httpScript({ curl, wget, url }: HttpRequest, isOnStdin = false): Sh {
  return lines(
    sh`if command -v curl >/dev/null; then`,
    sh`${isOnStdin ? sh`` : sh`printf %s ${plainText(curl)} | `}curl -q -K - -i -w '%{stderr}'${`${MARK} `}'%{size_header} %{url_effective}\\n'`,
    wget !== undefined &&
      lines(
        sh`elif command -v wget >/dev/null && wget --version >/dev/null 2>&1; then`,
        sh`printf '%s\\n' ${plainText(url)} | wget --no-config -i - -O - -S -nv --content-on-error ${wget} || [ $? = 8 ] || exit 4`,
      ),
    sh`else printf '%s\\n' ${wget === undefined ? NO_CURL : NO_PROGRAM} >&2; exit 127; fi`,
  )
}

/** Returns the script that writes what the server sends to the file that the shell's `$t` names. */
export function downloadScript({ curl, wget, url }: HttpRequest, isOnStdin: boolean): Sh {
  return lines(
    sh`if command -v curl >/dev/null; then`,
    sh`${isOnStdin ? sh`` : sh`printf %s ${plainText(curl)} | `}curl -q -K - -o "$t" || exit`,
    wget !== undefined &&
      lines(
        sh`elif command -v wget >/dev/null && wget --version >/dev/null 2>&1; then`,
        sh`printf '%s\\n' ${plainText(url)} | wget --no-config -i - -O "$t" -nv ${wget} || exit`,
      ),
    sh`else printf '%s\\n' ${wget === undefined ? NO_CURL : NO_PROGRAM} >&2; exit 127; fi`,
  )
}

const NO_CURL = '`curl` is missing on the host, and this request needs it'
const NO_PROGRAM = 'neither `curl` nor `wget` is on the host'

/**
 * Returns what the server answered, or why it did not.
 *
 * @throws TaskError with code `PROBE_UNREADABLE` where there is no program to ask with, or its answer is odd or too long.
 */
export function readHttp(answer: Completed): HttpAnswer | NoAnswer {
  const { code, out, err, dropped = 0 } = answer
  if (code === 127) throw unreadable(err.trim().slice(0, 300), 'install `curl` on the host')
  const said = rowsOf(err)
  if (code !== 0) return { failure: complaintIn(said) || `the program ended with status ${code}` }
  if (dropped > 0) throw unreadable('the answer is too long to be kept')
  const bytes = Buffer.from(out, answer.encoding)
  const told = /^msingi-http: (?<size>\d+) (?<url>.*)$/m.exec(err)?.groups
  const size = Number(told?.['size'] ?? 0)
  const rows = told ? rowsOf(bytes.toString('latin1', 0, size)) : said
  const first = rows.findLastIndex(row => STATUS.test(row))
  const found = STATUS.exec(rows[first] ?? '')?.groups
  if (!found || size > bytes.length)
    throw unreadable(`expected the status of an answer, found \`${err.slice(0, 80)}\``)
  const encoding = isUtf8(bytes.subarray(size)) ? 'utf8' : 'latin1'
  return {
    status: Number(found['status']),
    reason: found['reason'] ?? '',
    headers: headersIn(rows.slice(first + 1)),
    body: bytes.toString(encoding, size),
    encoding,
    // curl puts the login into it.
    url: told?.['url']?.replace(/\/\/[^/@]*@/, '//'),
  }
}

function rowsOf(text: string): readonly string[] {
  return text.split(/\r?\n/).map(row => row.trim())
}

const STATUS = /^HTTP\/[\d.]+ (?<status>\d{3})(?: (?<reason>.*))?$/
const HEADER = /^(?<name>[A-Za-z0-9!#$%&'*+.^_`|~-]+):\s*(?<value>.*)$/

/** The last rows of the programs are about their errors. */
function complaintIn(rows: readonly string[]): string {
  const own = rows.filter(row => row !== '' && !STATUS.test(row) && !row.startsWith(MARK))
  return own.findLast(row => /^(curl|wget):/i.test(row)) ?? own.at(-1) ?? ''
}

function headersIn(rows: readonly string[]): Readonly<Record<string, string>> {
  const found = new Map<string, string>()
  for (const row of rows) {
    const { name, value = '' } = HEADER.exec(row)?.groups ?? {}
    if (name === undefined) break
    const key = name.toLowerCase()
    found.set(key, found.has(key) ? `${found.get(key)}, ${value}` : value)
  }
  return Object.fromEntries(found)
}
