import { z } from 'zod'
import type { Change } from '../base/result.ts'
import { luks, type Luks } from '../probes/luks.ts'
import { lines, sh } from '../shell/sh.ts'
import { foretoldToken, pinOf, shownPin, type ClevisPin } from './_clevis-pins.ts'
import { devicePath, deviceTouches } from './_disk.ts'
import {
  keyFile,
  keyInput,
  keyOf,
  KEYS,
  passphrase,
  requireKey,
  requireKeyLeft,
  requireLuks,
} from './_luks-keys.ts'
import { complain, path } from './_params.ts'
import { needs } from './_tools.ts'
import { defineModule } from './module.ts'

const server = z.strictObject({
  url: z
    .string()
    .regex(/^https?:\/\/[^\s/]+(\/\S*)?$/, 'an address such as `http://10.0.0.5` expected')
    .transform(url => url.replace(/\/+$/, ''))
    .describe('Address of the tang server.'),
  thp: z
    .string()
    .regex(/^[\w-]{27,86}$/, 'a thumbprint as `tang-show-keys` prints it expected')
    .describe('Thumbprint of its signing key, read on the server itself with `tang-show-keys`.'),
})

const params = z
  .strictObject({
    device: devicePath().describe('The LUKS2 device, best by a name in `/dev/disk/by-id`.'),
    state: z
      .enum(['present', 'absent'])
      .default('present')
      .describe('Whether these servers open it; `absent`: no tang server does.'),
    tang: z
      .union([z.array(server), server.transform(one => [one])])
      .default([])
      .describe('Tang servers.'),
    threshold: z.number().int().positive().default(1).describe('How many of the servers must be reached.'),
    passphrase: passphrase().describe('A passphrase that opens the device.'),
    keyfile: path().optional().describe('File on the host with a key that opens the device.'),
    passphrase_encoding: z
      .enum(['text', 'base64'])
      .default('text')
      .describe('How the passphrase is written here.'),
  })
  .transform((given, context) => {
    const { state, tang, threshold } = given
    if (state === 'present' && tang.length === 0)
      complain(context, 'tang', '`tang` is missing', 'MISSING_PARAM')
    if (tang.length > 0 && threshold > tang.length)
      complain(context, 'threshold', `${threshold} found, and there are ${tang.length} servers`)
    return { ...given, key: keyOf(given, given.passphrase_encoding, context) }
  })
type Params = z.output<typeof params>

export const clevis = defineModule({
  name: 'clevis',
  summary: 'Lets tang servers of the network open a LUKS2 device, by clevis.',
  examples: [
    '- name: Let the disk open by itself where two of three servers are near\n  clevis:\n    device: /dev/disk/by-id/ata-WDC_WD40EFRX_WD-WCC7K0PX\n    tang:\n      - { url: "http://10.0.0.5", thp: U8o0RXlHU1be4G4wEl5Zo1NrQQlrq_3-LG3yq2VLgNI }\n      - { url: "http://10.0.0.6", thp: pLyy3GYrmRXCVvb_oRyXrCXWEZSqJ5OgFDDOKTeiCQg }\n      - { url: "http://10.0.0.7", thp: 3uQxQ5l2uFJgXhHqb0cUj0KqPd2v1wY7n8Z5m4t6o9A }\n    threshold: 2\n    passphrase: "{{ data_passphrase }}"\n',
  ],
  deviations: [
    'Ansible has no such module (the role `nbde_client` of others is one). The host needs `clevis-luks`, and `clevis-systemd` to open devices of crypttab that have `_netdev`.',
    "`thp` is always to be given: a key that is taken from the network as it comes may be anybody's.",
    'Where other servers are bound, they go once the wished ones are bound. The server is asked only when it is bound, not whether it still answers.',
    'Nothing is taken away where no passphrase, key file or recovery key would stay.',
  ],
  params,
  probe: ({ device }) => ({ luks: luks(device) }),
  diff: (wish, { luks: answer }): readonly Change[] => {
    const { device } = wish
    const header = requireLuks(device, answer)
    const pins = pinsIn(header)
    const before = pins.length === 0 ? 'absent' : pins.map(({ shown }) => shown)
    if (wish.state === 'absent') {
      if (pins.length === 0) return []
      requireKeyLeft(
        device,
        header,
        pins.flatMap(({ keyslots }) => keyslots),
      )
      return [{ kind: 'clevis', what: device, before, after: 'absent' }]
    }
    if (pins.length === 1 && pins.every(pin => isWished(wish, pin))) return []
    requireKey(wish.key, 'to bind a server')
    return [{ kind: 'clevis', what: device, before, after: shownPin(wish.threshold, wish.tang) }]
  },
  apply: (_, wish, { luks: answer }) => {
    const { device, key } = wish
    const pins = typeof answer === 'object' ? pinsIn(answer) : []
    const right = pins.find(pin => wish.state === 'present' && isWished(wish, pin))
    const isBound = wish.state === 'present' && !right
    const gone = pins.filter(pin => pin !== right).flatMap(({ keyslots }) => keyslots)
    const input = isBound ? keyInput({ key }) : {}
    const script = lines(
      needs('clevis', 'clevis-luks'),
      'stdin' in input && KEYS,
      isBound &&
        sh`clevis luks bind -y -d ${device} -k ${keyFile('key', requireKey(key, 'to bind a server'))} ${pinWords(wish)} >&2 || exit`,
      ...gone.map(slot => sh`clevis luks unbind -f -d ${device} -s ${slot} >&2 || exit`),
    )
    return [{ do: 'run', script, ...input }]
  },
  expect: (wish, { luks: header }) => (typeof header === 'string' ? {} : { luks: headerAfter(wish, header) }),
  touches: (_, { device }) => deviceTouches(device),
  result: ({ device }) => ({ device }),
})

function pinsIn({ tokens }: Luks): readonly ClevisPin[] {
  return tokens.filter(({ type }) => type === 'clevis').map(pinOf)
}

function isWished({ tang, threshold }: Params, pin: ClevisPin): boolean {
  return (
    pin.shown === shownPin(threshold, tang) &&
    tang.every(({ url, thp }) => pin.servers.some(own => own.url === url && own.thumbprints.includes(thp)))
  )
}

/** One server needs no sharing out. */
function pinWords({ tang, threshold }: Params): readonly string[] {
  const [only] = tang
  return tang.length === 1 && only
    ? ['tang', JSON.stringify(only)]
    : ['sss', JSON.stringify({ t: threshold, pins: { tang } })]
}

function headerAfter({ state, tang, threshold }: Params, header: Luks): Luks {
  const away = pinsIn(header).flatMap(({ keyslots }) => keyslots)
  const rest = {
    ...header,
    tokens: header.tokens.filter(({ type }) => type !== 'clevis'),
    keyslots: header.keyslots.filter(slot => !away.includes(slot)),
  }
  if (state === 'absent') return rest
  const servers = tang.map(({ url, thp }) => ({ url, thumbprints: [thp] }))
  const pin = { keyslots: ['new'], threshold, servers, shown: shownPin(threshold, tang) }
  return { ...rest, tokens: [...rest.tokens, foretoldToken(pin)], keyslots: [...rest.keyslots, 'new'] }
}
