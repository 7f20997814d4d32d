import { sh } from '../shell/sh.ts'
import { factFamily } from './fact.ts'
import { endedLines, unreadable } from './unreadable.ts'

export interface Address {
  readonly family: 'ipv4' | 'ipv6'
  readonly address: string
  readonly prefix: number
  /** `global`, `link` or `host`. */
  readonly scope: string
}

export interface Interface {
  readonly name: string
  readonly mac: string
  readonly mtu: number
  readonly up: boolean
  readonly loopback: boolean
  readonly addresses: readonly Address[]
}

/** The way to the rest of the world. */
export interface Route {
  readonly interface: string
  readonly gateway: string
}

export interface Network {
  readonly interfaces: readonly Interface[]
  readonly ipv4: Route | null
  readonly ipv6: Route | null
  /** From `/etc/resolv.conf`. */
  readonly nameservers: readonly string[]
}

/** Every line begins with the word that says what it is. */
export const networkFamily = factFamily<Network>({
  name: 'network',
  reads: [{ kind: 'host', name: 'network' }],
  script: sh`export LC_ALL=C
for i in /sys/class/net/*; do
[ -r "$i/address" ] || continue
m= t= f=; read -r m <"$i/address"; read -r t <"$i/mtu"; read -r f <"$i/flags"
printf 'link %s %s %s %s\\n' "\${i##*/}" "\${m:--}" "$t" "$f"
done
if command -v ip >/dev/null 2>&1; then ip -o addr show | while IFS= read -r l; do printf 'addr %s\\n' "$l"; done
else
while read -r l; do case $l in '|-- '*) a=\${l#'|-- '} ;; '/32 host LOCAL') printf 'local %s\\n' "$a" ;; esac; done </proc/net/fib_trie
[ ! -r /proc/net/if_inet6 ] || while read -r l; do printf 'inet6 %s\\n' "$l"; done </proc/net/if_inet6
fi
[ ! -r /proc/net/route ] || while read -r d to via fl r u m mask x; do printf 'route %s %s %s %s %s %s\\n' "$d" "$to" "$via" "$fl" "$m" "$mask"; done </proc/net/route
[ ! -r /proc/net/ipv6_route ] || while read -r to p s sp via m r u fl d; do [ "$to/$p" != 00000000000000000000000000000000/00 ] || printf 'route6 %s %s %s\\n' "$d" "$via" "$m"; done </proc/net/ipv6_route
[ ! -r /etc/resolv.conf ] || while read -r k v x; do [ "$k" != nameserver ] || printf 'dns %s\\n' "$v"; done </etc/resolv.conf
printf 'end\\n'`,
  parse: parseNetwork,
})

type Rows = (word: string) => readonly (readonly string[])[]

function parseNetwork(out: string): Network {
  const rows = endedLines(out).map(row => row.split(/\s+/))
  if (rows.at(-1)?.[0] !== 'end') throw unreadable('the answer about the network stops before its end')
  const of: Rows = word => rows.filter(([first]) => first === word).map(([, ...rest]) => rest)
  const routes = of('route').flatMap(parseRoute)
  const addresses = [
    ...of('addr').map(parseAddress),
    ...[...new Set(of('local').map(([address = '']) => address))].map(address => placed(address, routes)),
    ...of('inet6').map(parseInet6),
  ]
  return {
    interfaces: of('link').map(row => parseLink(row, addresses)),
    ipv4: nearest(routes.filter(({ mask, to }) => mask === 0 && to === 0)),
    ipv6: nearest(of('route6').flatMap(parseRoute6)),
    nameservers: of('dns').map(([address = '']) => address),
  }
}

interface PlacedAddress extends Address {
  readonly on: string
}

const LOOPBACK = 0x8
const UP = 0x1

function parseLink(
  [name = '', mac = '', mtu = '', flags = '']: readonly string[],
  addresses: readonly PlacedAddress[],
): Interface {
  const bits = Number(flags)
  if (name === '' || !/^\d+$/.test(mtu) || Number.isNaN(bits))
    throw unreadable(`expected an interface, found \`${name} ${mac} ${mtu} ${flags}\``)
  return {
    name,
    mac: mac === '-' ? '' : mac,
    mtu: Number(mtu),
    up: (bits & UP) !== 0,
    loopback: (bits & LOOPBACK) !== 0,
    addresses: addresses.filter(({ on }) => on === name).map(({ on: _on, ...address }) => address),
  }
}

/** `2: eth0 inet 10.0.0.5/24 brd … scope global eth0`; a tunnel has `10.0.0.5 peer 10.0.0.6/32`. */
function parseAddress(words: readonly string[]): PlacedAddress {
  const [, on = '', family, own = ''] = words
  const [address = '', length = words[words.indexOf('peer') + 1]?.split('/')[1] ?? '32'] = own.split('/')
  if ((family !== 'inet' && family !== 'inet6') || address === '' || !/^\d+$/.test(length)) {
    throw unreadable(`expected an address, found \`${words.join(' ').slice(0, 120)}\``)
  }
  const scope = words[words.indexOf('scope') + 1] ?? 'global'
  return { on, family: family === 'inet' ? 'ipv4' : 'ipv6', address, prefix: Number(length), scope }
}

/** An address without a word on its interface: the route to its own network says which it is. */
function placed(address: string, routes: readonly Ipv4Route[]): PlacedAddress {
  const number = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
  if (!/^\d+(\.\d+){3}$/.test(address) || Number.isNaN(number))
    throw unreadable(`expected an address, found \`${address.slice(0, 60)}\``)
  if (address.startsWith('127.')) return { on: 'lo', family: 'ipv4', address, prefix: 8, scope: 'host' }
  const [own] = routes
    .filter(({ mask, to }) => mask !== 0 && (number & mask) >>> 0 === to)
    .sort((a, b) => b.mask - a.mask)
  const prefix = own === undefined ? 32 : own.mask.toString(2).replaceAll('0', '').length
  return { on: own?.interface ?? '', family: 'ipv4', address, prefix, scope: 'global' }
}

/** `fe800000000000000042acfffe110003 08 40 20 80 eth0`: proc(5). */
function parseInet6([digits = '', , length = '', scope = '', , on = '']: readonly string[]): PlacedAddress {
  if (!/^[0-9a-f]{32}$/.test(digits) || !/^[0-9a-f]{2}$/.test(length))
    throw unreadable(`expected an address, found \`${digits.slice(0, 60)}\``)
  const scopes: Readonly<Record<string, string>> = { '00': 'global', '10': 'host', '20': 'link' }
  return {
    on,
    family: 'ipv6',
    address: ipv6(digits),
    prefix: Number.parseInt(length, 16),
    scope: scopes[scope] ?? 'global',
  }
}

interface Ipv4Route extends Route {
  readonly to: number
  readonly mask: number
  readonly metric: number
}

/** Addresses are in the byte order of the processor; all that matter here are little-endian. */
function parseRoute([
  device = '',
  to = '',
  via = '',
  flags = '',
  metric = '',
  mask = '',
]: readonly string[]): readonly Ipv4Route[] {
  if (device === 'Iface') return []
  if (![to, via, mask].every(word => /^[0-9A-F]{8}$/.test(word)))
    throw unreadable(`expected a route, found \`${device} ${to} ${via}\``)
  if ((Number.parseInt(flags, 16) & UP) === 0) return []
  return [
    {
      interface: device,
      gateway: bytesOf(via).join('.'),
      to: numberOf(to),
      mask: numberOf(mask),
      metric: Number(metric),
    },
  ]
}

function parseRoute6([device = '', via = '', metric = '']: readonly string[]): readonly (Route & {
  metric: number
})[] {
  if (!/^[0-9a-f]{32}$/.test(via))
    throw unreadable(`expected a route, found \`${device} ${via.slice(0, 60)}\``)
  return device === 'lo'
    ? []
    : [{ interface: device, gateway: ipv6(via), metric: Number.parseInt(metric, 16) }]
}

function nearest(routes: readonly (Route & { metric: number })[]): Route | null {
  const [best] = routes.toSorted((a, b) => a.metric - b.metric)
  return best === undefined ? null : { interface: best.interface, gateway: best.gateway }
}

function bytesOf(hex: string): readonly number[] {
  return [3, 2, 1, 0].map(index => Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16))
}

function numberOf(hex: string): number {
  return bytesOf(hex).reduce((sum, byte) => sum * 256 + byte, 0)
}

/** The short form of RFC 5952: no leading zeros, the longest run of zero groups left out. */
function ipv6(digits: string): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    Number.parseInt(digits.slice(index * 4, index * 4 + 4), 16).toString(16),
  )
  const whole = groups.join(':')
  const [longest] = [...whole.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)]
    .map(match => match[0])
    .sort((a, b) => b.length - a.length)
  if (longest === undefined) return whole
  const at = whole.indexOf(longest)
  return `${whole.slice(0, at)}::${whole.slice(at + longest.length).replace(/^:/, '')}`
}
