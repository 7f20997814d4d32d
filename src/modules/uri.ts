import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change, Registered } from '../base/result.ts'
import { Secret } from '../base/secret.ts'
import { exists } from '../probes/exists.ts'
import { http, httpScript, readHttp, type HttpAnswer, type NoAnswer } from '../probes/http.ts'
import type { Probe, StateOf } from '../probes/probe.ts'
import { bodyOf, CONTENT_TYPES } from './_http-body.ts'
import { requestOf, requestParams, requestProblem } from './_http.ts'
import { complain, flag, maybeSecret, path } from './_params.ts'
import { defineModule } from './module.ts'

const SAFE = ['GET', 'HEAD', 'OPTIONS']

const params = z
  .strictObject({
    ...requestParams,
    user: maybeSecret().optional().describe('Same as `url_username`.'),
    password: maybeSecret().optional().describe('Same as `url_password`.'),
    method: z
      .string()
      .regex(/^[A-Za-z]+$/)
      .transform(word => word.toUpperCase())
      .default('GET')
      .describe('Method of the request.'),
    body: z.unknown().optional().describe('What to send: a text, or data that `body_format` makes one of.'),
    body_format: z
      .enum(['raw', 'json', 'form-urlencoded'])
      .default('raw')
      .describe('How `body` is written; sets `Content-Type`.'),
    status_code: z
      .union([z.coerce.number(), z.array(z.coerce.number())])
      .transform(value => (Array.isArray(value) ? value : [value]))
      .default([200])
      .describe('Statuses that mean success.'),
    return_content: flag().default(false).describe('Register the content of the answer.'),
    follow_redirects: z
      .union([z.enum(['safe', 'all', 'none', 'urllib2', 'yes', 'no']), z.boolean()])
      .default('safe')
      .describe('Follow redirections: `safe` (GET and HEAD only), `all` or `none`.'),
    reads: flag()
      .default(false)
      .describe('It only reads, whatever its method: it runs in `plan` and `drift` as well.'),
    creates: path().optional().describe('Where this path is there, nothing is sent.'),
    removes: path().optional().describe('Where this path is not there, nothing is sent.'),
    unix_socket: path().optional().describe('Socket on the host to speak to.'),
  })
  .transform(({ user, password, ...given }, context) => {
    const problem = requestProblem(given)
    if (problem !== undefined) complain(context, 'url', problem)
    const body = bodyOf(given.body, given.body_format)
    if (body instanceof Error) complain(context, 'body', body.message)
    const isTyped = Object.keys(given.headers).some(name => name.toLowerCase() === 'content-type')
    const type = given.body === undefined || isTyped ? undefined : CONTENT_TYPES[given.body_format]
    const isRead = given.reads || (SAFE.includes(given.method) && given.body === undefined)
    const follow = String(given.follow_redirects)
    const request = requestOf({
      ...given,
      headers: { ...given.headers, ...(type !== undefined && { 'Content-Type': type }) },
      url_username: given.url_username ?? user,
      url_password: given.url_password ?? password,
      body: body instanceof Error ? undefined : body,
      follows:
        /^(all|yes|true)$/.test(follow) || (/^(safe|urllib2)$/.test(follow) && SAFE.includes(given.method)),
    })
    return { ...given, request, isRead }
  })
type Params = z.output<typeof params>

type Questions = {
  readonly answer?: Probe<HttpAnswer | NoAnswer>
  readonly creates?: Probe<boolean>
  readonly removes?: Probe<boolean>
}

export const uri = defineModule({
  name: 'uri',
  summary: 'Speaks to a web server from the host.',
  examples: [
    '- name: Wait until the service answers\n  uri:\n    url: http://127.0.0.1:5988/healthz\n    return_content: true\n  register: health\n  until: health.status == 200\n  retries: 12\n',
    '- name: Tell the load balancer\n  uri:\n    url: https://lb.example.org/v1/drain\n    method: POST\n    body_format: json\n    body: { host: web1 }\n    headers: { Authorization: "Bearer {{ lb_token }}" }\n    status_code: [200, 204]\n',
  ],
  deviations: [
    'GET, HEAD and OPTIONS without a body are questions: they run in `plan` and `drift` as well, together with those of other tasks, and change nothing. `reads: true` says so of other requests.',
    'It runs `curl`, or `wget` where that is enough: no secret, no login, no body. Nothing of a secret stands in a command line.',
    'A password is sent at once, without waiting for the server to ask.',
    '`dest` and `src` are not taken: `get_url` writes files. `form-multipart` is not taken.',
    'Where nobody answers, `status` is -1, as in Ansible.',
  ],
  params,
  probe: ({ isRead, request, creates, removes }): Questions => ({
    ...(isRead && { answer: http(request) }),
    ...(creates !== undefined && { creates: exists(creates) }),
    ...(removes !== undefined && { removes: exists(removes) }),
  }),
  diff: (wish, state): readonly Change[] => {
    if (rests(state)) return []
    if (state.answer) judged(wish, state.answer)
    if (wish.isRead) return []
    return [{ kind: 'request', what: `${wish.method} ${String(wish.url)}`, before: null, after: 'sent' }]
  },
  apply: (_, { request }) => [
    {
      do: 'run',
      script: httpScript(request, request.wget === undefined),
      ...(request.wget === undefined && { stdin: request.curl }),
      capture: true,
    },
  ],
  touches: (_, { isRead }) => (isRead ? [] : undefined),
  checkable: isCheckable,
  verifiable: isCheckable,
  said: (wish, answer) => judged(wish, readHttp(answer)),
  result: (wish, state) => (state.answer && !rests(state) ? judged(wish, state.answer) : {}),
})

function isCheckable({ isRead, creates, removes }: Params): boolean {
  return isRead || creates !== undefined || removes !== undefined
}

function rests({ creates, removes }: StateOf<Questions>): boolean {
  return creates === true || removes === false
}

/**
 * Returns what `register` holds of the answer.
 *
 * @throws TaskError with code `NO_RESPONSE` or `UNEXPECTED_STATUS`.
 */
function judged(wish: Params, answer: HttpAnswer | NoAnswer): Registered {
  const url = String(wish.url)
  if ('failure' in answer) {
    const message = `\`${url}\` did not answer: ${answer.failure}`
    throw new TaskError('NO_RESPONSE', message, undefined, undefined, { status: -1, url })
  }
  const found = registered(wish, answer)
  if (wish.status_code.includes(answer.status)) return found
  const message = `\`${url}\` answered with status ${answer.status} ${answer.reason}, expected ${wish.status_code.join(' or ')}`
  throw new TaskError('UNEXPECTED_STATUS', message, undefined, undefined, found)
}

function registered(wish: Params, { status, reason, headers, body, url }: HttpAnswer): Registered {
  const plain = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.replaceAll('-', '_'), value]),
  )
  const isJson = /[/+]json\b/i.test(headers['content-type'] ?? '')
  return {
    ...plain,
    status,
    msg: reason,
    url: url === undefined || wish.url instanceof Secret ? String(wish.url) : url,
    redirected: url !== undefined && !(wish.url instanceof Secret) && url !== wish.url,
    ...(wish.return_content && { content: body }),
    ...(isJson && parsed(body)),
  }
}

function parsed(body: string): Registered {
  try {
    return { json: JSON.parse(body) as unknown }
  } catch {
    return {}
  }
}
