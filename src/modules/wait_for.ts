import { z } from 'zod'
import type { Change } from '../base/result.ts'
import { awaited, awaitedScript, CONNECTION_STATES, type Awaited } from '../probes/awaited.ts'
import { lines, sh } from '../shell/sh.ts'
import { complain, path, text, words } from './_params.ts'
import { changes, defineModule } from './module.ts'

const seconds = () => z.coerce.number().int().nonnegative()

const params = z
  .strictObject({
    host: z
      .string()
      .regex(/^[\w.:-]+$/)
      .default('127.0.0.1')
      .describe('Host to connect to, as seen from the host.'),
    port: z.coerce.number().int().min(1).max(65_535).optional().describe('Port to connect to.'),
    path: path().optional().describe('Path to look at.'),
    state: z
      .enum(['started', 'present', 'stopped', 'absent', 'drained'])
      .default('started')
      .describe(
        '`started` or `present`: open, or there; `stopped` or `absent`: not; `drained`: no connection left.',
      ),
    search_regex: z
      .string()
      .min(1)
      .optional()
      .describe('Extended regular expression that must match in the file, or in what the port says first.'),
    timeout: seconds().default(300).describe('Seconds to wait at most.'),
    delay: seconds().default(0).describe('Seconds to wait before the first look.'),
    sleep: seconds().default(1).describe('Seconds between two looks.'),
    connect_timeout: seconds().default(5).describe('Seconds for one attempt to connect.'),
    exclude_hosts: words()
      .pipe(z.array(z.ipv4()))
      .default([])
      .describe('Addresses whose connections do not count for `drained`.'),
    active_connection_states: words()
      .pipe(z.array(z.enum(CONNECTION_STATES)))
      .default([...CONNECTION_STATES])
      .describe('States in which a connection counts as left.'),
    msg: text().optional().describe('What is said where it takes too long.'),
  })
  .superRefine(({ port, path: file, state, search_regex: pattern }, context) => {
    if ((port === undefined) === (file === undefined))
      complain(
        context,
        'port',
        'either `port` or `path` expected; to let time go by, use `pause`',
        'MISSING_PARAM',
      )
    if (state === 'drained' && (port === undefined || pattern !== undefined))
      complain(context, 'state', '`drained` needs `port` alone')
    if (pattern !== undefined && port !== undefined && (state === 'stopped' || state === 'absent'))
      complain(context, 'search_regex', 'what a closed port says cannot be looked at')
  })
type Params = z.output<typeof params>

export const wait_for = defineModule({
  name: 'wait_for',
  summary: 'Waits until a port is open, a path is there, a text appears, or connections are gone.',
  examples: [
    '- name: Wait for the database\n  wait_for:\n    port: 5984\n    timeout: 60\n',
    '- name: Wait until the log says so\n  wait_for: { path: /var/log/app.log, search_regex: ready, timeout: 120 }\n',
  ],
  deviations: [
    'The host waits by itself, in one exchange.',
    '`search_regex` is an extended regular expression of POSIX, matched line by line.',
    'In a plan and in drift nothing is waited for: what does not hold at once is named.',
    '`exclude_hosts` takes IPv4 addresses; `drained` counts connections to the port at any address of the host.',
  ],
  params,
  waits: true,
  probe: wish => ({ holds: awaited(awaitedOf(wish)) }),
  diff: (wish, { holds }): readonly Change[] =>
    changes(
      holds !== isWanted(wish) && {
        kind: 'wait',
        what: thingOf(wish),
        before: holds ? 'there' : 'not there',
        after: wish.state,
      },
    ),
  apply: (_, wish) => {
    const said = wish.msg ?? `${thingOf(wish)} is not ${wish.state} after ${wish.timeout} s`
    const look = awaitedScript(awaitedOf(wish))
    return [
      {
        do: 'run',
        capture: true,
        script: lines(
          sh`look() { ( ${look} ) </dev/null >/dev/null 2>&1; }
now() { IFS=. read -r n _ </proc/uptime; }`,
          sh`now; began=$n; sleep ${wish.delay}`,
          sh`until ${isWanted(wish) ? sh`look` : sh`! look`}; do
now; [ $((n - began)) -lt ${wish.timeout} ] || { printf '%s\\n' ${said} >&2; exit 1; }
sleep ${wish.sleep}
done; now; echo $((n - began))`,
        ),
      },
    ]
  },
  expect: wish => ({ holds: isWanted(wish) }),
  touches: () => [],
  said: (_, { out }) => ({ elapsed: Number(out.trim()) }),
  result: wish => ({ state: wish.state, port: wish.port ?? null, path: wish.path ?? null }),
})

function awaitedOf({ host, port, path: file, state, search_regex: pattern, ...rest }: Params): Awaited {
  if (file !== undefined || port === undefined) return { sort: 'path', path: file ?? '/', pattern }
  if (state === 'drained')
    return { sort: 'drained', port, states: rest.active_connection_states, except: rest.exclude_hosts }
  return { sort: 'port', host, port, seconds: rest.connect_timeout, pattern }
}

function isWanted({ state }: Params): boolean {
  return state !== 'stopped' && state !== 'absent'
}

function thingOf({ host, port, path: file, search_regex: pattern }: Params): string {
  const thing = file ?? `port ${port} of ${host}`
  return pattern === undefined ? thing : `\`${pattern}\` in ${thing}`
}
