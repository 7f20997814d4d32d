import { isIPv6 } from 'node:net'
import { type OnProblem, SourceError } from '../base/error.ts'
import { didYouMean } from '../base/nearest.ts'
import { asBoolean, BOOLEAN_PATTERN } from '../syntax/boolean.ts'
import type { Entry, Node } from '../syntax/node.ts'
import type { HostDraft, Layer } from './draft.ts'
import type { Reach } from './model.ts'
import { shown } from './read.ts'

type Draft = { -readonly [K in keyof Reach]: Reach[K] }

/** A JSON Schema (draft 7). */
type JsonSchema = Readonly<Record<string, unknown>>

/** Reads one setting into the draft, or says what was expected. */
interface Setting {
  (value: Node, reach: Draft): string | undefined
  /** Accepts the same values, for editors. */
  readonly schema: JsonSchema
}

function setting(schema: JsonSchema, read: (value: Node, reach: Draft) => string | undefined): Setting {
  return Object.assign((value: Node, reach: Draft) => read(value, reach), { schema })
}

/** Returns how a host is reached; the last layer that says something about a setting wins, the host's own come last. */
export function reachOf(host: HostDraft, groups: readonly Layer[], onProblem: OnProblem): Reach {
  const reach: Draft = {
    connection: 'ssh',
    host: host.name,
    port: undefined,
    user: undefined,
    keys: [],
    jump: undefined,
    hostKeys: [],
    reconnect: undefined,
    become: undefined,
    becomeUser: undefined,
    becomeMethod: undefined,
  }
  const work: Work = { reach, known: knownVars(host.name, [...groups, ...host.layers]), onProblem }
  for (const layer of groups) applyLayer(layer, work)
  reach.port = host.port ?? reach.port
  for (const layer of host.layers) applyLayer(layer, work)
  return reach
}

function applyLayer({ vars, settings }: Layer, work: Work): void {
  for (const entry of vars?.entries ?? []) applyKnown(entry, ANSIBLE, work)
  for (const entry of settings?.entries ?? []) applyOurs(entry, work)
}

interface Work {
  readonly reach: Draft
  /** Variables of the inventory, for templates in settings. */
  readonly known: ReadonlyMap<string, Node>
  readonly onProblem: OnProblem
}

type Settings = Readonly<Record<string, Setting>>

function applyOurs(entry: Entry, work: Work): void {
  const { key, value } = entry
  if (key.value === 'ssh') applyMap(value, 'ssh', SSH, work)
  else if (key.value === 'become' && value.kind === 'map') {
    work.reach.become = true
    applyMap(value, 'become', BECOME, work)
  } else applyKnown(entry, OURS, work)
}

/** Applies the entry where the settings know its key; tells whether they do. */
function applyKnown({ key, value }: Entry, settings: Settings, work: Work): boolean {
  const word = String(key.value)
  const setting = Object.hasOwn(settings, word) ? settings[word] : undefined
  if (setting === undefined) return false
  const resolved = resolve(value, work.known)
  const expected = resolved === undefined ? NO_TEMPLATE : setting(resolved, work.reach)
  if (expected !== undefined) {
    const message = `\`${word}\` is ${shown(value)}, expected ${expected}`
    work.onProblem(new SourceError('BAD_VALUE', value.at, message))
  }
  return true
}

const NO_TEMPLATE = 'a value without a template, or with variables that the inventory sets for this host'

function applyMap(value: Node, word: string, settings: Settings, work: Work): void {
  const names = Object.keys(settings)
  if (value.kind !== 'map') {
    const hint = `Write \`${word}: { ${names.slice(0, 2).join(': …, ')}: … }\`.`
    const message = `\`${word}\` is ${shown(value)}, expected a map`
    work.onProblem(new SourceError('BAD_VALUE', value.at, message, { hint }))
    return
  }
  for (const entry of value.entries) {
    if (applyKnown(entry, settings, work)) continue
    const key = String(entry.key.value)
    const hint = didYouMean(key, names) ?? `Use one of ${names.join(', ')}.`
    const message = `\`${key}\` is no keyword of \`${word}\``
    work.onProblem(new SourceError('UNKNOWN_KEYWORD', entry.key.at, message, { hint }))
  }
}

const TEXT: JsonSchema = { type: ['string', 'number', 'boolean'], pattern: String.raw`\S` }

function text(set: (reach: Draft, value: string) => void): Setting {
  return setting(TEXT, (value, reach) => {
    if (value.kind !== 'scalar' || value.value === null || value.text.trim() === '') return 'text'
    set(reach, value.text.trim())
    return undefined
  })
}

function texts(set: (reach: Draft, values: readonly string[]) => void): Setting {
  return setting({ anyOf: [TEXT, { type: 'array', items: TEXT }] }, (value, reach) => {
    const items = value.kind === 'list' ? value.items : [value]
    const found = items.flatMap(item =>
      item.kind === 'scalar' && item.value !== null ? [item.text.trim()] : [],
    )
    if (found.length !== items.length || found.includes('')) return 'text, or a list of texts'
    set(reach, found)
    return undefined
  })
}

const host = text((reach, value) => {
  reach.host = /^\[.*\]$/.test(value) && isIPv6(value.slice(1, -1)) ? value.slice(1, -1) : value
})
const user = text((reach, value) => {
  reach.user = value
})
const becomeUser = text((reach, value) => {
  reach.becomeUser = value
})
const keys = texts((reach, values) => {
  reach.keys = values
})
const PORT: JsonSchema = {
  type: ['integer', 'string'],
  minimum: 1,
  maximum: 65_535,
  pattern: String.raw`^\d+$`,
}
const port = setting(PORT, (value, reach) => {
  const number = value.kind === 'scalar' && /^\d+$/.test(value.text) ? Number(value.text) : 0
  if (number < 1 || number > 65_535) return 'a port from 1 to 65535'
  reach.port = number
  return undefined
})
/** A day is longer than any outage that somebody waits for in front of a screen. */
const LONGEST_RECONNECT = 86_400
const FROM_ZERO: JsonSchema = {
  type: ['integer', 'string'],
  minimum: 0,
  maximum: LONGEST_RECONNECT,
  pattern: String.raw`^\d+$`,
}
const reconnect = setting(FROM_ZERO, (value, reach) => {
  const seconds = value.kind === 'scalar' && /^\d+$/.test(value.text) ? Number(value.text) : -1
  if (seconds < 0 || seconds > LONGEST_RECONNECT) return `seconds from 0 to ${LONGEST_RECONNECT}`
  reach.reconnect = seconds
  return undefined
})
const become = setting({ type: ['boolean', 'string'], pattern: BOOLEAN_PATTERN }, (value, reach) => {
  const wanted = asBoolean(value)
  if (wanted === undefined) return '`true` or `false`'
  reach.become = wanted
  return undefined
})
const FROM_ONE: JsonSchema = { type: ['integer', 'string'], minimum: 1, pattern: String.raw`^[1-9]\d*$` }
function ofLine(key: 'timeout' | 'keepalive'): Setting {
  return setting(FROM_ONE, (value, reach) => {
    const number = value.kind === 'scalar' && /^[1-9]\d*$/.test(value.text) ? Number(value.text) : 0
    if (number < 1) return 'whole seconds from 1'
    reach.line = { ...reach.line, [key]: number }
    return undefined
  })
}
const compression = setting({ type: ['boolean', 'string'], pattern: BOOLEAN_PATTERN }, (value, reach) => {
  const wanted = asBoolean(value)
  if (wanted === undefined) return '`true` or `false`'
  reach.line = { ...reach.line, compression: wanted }
  return undefined
})
const SPEEDS = ['normal', 'slow'] as const
const speed = setting({ enum: SPEEDS }, (value, reach) => {
  const found = SPEEDS.find(known => value.kind === 'scalar' && value.value === known)
  if (found === undefined) return '`normal` or `slow`'
  reach.line = { ...reach.line, speed: found }
  return undefined
})
const METHODS = ['sudo', 'su', 'doas'] as const
const becomeMethod = setting({ enum: METHODS }, (value, reach) => {
  const method = METHODS.find(known => value.kind === 'scalar' && value.value === known)
  if (method === undefined) return '`sudo`, `su` or `doas`'
  reach.becomeMethod = method
  return undefined
})
const connection = setting({ enum: ['ssh', 'local', 'smart', 'paramiko'] }, (value, reach) => {
  const word = value.kind === 'scalar' ? value.value : undefined
  if (word === 'local') reach.connection = 'local'
  else if (word === 'ssh' || word === 'smart' || word === 'paramiko') reach.connection = 'ssh'
  else return '`ssh` or `local`'
  return undefined
})

const SSH: Readonly<Record<string, Setting>> = {
  host,
  port,
  user,
  key: keys,
  jump: text((reach, value) => {
    reach.jump = value
  }),
  host_key: texts((reach, values) => {
    reach.hostKeys = values
  }),
  reconnect,
  link: speed,
  timeout: ofLine('timeout'),
  keepalive: ofLine('keepalive'),
  compression,
}

const BECOME: Readonly<Record<string, Setting>> = { user: becomeUser, method: becomeMethod }

const OURS: Readonly<Record<string, Setting>> = { connection, become }

const ANSIBLE: Readonly<Record<string, Setting>> = {
  ansible_host: host,
  ansible_ssh_host: host,
  ansible_port: port,
  ansible_ssh_port: port,
  ansible_user: user,
  ansible_ssh_user: user,
  ansible_ssh_private_key_file: keys,
  ansible_private_key_file: keys,
  ansible_connection: connection,
  ansible_ssh_timeout: ofLine('timeout'),
  ansible_become: become,
  ansible_become_user: becomeUser,
  ansible_become_method: becomeMethod,
}

/** How settings look: below `ssh:` and `become:`, beside them, and among the variables under Ansible's names. */
export const REACH_SCHEMAS = {
  ssh: schemasOf(SSH),
  become: schemasOf(BECOME),
  own: schemasOf(OURS),
  ansible: schemasOf(ANSIBLE),
} as const

function schemasOf(settings: Settings): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(Object.entries(settings).map(([name, { schema }]) => [name, schema]))
}

function knownVars(name: string, layers: readonly Layer[]): ReadonlyMap<string, Node> {
  const known = new Map<string, Node>()
  for (const { vars } of layers)
    for (const { key, value } of vars?.entries ?? []) known.set(String(key.value), value)
  const at = { file: '', line: 1, col: 1, length: 1 }
  const named: Node = { kind: 'scalar', value: name, text: name, quoted: true, at, placeOf: () => at }
  return known.set('inventory_hostname', named)
}

/** Puts plain variables of the inventory in the place of `{{ name }}`; undefined where that is not enough. */
function resolve(value: Node, known: ReadonlyMap<string, Node>, depth = 0): Node | undefined {
  if (value.kind !== 'scalar' || typeof value.value !== 'string' || !value.value.includes('{{')) return value
  if (depth > 8) return undefined
  let isKnown = true
  const rendered = value.value.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, word: string) => {
    const found = known.get(word)
    const part = found && resolve(found, known, depth + 1)
    if (part?.kind !== 'scalar' || part.value === null) isKnown = false
    return part?.kind === 'scalar' ? part.text : ''
  })
  if (!isKnown || rendered.includes('{{')) return undefined
  return { ...value, value: rendered, text: rendered, placeOf: () => value.at }
}
