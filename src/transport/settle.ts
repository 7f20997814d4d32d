import { ConnectError } from '../base/error.ts'
import type { KeyWish } from './keys.ts'
import type { KnownHost } from './known-hosts.ts'
import { expand, expandHome, type HostConfig, lookUp, type SshConfig, type Tokens } from './ssh-config.ts'
import type { SshTarget, Via } from './target.ts'

/** What the inventory says of the way to a host; the inventory's own type fits. */
export interface Reach {
  readonly connection: 'ssh' | 'local'
  readonly host: string
  readonly port: number | undefined
  readonly user: string | undefined
  readonly keys: readonly string[]
  readonly jump: string | undefined
  readonly hostKeys: readonly string[]
  readonly line?: {
    readonly speed?: 'normal' | 'slow'
    readonly timeout?: number
    readonly keepalive?: number
    readonly compression?: boolean
  }
}

/** What the command line says; it wins over everything. */
export interface SshFlags {
  readonly user?: string | undefined
  readonly privateKey?: string | undefined
  /** Seconds. */
  readonly connectTimeout?: number | undefined
  readonly link?: 'normal' | 'slow' | undefined
}

/** Where settings come from, strongest first: flags, inventory, ssh configuration, defaults. */
export interface Sources {
  readonly hosts: (name: string) => Reach | undefined
  readonly flags: SshFlags
  readonly config: SshConfig
  /** Reads known_hosts files; missing ones are empty. */
  readonly known: (files: readonly string[]) => readonly KnownHost[]
  /** Files of the project; they are looked up before the person's own. */
  readonly projectKnownHosts: readonly string[]
  readonly home: string
  readonly localUser: string
  readonly env: NodeJS.ProcessEnv
}

/** What a line needs where nobody says otherwise. Times in seconds; `patience` is added to every deadline, for the way there and back. */
const LINES = {
  normal: {
    timeout: 10,
    keepalive: 15,
    keepaliveCount: 3,
    compression: false,
    patience: 0,
    chunk: 1024 * 1024,
  },
  slow: { timeout: 40, keepalive: 30, keepaliveCount: 6, compression: true, patience: 120, chunk: 32 * 1024 },
} as const
const USUAL_KEYS = ['~/.ssh/id_ed25519', '~/.ssh/id_ecdsa', '~/.ssh/id_rsa']
const USER_KNOWN_HOSTS = ['~/.ssh/known_hosts', '~/.ssh/known_hosts2']
const GLOBAL_KNOWN_HOSTS = ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']

/**
 * Returns everything needed to log in to a host of the inventory.
 *
 * @throws ConnectError with stage `config` where settings contradict each other or jump hosts form a circle.
 */
export function settleTarget(name: string, reach: Reach, sources: Sources): SshTarget {
  return settle(name, reach, sources, [])
}

/** The hops on the way so far, so that a circle is noticed. */
type Path = readonly string[]

function settle(name: string, reach: Reach, sources: Sources, path: Path): SshTarget {
  const { env, localUser } = sources
  // The user of the command line is the hosts', not that of the jump hosts before them.
  const flags = path.length === 0 ? sources.flags : { ...sources.flags, user: undefined }
  const config = lookUp(sources.config, reach.host, { user: flags.user ?? reach.user, localUser })
  const user = flags.user ?? reach.user ?? config.user ?? localUser
  const port = reach.port ?? portOf(name, config.port) ?? 22
  const host = (config.hostName ?? '%h').replace(/%(.)/g, (_, letter: string) =>
    letter === 'h' ? reach.host : '%',
  )
  const tokens: Tokens = {
    alias: reach.host,
    host,
    port,
    user,
    localUser,
    home: sources.home,
  }
  const fill = (value: string): string => expand(value, tokens, env)
  return {
    name,
    host,
    port,
    user,
    alias: config.hostKeyAlias,
    keys: settleKeys(reach, config, sources, fill),
    pins: reach.hostKeys,
    known: sources.known(knownFiles(config, sources, fill)),
    via: settleVia({ name, reach, config, tokens }, sources, path),
    ...settleLine(reach, config, flags),
  }
}

/** What is said of a single matter wins over what the sort of line stands for. */
function settleLine(
  { line }: Reach,
  config: HostConfig,
  flags: SshFlags,
): Pick<
  SshTarget,
  'connectTimeoutMs' | 'keepaliveMs' | 'keepaliveCount' | 'compression' | 'patienceMs' | 'uploadChunk'
> {
  const usual = LINES[flags.link ?? line?.speed ?? 'normal']
  return {
    connectTimeoutMs:
      1000 * (flags.connectTimeout ?? line?.timeout ?? seconds(config.connectTimeout) ?? usual.timeout),
    keepaliveMs: 1000 * (line?.keepalive ?? seconds(config.serverAliveInterval) ?? usual.keepalive),
    keepaliveCount: seconds(config.serverAliveCountMax) ?? usual.keepaliveCount,
    compression: line?.compression ?? config.compression ?? usual.compression,
    patienceMs: 1000 * usual.patience,
    uploadChunk: usual.chunk,
  }
}

function portOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new ConnectError(name, 'config', `the ssh configuration sets port \`${text}\`, expected 1 to 65535`)
}

/** Returns a positive number of seconds, or undefined where the text is none. */
function seconds(text: string | undefined): number | undefined {
  const value = Number(text)
  return text !== undefined && Number.isFinite(value) && value >= 0 ? value : undefined
}

function settleKeys(
  reach: Reach,
  config: HostConfig,
  { flags, home, env }: Sources,
  fill: (value: string) => string,
): KeyWish {
  const chosen =
    flags.privateKey !== undefined ? [flags.privateKey] : reach.keys.length > 0 ? reach.keys : undefined
  const configured = config.identityFiles.filter(file => file.toLowerCase() !== 'none')
  const none = chosen === undefined && config.identityFiles.length > 0 && configured.length === 0
  return {
    named: chosen?.map(file => expandHome(file, home)) ?? configured.map(fill),
    usual: none ? [] : USUAL_KEYS.map(file => expandHome(file, home)),
    agent: agentOf(config.identityAgent, env, fill),
    identitiesOnly: config.identitiesOnly ?? false,
  }
}

function agentOf(
  setting: string | undefined,
  env: NodeJS.ProcessEnv,
  fill: (value: string) => string,
): string | undefined {
  const inherited = env['SSH_AUTH_SOCK'] === '' ? undefined : env['SSH_AUTH_SOCK']
  if (setting === undefined || setting === 'SSH_AUTH_SOCK') return inherited
  if (setting.toLowerCase() === 'none') return undefined
  return setting.startsWith('$') && !setting.startsWith('${') ? env[setting.slice(1)] : fill(setting)
}

function knownFiles(
  config: HostConfig,
  sources: Sources,
  fill: (value: string) => string,
): readonly string[] {
  const user = config.userKnownHostsFiles ?? USER_KNOWN_HOSTS
  const system = config.globalKnownHostsFiles ?? GLOBAL_KNOWN_HOSTS
  return [
    ...sources.projectKnownHosts,
    ...[...user, ...system].filter(file => file.toLowerCase() !== 'none').map(fill),
  ]
}

interface Here {
  readonly name: string
  readonly reach: Reach
  readonly config: HostConfig
  readonly tokens: Tokens
}

function settleVia(here: Here, sources: Sources, path: Path): Via {
  const { reach, config, tokens, name } = here
  const jump = reach.jump ?? config.proxyJump
  if (jump !== undefined && jump.toLowerCase() !== 'none') return settleJump(jump, here, sources, path)
  if (reach.jump !== undefined || config.proxyCommand === undefined) return { kind: 'direct' }
  const harmless = /^(?!-)[\w.:@%+-]*$/
  if (![tokens.host, tokens.alias, tokens.user].every(value => harmless.test(value))) {
    throw new ConnectError(
      name,
      'config',
      'the name or user of the host has characters that a ProxyCommand must not see',
    )
  }
  return { kind: 'command', command: expand(config.proxyCommand, tokens, sources.env) }
}

/** `a,b` means through a to b to the host; the first hop's own settings say how it is reached itself. */
function settleJump(jump: string, here: Here, sources: Sources, path: Path): Via {
  const self = placeOf(here.tokens)
  const hops = jump.split(',').map(hop => hop.trim())
  let target: SshTarget | undefined
  for (const hop of hops) {
    const { name, reach } = hopReach(hop, sources)
    // A jump host set for a whole group stands for the jump host itself as well.
    if (name === here.name || placeOf(reach) === self) continue
    const way = [...path, here.name]
    if (path.includes(name)) {
      throw new ConnectError(here.name, 'config', `jump hosts form a circle: ${[...way, name].join(' → ')}`)
    }
    const settled = settle(name, reach, sources, way)
    target = target === undefined ? settled : { ...settled, via: { kind: 'jump', target } }
  }
  return target === undefined ? { kind: 'direct' } : { kind: 'jump', target }
}

function placeOf({ host, port }: { host: string; port: number | undefined }): string {
  return `${host.toLowerCase()} ${port ?? 22}`
}

/** A hop is a host of the inventory, or `[user@]host[:port]` as in ssh configuration. */
function hopReach(hop: string, sources: Sources): { name: string; reach: Reach } {
  const known = sources.hosts(hop)
  if (known) return { name: hop, reach: known }
  const parts = /^(?:ssh:\/\/)?(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(hop)
  const host = parts?.[2] ?? parts?.[3] ?? hop
  return {
    name: hop,
    reach: {
      connection: 'ssh',
      host,
      port: parts?.[4] === undefined ? undefined : Number(parts[4]),
      user: parts?.[1],
      keys: [],
      jump: undefined,
      hostKeys: [],
    },
  }
}
