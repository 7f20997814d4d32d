import { z } from 'zod'
import { complain, flag, text } from './_params.ts'

const DIRECTIONS = ['in', 'incoming', 'out', 'outgoing', 'routed'] as const
const address = text()
  .pipe(
    z
      .string()
      .regex(
        /^(any|[0-9.]+(\/\d+)?|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(\/\d+)?)$/,
        'an address, a network such as `10.0.0.0/8`, or `any` expected',
      ),
  )
  .transform(tidyAddress)
const port = text().pipe(
  z.string().regex(/^\d+([:,]\d+)*$/, 'numbers such as `22`, `80,443` or `6000:6010` expected'),
)
const nic = z.string().regex(/^[\w.@-]+$/)

export const ufwParams = z
  .strictObject({
    state: z
      .enum(['enabled', 'disabled', 'reloaded'])
      .optional()
      .describe('`enabled`: now and after every start; `reloaded` loads the rules anew, always.'),
    default: z
      .enum(['allow', 'deny', 'reject'])
      .optional()
      .describe('What becomes of packets that no rule is about.'),
    policy: z.enum(['allow', 'deny', 'reject']).optional().describe('Same as `default`.'),
    direction: z
      .enum(DIRECTIONS)
      .optional()
      .describe('Which packets the rule or the default is about; `in` where not given.'),
    logging: z
      .enum(['on', 'off', 'low', 'medium', 'high', 'full'])
      .optional()
      .describe('How much is logged.'),
    rule: z
      .enum(['allow', 'deny', 'limit', 'reject'])
      .optional()
      .describe('What becomes of packets that the rule is about.'),
    insert: z.coerce
      .number()
      .int()
      .positive()
      .optional()
      .describe('Place of a new rule; at the end where not given.'),
    log: flag().default(false).describe('Log new connections that the rule is about.'),
    from_ip: address.default('any').describe('Where packets come from.'),
    from: address.optional().describe('Same as `from_ip`.'),
    from_port: port.optional().describe('Port that they come from.'),
    to_ip: address.default('any').describe('Where packets go to.'),
    dest: address.optional().describe('Same as `to_ip`.'),
    to_port: port.optional().describe('Port that they go to: numbers, ranges with `:`, several with commas.'),
    port: port.optional().describe('Same as `to_port`.'),
    proto: z
      .enum(['any', 'tcp', 'udp', 'ipv6', 'esp', 'ah', 'gre', 'igmp'])
      .default('any')
      .describe('Protocol.'),
    name: z
      .string()
      .regex(/^[\w .+-]+$/)
      .optional()
      .describe('Application of `/etc/ufw/applications.d` in place of ports.'),
    interface: nic.optional().describe('Network interface, on the side that `direction` names.'),
    interface_in: nic.optional().describe('Interface that packets come in by.'),
    interface_out: nic.optional().describe('Interface that packets go out by.'),
    route: flag().default(false).describe('The rule is about packets that the host passes on.'),
    comment: z
      .string()
      .regex(/^[^\n']*$/)
      .optional()
      .describe('Note that ufw shows beside the rule.'),
    delete: flag().default(false).describe('Remove the rule.'),
    allow_lockout: flag().default(false).describe('Enable ufw even where nothing at all may come in.'),
  })
  .transform(({ policy, from, dest, port: other, ...given }, context) => {
    const wish = {
      ...given,
      default: given.default ?? policy,
      from_ip: from ?? given.from_ip,
      to_ip: dest ?? given.to_ip,
      to_port: given.to_port ?? other,
    }
    if ([wish.state, wish.default, wish.logging, wish.rule].every(one => one === undefined))
      complain(context, 'state', 'one of `state`, `default`, `logging` and `rule` expected', 'MISSING_PARAM')
    const isMulti = /[:,]/.test(`${wish.to_port ?? ''}${wish.from_port ?? ''}`)
    if (isMulti && !['tcp', 'udp'].includes(wish.proto))
      complain(context, 'proto', '`tcp` or `udp` expected with several ports')
    if (wish.name !== undefined && (wish.to_port !== undefined || wish.proto !== 'any'))
      complain(context, 'name', 'ports or a protocol found with it')
    if (wish.rule !== undefined && wish.direction === 'routed')
      complain(context, 'direction', '`routed` found; set `route: true` for a rule')
    return wish
  })
export type UfwParams = z.output<typeof ufwParams>

/** ufw writes addresses without a mask that says nothing, and networks by their first address. */
function tidyAddress(given: string): string {
  const [ip = '', bits] = given.toLowerCase().split('/')
  if (ip.includes(':')) return bits === undefined || bits === '128' ? ip : `${ip}/${bits}`
  if (bits === undefined || bits === '32' || ip === 'any') return ip
  const mask = bits === '0' ? 0 : (0xffffffff << (32 - Number(bits))) >>> 0
  const number = ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  const first = (number & mask) >>> 0
  return `${[24, 16, 8, 0].map(shift => (first >>> shift) & 255).join('.')}/${bits}`
}
