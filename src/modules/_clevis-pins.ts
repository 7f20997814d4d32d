import { createHash } from 'node:crypto'
import type { LuksToken } from '../probes/luks.ts'

/** A tang server, and the thumbprints of the keys that are known of it. */
export interface TangPin {
  readonly url: string
  readonly thumbprints: readonly string[]
}

/** What must be reachable for a key: so many of these servers. */
export interface ClevisPin {
  readonly keyslots: readonly string[]
  readonly threshold: number
  readonly servers: readonly TangPin[]
  /** In words. */
  readonly shown: string
}

/** Returns what a token of clevis says, read from its open header: https://github.com/latchset/clevis#binding-luks-volumes. */
export function pinOf({ data, keyslots }: LuksToken): ClevisPin {
  const { [FORETOLD]: foretold } = data
  if (foretold !== undefined) return foretold as ClevisPin
  const header = headerOf(mapOf(data['jwe'])['protected'])
  const { servers, threshold, other } = serversIn(header)
  const shown = other ?? shownPin(threshold, servers)
  return { keyslots, threshold, servers, shown }
}

const FORETOLD = 'foretold'

/** Returns a token that says what one of clevis will say; its cipher text cannot be known. */
export function foretoldToken(pin: ClevisPin): LuksToken {
  return { id: 'new', type: 'clevis', keyslots: pin.keyslots, data: { [FORETOLD]: pin } }
}

/** Returns in words which servers open it. */
export function shownPin(threshold: number, servers: readonly Pick<TangPin, 'url'>[]): string {
  const urls = servers
    .map(({ url }) => url)
    .toSorted()
    .join(', ')
  return servers.length === 1 ? `tang ${urls}` : `${threshold} of tang ${urls}`
}

interface Found {
  readonly threshold: number
  readonly servers: readonly TangPin[]
  /** Something else than tang. */
  readonly other?: string
}

function serversIn(header: Json): Found {
  const clevis = mapOf(header['clevis'])
  const pin = typeof clevis['pin'] === 'string' ? clevis['pin'] : 'of an unknown sort'
  if (pin === 'tang') {
    const tang = mapOf(clevis['tang'])
    const keys = mapOf(tang['adv'])['keys']
    const url = tang['url']
    return {
      threshold: 1,
      servers: [
        {
          url: typeof url === 'string' ? url.replace(/\/+$/, '') : '',
          thumbprints: (Array.isArray(keys) ? keys : []).flatMap(key => thumbprintsOf(mapOf(key))),
        },
      ],
    }
  }
  if (pin !== 'sss') return { threshold: 0, servers: [], other: `clevis ${pin}` }
  const { jwe, t } = mapOf(clevis['sss'])
  const inner = (Array.isArray(jwe) ? jwe : []).map(one => serversIn(headerOf(String(one).split('.')[0])))
  const strange = inner.find(({ other }) => other !== undefined)
  return {
    threshold: Number(t),
    servers: inner.flatMap(({ servers }) => servers),
    ...(strange && { other: `clevis sss with ${strange.other}` }),
  }
}

type Json = Readonly<Record<string, unknown>>

function headerOf(text: unknown): Json {
  try {
    return mapOf(JSON.parse(Buffer.from(String(text), 'base64url').toString('utf8')))
  } catch {
    return {}
  }
}

/** Thumbprints of a key as RFC 7638 has them, by the two hashes that tang names its keys with. */
function thumbprintsOf(key: Json): readonly string[] {
  const canonical = JSON.stringify({ crv: key['crv'], kty: key['kty'], x: key['x'], y: key['y'] })
  return ['sha256', 'sha1'].map(hash => createHash(hash).update(canonical).digest('base64url'))
}

function mapOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}
