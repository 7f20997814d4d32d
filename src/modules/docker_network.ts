import { z } from 'zod'
import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import { network, type Network } from '../probes/docker.ts'
import { lines, sh } from '../shell/sh.ts'
import { dockerName, optionWords, settingChanges, settings } from './_docker.ts'
import { flag } from './_params.ts'
import { changes, defineModule } from './module.ts'

const address = z.string().regex(/^[0-9a-fA-F.:]+(\/\d{1,3})?$/, 'an address expected')

const params = z.strictObject({
  name: dockerName().describe('Name of the network.'),
  state: z.enum(['present', 'absent']).default('present').describe('Whether it should be there.'),
  driver: z.string().default('bridge').describe('Driver of the network.'),
  driver_options: settings().default({}).describe('Options of the driver.'),
  internal: flag().optional().describe('Cut off from the outside.'),
  attachable: flag().optional().describe('Open to containers that are started by hand; for swarms.'),
  enable_ipv6: flag().optional().describe('Give addresses of IPv6 as well.'),
  ipam_config: z
    .array(
      z.strictObject({
        subnet: address.optional().describe('Range of addresses.'),
        gateway: address.optional().describe('Address of the host in it.'),
        iprange: address.optional().describe('Part of the range that containers get.'),
      }),
    )
    .default([])
    .describe('Ranges of addresses.'),
  labels: settings().default({}).describe('Labels.'),
  force: flag().default(false).describe('Make it anew where it differs; refused while containers are in it.'),
})
type Params = z.output<typeof params>

export const docker_network = defineModule({
  name: 'docker_network',
  summary: 'Keeps a network of Docker.',
  examples: [
    '- name: Make room for the services\n  docker_network:\n    name: backend\n    internal: true\n    ipam_config: [{ subnet: 172.30.0.0/24 }]\n',
  ],
  deviations: [
    'What is not given is not compared. A network cannot be altered: one that differs is refused, or made anew with `force`.',
    'A network that containers are in is never removed; `connected` and `appends` are not taken.',
  ],
  params,
  probe: ({ name }) => ({ network: network(name) }),
  diff: (wish, { network: found }): readonly Change[] => {
    const { name, state } = wish
    if (state === 'absent') {
      if (found) requireEmpty(name, found)
      return changes(found && { kind: 'state', what: name, before: found.driver, after: 'absent' })
    }
    if (!found) return [{ kind: 'state', what: name, before: 'absent', after: wish.driver }]
    const differs = differences(wish, found)
    if (differs.length === 0) return []
    if (!wish.force)
      throw new TaskError(
        'NETWORK_DIFFERS',
        `the network \`${name}\` differs: ${differs.map(({ what }) => what).join(', ')}`,
        'say `force: true` to make it anew',
      )
    requireEmpty(name, found)
    return differs
  },
  apply: (_, wish, { network: found }) => [
    {
      do: 'run',
      script: lines(
        found !== null && sh`docker network rm -- ${wish.name} >/dev/null || exit`,
        wish.state === 'present' &&
          sh`docker network create ${createWords(wish)} -- ${wish.name} >/dev/null || exit`,
      ),
    },
  ],
  expect: (wish, { network: found }) => ({ network: wish.state === 'absent' ? null : asWished(wish, found) }),
  touches: () => [{ kind: 'docker', name: '*' }],
  result: ({ name }, { network: found }) => ({
    network: found && {
      Name: name,
      Id: found.id,
      Driver: found.driver,
      Labels: found.labels,
      Containers: found.containers,
    },
  }),
})

function requireEmpty(name: string, { containers }: Network): void {
  if (containers.length === 0) return
  throw new TaskError(
    'NETWORK_IN_USE',
    `containers are in the network \`${name}\`: ${containers.join(', ')}`,
    'stop them first',
  )
}

const KEYS = { subnet: 'Subnet', gateway: 'Gateway', iprange: 'IPRange' } as const

function differences(wish: Params, found: Network): readonly Change[] {
  const { name, ipam_config: pools } = wish
  const simple = [
    ['driver', found.driver, wish.driver],
    ['internal', found.isInternal, wish.internal],
    ['attachable', found.isAttachable, wish.attachable],
    ['ipv6', found.hasIpv6, wish.enable_ipv6],
  ] as const
  const missing = pools.filter(
    pool =>
      !found.pools.some(has =>
        (['subnet', 'gateway', 'iprange'] as const).every(
          key => pool[key] === undefined || has[KEYS[key]] === pool[key],
        ),
      ),
  )
  const shown = found.pools.map(({ Subnet: subnet }) => String(subnet)).join(', ')
  return [
    ...changes(
      ...simple.map(
        ([kind, before, after]) =>
          after !== undefined && before !== after && { kind, what: `${name}: ${kind}`, before, after },
      ),
    ),
    ...missing.map(pool => ({
      kind: 'addresses',
      what: `${name}: addresses`,
      before: shown,
      after: pool.subnet ?? pool.gateway ?? '',
    })),
    ...settingChanges('option', name, found.options, wish.driver_options),
    ...settingChanges('label', name, found.labels, wish.labels),
  ]
}

function createWords(wish: Params): readonly string[] {
  const { internal, attachable, enable_ipv6: ipv6, ipam_config: pools } = wish
  return [
    `--driver=${wish.driver}`,
    ...(internal === true ? ['--internal'] : []),
    ...(attachable === true ? ['--attachable'] : []),
    ...(ipv6 === true ? ['--ipv6'] : []),
    ...pools.flatMap(({ subnet, gateway, iprange }) => [
      ...(subnet === undefined ? [] : [`--subnet=${subnet}`]),
      ...(gateway === undefined ? [] : [`--gateway=${gateway}`]),
      ...(iprange === undefined ? [] : [`--ip-range=${iprange}`]),
    ]),
    ...optionWords('--opt', wish.driver_options),
    ...optionWords('--label', wish.labels),
  ]
}

function asWished(wish: Params, found: Network | null): Network {
  return {
    id: found?.id ?? '',
    scope: found?.scope ?? 'local',
    driver: wish.driver,
    isInternal: wish.internal ?? false,
    isAttachable: wish.attachable ?? false,
    hasIpv6: wish.enable_ipv6 ?? false,
    pools: wish.ipam_config.map(({ subnet, gateway, iprange }) => ({
      Subnet: subnet,
      Gateway: gateway,
      IPRange: iprange,
    })),
    options: wish.driver_options,
    labels: wish.labels,
    containers: [],
  }
}
