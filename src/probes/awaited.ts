import { lines, sh, type Sh } from '../shell/sh.ts'
import { probeOf, type Family, type Resource } from './probe.ts'
import { pathRead } from './resources.ts'
import { brokenOff, unreadable } from './unreadable.ts'

/** Something that may come to hold by itself. */
export type Awaited =
  | {
      readonly sort: 'port'
      readonly host: string
      readonly port: number
      readonly seconds: number
      readonly pattern?: string | undefined
    }
  | { readonly sort: 'path'; readonly path: string; readonly pattern?: string | undefined }
  /** No connection to the local port is left but those from the hosts, which are numbers such as `10.0.0.1`. */
  | {
      readonly sort: 'drained'
      readonly port: number
      readonly states: readonly string[]
      readonly except: readonly string[]
    }

/** Asks whether things hold: a connection that is taken, a path that is there, a pattern that matches. */
export const awaitedFamily: Family<Awaited, boolean> = {
  name: 'awaited',
  key: arg => JSON.stringify(arg),
  reads: readsOf,
  absent: holds => !holds,
  deadline: 60,
  script: args =>
    lines(
      ...args.map(
        arg => sh`if ( ${awaitedScript(arg)} ) </dev/null >/dev/null 2>&1; then printf 1; else printf 0; fi`,
      ),
    ),
  parse: (answer, args) => {
    if (answer.code !== 0) throw brokenOff('sh', answer)
    if (!/^[01]*$/.test(answer.out) || answer.out.length !== args.length)
      throw unreadable(
        `expected a sign for each of ${args.length} things, found \`${answer.out.slice(0, 80)}\``,
      )
    return [...answer.out].map(sign => sign === '1')
  },
}

/** Asks whether it holds. */
export const awaited = probeOf(awaitedFamily)

/** Returns a script that ends with status 0 where it holds. */
export function awaitedScript(arg: Awaited): Sh {
  switch (arg.sort) {
    case 'path':
      return arg.pattern === undefined
        ? sh`[ -e ${arg.path} ] || [ -L ${arg.path} ]`
        : sh`grep -E -q -e ${arg.pattern} -- ${arg.path}`
    case 'port':
      return portScript(arg)
    case 'drained':
      return drainedScript(arg)
  }
}

function readsOf(arg: Awaited): readonly Resource[] {
  if (arg.sort === 'path') return pathRead(arg.path)
  return (['process', 'unit', 'docker'] as const).map(kind => ({ kind, name: '*' }))
}

/** bash can connect by itself; elsewhere netcat does, and where there is none either, the kernel's table of listeners tells. */
function portScript({ host, port, seconds, pattern }: Extract<Awaited, { sort: 'port' }>): Sh {
  const reads =
    pattern === undefined
      ? sh`:`
      : sh`while IFS= read -r -t ${seconds} l <&3; r=$?; [[ $l =~ $2 ]] && exit; [ $r -eq 0 ]; do :; done; exit 1`
  return sh`if command -v bash >/dev/null; then timeout ${seconds} bash -c ${sh`exec 3<>"/dev/tcp/$0/$1" || exit; ${reads}`.text} ${host} ${port} ${pattern ?? ''}
elif command -v nc >/dev/null; then ${pattern === undefined ? sh`nc -z -w ${seconds} ${host} ${port}` : sh`nc -w ${seconds} ${host} ${port} | head -c 65536 | grep -E -q -m 1 -e ${pattern}`}
else grep -q -i -E -e ${`^ *[0-9]+: [0-9A-F]+:${hexOf(port)} [0-9A-F]+:0000 0A`} /proc/net/tcp /proc/net/tcp6; fi`
}

const STATES: Readonly<Record<string, string>> = {
  ESTABLISHED: '01',
  SYN_SENT: '02',
  SYN_RECV: '03',
  FIN_WAIT1: '04',
  FIN_WAIT2: '05',
  TIME_WAIT: '06',
}

/** Names of the states of a connection that count as in use. */
export const CONNECTION_STATES: readonly string[] = Object.keys(STATES)

/** Lines of /proc/net/tcp read `sl local:port remote:port state …`. */
function drainedScript({ port, states, except }: Extract<Awaited, { sort: 'drained' }>): Sh {
  const codes = states.map(state => STATES[state] ?? '').join('|')
  const excluded = except.flatMap(remoteNames)
  const pattern = `^ *[0-9]+: [0-9A-F]+:${hexOf(port)} [0-9A-F]+:[0-9A-F]+ (${codes}) `
  const busy = sh`grep -h -i -E -e ${pattern} /proc/net/tcp /proc/net/tcp6 2>/dev/null`
  if (excluded.length === 0) return sh`! ${busy}`
  return sh`! ${busy} | grep -v -i -E -q -e ${`^ *[0-9]+: [0-9A-F:]+ (${excluded.join('|')}):`}`
}

function hexOf(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0')
}

/** An IPv4 address as the kernel spells it: by itself, and within IPv6. */
function remoteNames(address: string): readonly string[] {
  const hex = address
    .split('.')
    .toReversed()
    .map(part => Number(part).toString(16).toUpperCase().padStart(2, '0'))
    .join('')
  return [hex, `0000000000000000FFFF0000${hex}`]
}
