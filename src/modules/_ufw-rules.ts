import type { UfwRule } from '../probes/ufw.ts'

/** A rule, in Ansible's words. */
export interface UfwWish {
  readonly rule?: string | undefined
  readonly direction?: string | undefined
  readonly from_ip: string
  readonly from_port?: string | undefined
  readonly to_ip: string
  readonly to_port?: string | undefined
  readonly proto: string
  readonly name?: string | undefined
  readonly interface?: string | undefined
  readonly interface_in?: string | undefined
  readonly interface_out?: string | undefined
  readonly route: boolean
  readonly log: boolean
  readonly insert?: number | undefined
  readonly comment?: string | undefined
}

/** Returns the rules that ufw writes down for the wish: one for each family of addresses that it can mean. */
export function rulesOf(wish: UfwWish, hasIpv6: boolean): readonly UfwRule[] {
  const { rule = '', route, log, comment = '', from_ip: from, to_ip: to } = wish
  const given = [from, to].filter(ip => ip !== 'any')
  const families = given.length === 0 ? [4, 6] : [given.some(ip => ip.includes(':')) ? 6 : 4]
  return families
    .filter(family => family === 4 || (hasIpv6 && !['ipv6', 'igmp'].includes(wish.proto)))
    .map(family => ({
      family: family === 4 ? 4 : 6,
      action: `${route ? 'route:' : ''}${rule}${log ? '_log' : ''}`,
      core: coreOf(wish, family),
      comment,
    }))
}

/** Returns whether it is the same rule but for what it does; an application's rule is told by the name, its ports are ufw's own matter. */
export function isSameCore(a: UfwRule, b: UfwRule): boolean {
  const told = ({ family, action, core }: UfwRule): string => {
    const [proto = '', dport = '', dst = '', sport = '', src = '', ...rest] = core.split(' ')
    const ports = rest.length === 3 ? [dst, src] : [proto, dport, dst, sport, src]
    return [family, action.startsWith('route:'), ...ports, ...rest].join(' ')
  }
  return told(a) === told(b)
}

function coreOf(wish: UfwWish, family: number): string {
  const any = family === 4 ? '0.0.0.0/0' : '::/0'
  const at = (ip: string): string => (ip === 'any' ? any : ip)
  const { proto, to_port: dport = 'any', from_port: sport = 'any', to_ip: to, from_ip: from, name } = wish
  const app = name === undefined ? [] : [name.replaceAll(' ', '%20'), '-']
  return [proto, dport, at(to), sport, at(from), ...app, wayOf(wish)].join(' ')
}

function wayOf({ direction, interface: on, interface_in: into, interface_out: out, route }: UfwWish): string {
  const way = isOut(direction) ? 'out' : 'in'
  if (on !== undefined) return `${way}_${on}`
  const ways = [into !== undefined && `in_${into}`, out !== undefined && `out_${out}`].filter(Boolean)
  return ways.length > 0 ? ways.join('!') : route ? 'in' : way
}

/** Returns whether packets are meant that leave the host. */
export function isOut(direction: string | undefined): boolean {
  return direction === 'out' || direction === 'outgoing'
}

/** Returns the words of the command that adds the rule, or deletes it. */
export function ruleWords(wish: UfwWish, isDelete: boolean): readonly string[] {
  const { rule = '', route, log, insert, proto, comment, name } = wish
  const { from_ip: from, from_port: sport, to_ip: to, to_port: dport } = wish
  return [
    ...(route ? ['route'] : []),
    ...(isDelete ? ['delete'] : insert === undefined ? [] : ['insert', String(insert)]),
    rule,
    ...wayWords(wish),
    ...(log ? ['log'] : []),
    ...(proto === 'any' ? [] : ['proto', proto]),
    'from',
    from,
    ...(sport === undefined ? [] : ['port', sport]),
    'to',
    to,
    ...(name !== undefined ? ['app', name] : dport === undefined ? [] : ['port', dport]),
    ...(comment === undefined || isDelete ? [] : ['comment', comment]),
  ]
}

function wayWords({
  direction,
  interface: on,
  interface_in: into,
  interface_out: out,
  route,
}: UfwWish): readonly string[] {
  const way = isOut(direction) ? 'out' : 'in'
  if (on !== undefined) return [way, 'on', on]
  const ways = [
    ...(into === undefined ? [] : ['in', 'on', into]),
    ...(out === undefined ? [] : ['out', 'on', out]),
  ]
  return ways.length > 0 || route ? ways : [way]
}
