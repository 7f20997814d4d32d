import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { plainText, Secret } from '../base/secret.ts'
import { checksum, readable, type Algorithm, type Checksum } from '../probes/checksum.ts'
import { downloadScript, http, type HttpAnswer, type NoAnswer } from '../probes/http.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import { followed, stat, visible, type Stat } from '../probes/stat.ts'
import { lines, sh } from '../shell/sh.ts'
import { afterwards, attributeChanges, attributeScript, describe, newStat } from './_attributes.ts'
import { contentTouches, keptOwnership } from './_content.ts'
import { freshFileScript } from './_fresh-file.ts'
import { requestOf, requestParams, requestProblem } from './_http.ts'
import { complain, flag, folderPath, maybeSecret, ownership } from './_params.ts'
import { baseOf, folderOf, inside, requireFolder } from './_paths.ts'
import { defineModule, type Action } from './module.ts'

const CHECKSUM = /^(?<algorithm>md5|sha1|sha224|sha256|sha384|sha512):(?<value>\S+)$/i

const params = z
  .strictObject({
    ...requestParams,
    username: maybeSecret().optional().describe('Same as `url_username`.'),
    password: maybeSecret().optional().describe('Same as `url_password`.'),
    dest: folderPath().describe(
      'Absolute path on the host; a folder takes the file under its name in the address.',
    ),
    checksum: z
      .string()
      .regex(CHECKSUM, 'a checksum such as `sha256:…` expected')
      .optional()
      .describe('`ALGORITHM:DIGITS`, or `ALGORITHM:ADDRESS` of a list of checksums.'),
    force: flag()
      .default(false)
      .describe('Fetch it again where the file has another checksum; needs `checksum`.'),
    via: z
      .enum(['host', 'controller'])
      .default('host')
      .describe('Who fetches it; the controller keeps what it fetched, for hosts without a way out.'),
    backup: flag().default(false).describe('Keep the file that is replaced; only `via: controller`.'),
    ...ownership,
  })
  .transform(({ username, password, checksum: written, ...given }, context) => {
    const problem = requestProblem(given)
    if (problem !== undefined) complain(context, 'url', problem)
    const { algorithm, value = '' } = CHECKSUM.exec(written ?? '')?.groups ?? {}
    const isList = /^https?:/i.test(value)
    if (written !== undefined && !isList && !/^[0-9a-f]+$/i.test(value))
      complain(context, 'checksum', `\`${value}\` found, hexadecimal digits or an address expected`)
    refuseMixtures(
      { ...given, hasChecksum: written !== undefined, hasDigits: written !== undefined && !isList },
      context,
    )
    const login = {
      url_username: given.url_username ?? username,
      url_password: given.url_password ?? password,
    }
    const wish = { ...given, ...login, method: 'GET', follows: true, fails: true }
    return {
      ...given,
      request: requestOf(wish),
      ...(isList && { list: requestOf({ ...wish, url: value, fails: false }) }),
      ...(written !== undefined && !isList && { digits: value.toLowerCase() }),
      ...(algorithm !== undefined && { algorithm: algorithm.toLowerCase() as Algorithm }),
    }
  })
type Params = z.output<typeof params>

/** What was asked for at once and does not go together. */
interface Mixture {
  readonly via: 'host' | 'controller'
  readonly force: boolean
  readonly backup: boolean
  readonly validate_certs: boolean
  readonly hasChecksum: boolean
  readonly hasDigits: boolean
}

function refuseMixtures(given: Mixture, context: z.RefinementCtx): void {
  const isVia = given.via === 'controller'
  if (given.force && !given.hasChecksum)
    complain(
      context,
      'force',
      '`checksum` expected with it; nobody can know else whether the file is up to date',
    )
  if (isVia && !given.hasDigits)
    complain(context, 'checksum', '`via: controller` needs a checksum in digits', 'MISSING_PARAM')
  if (isVia && !given.validate_certs) complain(context, 'validate_certs', 'the controller always verifies')
  if (given.backup && !isVia) complain(context, 'backup', 'a backup is only kept with `via: controller`')
}

type Questions = {
  readonly [path: `/${string}`]: Probe<Stat>
  readonly [sum: `sum /${string}`]: Probe<Checksum>
  readonly list?: Probe<HttpAnswer | NoAnswer>
}
type State = StateOf<Questions>

export const get_url = defineModule({
  name: 'get_url',
  summary: 'Fetches a file from a web server.',
  examples: [
    '- name: Fetch the exporter\n  get_url:\n    url: https://example.org/node_exporter.tar.gz\n    dest: /opt/node_exporter.tar.gz\n    checksum: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n    mode: "0644"\n',
    '- name: Bring it to a host without a way out\n  get_url:\n    url: https://example.org/tool\n    dest: /usr/local/bin/tool\n    checksum: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n    mode: "0755"\n    via: controller\n',
  ],
  deviations: [
    '`via: controller` fetches on the controller, which keeps the file under its checksum, and brings it to the host.',
    'A file that is there is right where its checksum is, or where none is given; `force` without `checksum` is refused.',
    'With a checksum, a file with another one is fetched anew, whatever `force` says.',
    '`backup` is only kept with `via: controller`; `tmp_dest` is not taken, as a new file is written beside the old one.',
  ],
  params,
  probe: (wish): Questions => ({
    ...(Object.assign({}, ...candidates(wish).map(path => questionsAt(path, wish))) as Questions),
    ...(wish.list && { list: http(wish.list, []) }),
  }),
  diff: (wish, state: State): readonly Change[] => {
    const path = targetOf(wish, state)
    const seen = visible(at(state, path))
    if (!seen) requireFolder(path, at(state, folderOf(path)))
    const subject = seen && followed(seen)
    if (subject && subject.kind !== 'file')
      throw new TaskError('NOT_A_FILE', `\`${path}\` is a ${subject.kind}, not a file`)
    const before = subject ? readable(state[`sum ${path}` as `sum /${string}`] ?? null) : null
    const after = digitsOf(wish, state)
    const attributes = subject ? attributeChanges(path, subject, wish) : []
    const isRight = subject !== null && (after === undefined || before === after)
    return isRight
      ? attributes
      : [{ kind: 'content', what: path, before, after: after ?? String(wish.url) }, ...attributes]
  },
  apply: (found, wish, state: State): readonly Action[] => {
    if (!found.some(({ kind }) => kind === 'content'))
      return [{ do: 'run', script: lines(...found.map(attributeScript)), detached: false }]
    return [wish.via === 'controller' ? viaController(wish, state) : viaHost(wish, state)]
  },
  expect: (wish, state: State) => {
    const path = targetOf(wish, state)
    const seen = visible(at(state, path))
    const digits = digitsOf(wish, state)
    return {
      ...state,
      [path]: seen ? afterwards(seen, wish, true) : newStat('file', wish),
      ...(digits !== undefined && { [`sum ${path}`]: digits }),
    }
  },
  touches: (found, wish) => contentTouches(found, candidates(wish)),
  result: (wish, state: State) => {
    const dest = targetOf(wish, state)
    const seen = followed(at(state, dest))
    const sum = state[`sum ${dest}` as `sum /${string}`]
    return {
      url: String(wish.url),
      dest,
      ...(typeof sum === 'string' && { checksum: sum }),
      ...(seen && describe(seen)),
    }
  },
})

/** A folder that is there takes the file in, so there are two places where it may belong. */
function candidates(wish: Params): readonly string[] {
  const { dest } = wish
  const name = nameOf(wish)
  if (dest.endsWith('/')) return [inside(dest.slice(0, -1) || '/', name)]
  return [dest, inside(dest, name)]
}

function targetOf(wish: Params, state: State): string {
  const [first = '/', second] = candidates(wish)
  return second !== undefined && followed(at(state, first))?.kind === 'directory' ? second : first
}

function at(state: State, path: string): Stat {
  return state[path as `/${string}`] ?? null
}

function questionsAt(path: string, { algorithm }: Params): Questions {
  return {
    [path]: stat(path),
    [folderOf(path)]: stat(folderOf(path)),
    ...(algorithm !== undefined && { [`sum ${path}`]: checksum({ path, algorithm }) }),
  } as Questions
}

/** @throws TaskError where the list of checksums cannot be had, or does not name the file. */
function digitsOf(wish: Params, { list }: State): string | undefined {
  if (list === undefined) return wish.digits
  if ('failure' in list)
    throw new TaskError('NO_RESPONSE', `the list of checksums cannot be had: ${list.failure}`)
  if (list.status !== 200)
    throw new TaskError('UNEXPECTED_STATUS', `the list of checksums came with status ${list.status}`)
  const name = nameOf(wish)
  const rows = list.body.split(/\r?\n/).flatMap(row => {
    const [, digits, file] = /^\\?([0-9a-f]{32,128})(?: [ *]?(.+))?$/i.exec(row.trim()) ?? []
    return digits === undefined ? [] : [{ digits, name: file === undefined ? undefined : baseOf(file) }]
  })
  const own =
    rows.find(row => row.name === name) ?? (rows.length === 1 && !rows[0]?.name ? rows[0] : undefined)
  if (own) return own.digits.toLowerCase()
  throw new TaskError('CHECKSUM_MISSING', `the list of checksums does not name \`${name}\``)
}

function nameOf({ url }: Pick<Params, 'url'>): string {
  return baseOf(plainText(url).replace(/[?#].*$/, '')) || 'index.html'
}

function viaController(wish: Params, state: State): Action {
  const { url, headers, timeout, backup, digits = '', algorithm = 'sha256' } = wish
  const path = targetOf(wish, state)
  const kept = keptOwnership(wish, followed(at(state, path)))
  return {
    do: 'write',
    path,
    content: { url, headers, algorithm, digits, seconds: timeout },
    backup,
    ...kept,
  }
}

/** Fetches beside the target, verifies, and only then replaces it. */
function viaHost(wish: Params, state: State): Action {
  const { request, algorithm } = wish
  const path = targetOf(wish, state)
  const seen = visible(at(state, path))
  const digits = digitsOf(wish, state)
  const verify =
    digits !== undefined &&
    sh`c=$(${`${algorithm}sum`} <"$t") || exit
[ "\${c%% *}" = ${digits} ] || { printf 'what was fetched has the checksum %s\\n' "\${c%% *}" >&2; exit 1; }`
  const isOnStdin = request.curl instanceof Secret
  const script = freshFileScript(
    seen?.kind === 'link' ? (seen.real ?? path) : path,
    lines(downloadScript(request, isOnStdin), verify),
    keptOwnership(wish, followed(seen)),
  )
  return { do: 'run', script, ...(isOnStdin && { stdin: request.curl }) }
}
