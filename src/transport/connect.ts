import { readFileSync, globSync } from 'node:fs'
import { availableParallelism, homedir, userInfo } from 'node:os'
import { dirname, resolve } from 'node:path'
import { ConnectError } from '../base/error.ts'
import type { Secret } from '../base/secret.ts'
import type { Ask } from './keys.ts'
import { judge, type KnownHost, type KnownName, parseKnownHosts, type Verdict } from './known-hosts.ts'
import type { ScannedKey, SshShared } from './route.ts'
import type { Connect } from './session.ts'
import { type Reach, settleTarget, type Sources, type SshFlags } from './settle.ts'
import { type ConfigFile, expandHome, parseSshConfig, type SshConfig } from './ssh-config.ts'
import { knownName, type SshTarget } from './target.ts'

export interface ConnectSetup {
  /** How a host of the inventory is reached; undefined for one that is not in it. */
  readonly hosts: (name: string) => Reach | undefined
  /** The project's own known_hosts files. */
  readonly projectKnownHosts: readonly string[]
  /** The ssh configuration to read instead of the person's and the system's; `none` for no configuration at all. */
  readonly userConfig?: string | undefined
  readonly flags?: SshFlags | undefined
  readonly becomePassword?: Secret | undefined
  /** Asks for the passphrase of a key; undefined where nobody sits in front of it. */
  readonly ask?: Ask
  /** Told what of the ssh configuration is not understood. */
  readonly onWarning?: ((message: string) => void) | undefined
  readonly env?: NodeJS.ProcessEnv | undefined
}

/** Returns the way to open connections to the hosts of an inventory; nothing is read or contacted before the first. */
export function makeConnect(setup: ConnectSetup): Connect {
  const targets = makeTargets(setup)
  let ssh: ReturnType<typeof loadSsh> | undefined
  return async (name, signal, way) => {
    const reach = setup.hosts(name)
    if (reach === undefined) throw new ConnectError(name, 'config', 'the host is not in the inventory')
    if (reach.connection === 'local') {
      const { connectLocal } = await import('./local.ts')
      return connectLocal(name, { password: setup.becomePassword })
    }
    const target = targets(name, { ...reach, port: way?.port ?? reach.port })
    const { connectSsh, shared } = await (ssh ??= loadSsh(setup.ask))
    return connectSsh(target, { shared, becomePassword: setup.becomePassword, signal })
  }
}

/** A host's keys as it shows them, and under which name they become known. */
export interface HostKeys {
  readonly name: KnownName
  readonly keys: readonly (ScannedKey & { readonly verdict: Verdict })[]
}

/** Returns the way to see the keys of a host that is not trusted yet; a person compares them before they are pinned. */
export function makeHostKeyScan(
  setup: ConnectSetup,
): (name: string, signal: AbortSignal) => Promise<HostKeys> {
  const targets = makeTargets(setup)
  let ssh: ReturnType<typeof loadSsh> | undefined
  return async (name, signal) => {
    const reach = setup.hosts(name)
    if (reach === undefined) throw new ConnectError(name, 'config', 'the host is not in the inventory')
    const target = targets(name, reach)
    const { scanHostKeys, shared } = await (ssh ??= loadSsh(setup.ask))
    const keys = await scanHostKeys(target, shared, signal)
    const known = knownName(target)
    return { name: known, keys: keys.map(key => ({ ...key, verdict: judge(target.known, known, key.key) })) }
  }
}

/** The library costs 80 ms of CPU to load; what never connects does without. */
async function loadSsh(ask: Ask) {
  const [{ connectSsh }, { scanHostKeys }, { makeKeyring }, { makeHandshakeLimits }] = await Promise.all([
    import('./ssh.ts'),
    import('./route.ts'),
    import('./keys.ts'),
    import('./limits.ts'),
  ])
  const shared: SshShared = {
    keyring: makeKeyring(ask),
    limits: makeHandshakeLimits(availableParallelism()),
    jumps: new Map(),
    certified: new Map(),
  }
  return { connectSsh, scanHostKeys, shared }
}

/** Returns the settled target of each host; files are read once, when the first host is asked for. */
export function makeTargets(setup: ConnectSetup): (name: string, reach: Reach) => SshTarget {
  const home = setup.env?.['HOME'] ?? homedir()
  const known = makeKnownReader()
  let sources: Sources | undefined
  return (name, reach) => {
    sources ??= {
      hosts: setup.hosts,
      flags: setup.flags ?? {},
      config: readConfig(setup, home),
      known,
      projectKnownHosts: setup.projectKnownHosts,
      home,
      localUser: userInfo().username,
      env: setup.env ?? process.env,
    }
    return settleTarget(name, reach, sources)
  }
}

function makeKnownReader(): (files: readonly string[]) => readonly KnownHost[] {
  const read = new Map<string, readonly KnownHost[]>()
  return files =>
    files.flatMap(file => {
      const known = read.get(file) ?? parseKnownHosts(readOr(file, ''), file)
      read.set(file, known)
      return known
    })
}

function readConfig({ userConfig, onWarning }: ConnectSetup, home: string): SshConfig {
  const paths = userConfig === undefined ? [`${home}/.ssh/config`, '/etc/ssh/ssh_config'] : [userConfig]
  const files: ConfigFile[] =
    userConfig === 'none' ? [] : paths.map(file => ({ file, text: readOr(file, '') }))
  const config = parseSshConfig(files, (pattern, from) => {
    const path = resolve(includeBase(from, home), expandHome(pattern, home))
    return globSync(path)
      .toSorted()
      .map(file => ({ file, text: readOr(file, '') }))
  })
  for (const warning of config.warnings) onWarning?.(warning)
  return config
}

/** Relative includes stand beside the file for the system's configuration, and in `~/.ssh` for a person's own. */
function includeBase(from: string, home: string): string {
  return from.startsWith('/etc/ssh/') ? dirname(from) : `${home}/.ssh`
}

/** Returns the text of a file, or the default where there is none; a file that may not be read is an error. */
function readOr(file: string, missing: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return missing
    throw new ConnectError(file, 'config', `\`${file}\` cannot be read`, { cause: error })
  }
}
