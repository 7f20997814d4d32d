import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GenericContainer, type StartedTestContainer } from 'testcontainers'
import {
  awaitSshd,
  CONTAINER,
  identityFiles,
  writeKnownHosts,
  type ThrowawayHost,
} from '../../../scripts/hosts/host.ts'
import { ensureImage, type System } from '../../../scripts/hosts/image.ts'
import { operatorKey } from '../../../scripts/hosts/keys.ts'
import { makeKeyPair } from '../../../src/lab/keys.ts'

export interface LiveWish {
  readonly os?: System
  readonly count?: number
  /** Login shell of `ops` and root; with `busybox`, `/bin/sh` is its ash as well, as on Alpine. */
  readonly shell?: 'bash' | 'dash' | 'busybox'
  /** Whether Docker can run in them, with its folder below `/srv`. What it writes to `/proc/sys` reaches this machine. */
  readonly docker?: boolean
  /** Folders of this machine that the hosts see, for reading only: path → path on the host. */
  readonly media?: Readonly<Record<string, string>>
}

export interface LiveHost extends ThrowawayHost {
  /** Known hosts file of all hosts that were started together. */
  readonly knownHosts: string
  /** Runs a script as root past the network and returns what it printed; a failed script is an error. */
  readonly run: (script: string) => Promise<string>
  readonly stop: () => Promise<void>
}

/**
 * Starts hosts and resolves when all of them answer on SSH. Stop them with {@link stopHosts}.
 *
 * @example const [host] = await startHosts({ os: 'debian-13' })
 */
export async function startHosts(wish: LiveWish = {}): Promise<readonly LiveHost[]> {
  const image = await ensureImage(wish.os ?? 'debian-12', text => console.log(`live: ${text}`))
  const folder = mkdtempSync(join(tmpdir(), 'msingi-live-'))
  const knownHosts = join(folder, 'known_hosts')
  const names = Array.from({ length: wish.count ?? 1 }, (_, index) => `host${index + 1}`)
  const hosts = await Promise.all(names.map(name => start(name, image, wish, knownHosts)))
  writeKnownHosts(knownHosts, hosts)
  return hosts
}

/** Removes the hosts and what was written about them. */
export async function stopHosts(hosts: readonly LiveHost[]): Promise<void> {
  await Promise.all(hosts.map(host => host.stop()))
  for (const { knownHosts } of hosts) rmSync(join(knownHosts, '..'), { recursive: true, force: true })
}

/** A container in which systemd can run without full privileges. */
class SystemdContainer extends GenericContainer {
  constructor(image: string, { docker = false, media = {} }: LiveWish) {
    super(image)
    const binds = Object.entries(media).map(([from, to]) => `${from}:${to}:ro`)
    // The client's types are older than the setting.
    Object.assign(this.hostConfig, {
      CgroupnsMode: 'host',
      Binds: [...CONTAINER.binds, ...binds],
      ...(docker && { Mounts: [{ Type: 'volume', Target: '/srv' }], MaskedPaths: [], ReadonlyPaths: [] }),
    })
  }
}

async function start(name: string, image: string, wish: LiveWish, knownHosts: string): Promise<LiveHost> {
  const hostKey = makeKeyPair()
  const started = await new SystemdContainer(image, wish)
    .withHostname(name)
    .withAddedCapabilities(...CONTAINER.capabilities, ...(wish.docker === true ? ['NET_ADMIN'] : []))
    .withSecurityOpt(...CONTAINER.security, ...(wish.docker === true ? ['apparmor=unconfined'] : []))
    .withTmpFs(Object.fromEntries(CONTAINER.tmpfs.map(path => [path, ''])))
    .withCopyContentToContainer(
      identityFiles(hostKey).map(({ path, content, mode }) => ({ target: path, content, mode })),
    )
    .start()
  const run = (script: string) => runIn(started, script)
  await run(SHELLS[wish.shell ?? 'bash'])
  const address = started.getIpAddress(started.getNetworkNames()[0] ?? 'bridge')
  await awaitSshd(address, 22)
  return {
    name,
    container: started.getId(),
    address,
    port: 22,
    user: 'ops',
    key: operatorKey().file,
    hostKey: hostKey.open,
    knownHosts,
    run,
    stop: async () => {
      await started.stop()
    },
  }
}

const SHELLS = {
  bash: 'true',
  dash: 'usermod --shell /bin/dash ops; usermod --shell /bin/dash root',
  busybox: `ln -s "$(command -v busybox)" /usr/local/bin/ash
    ln -sf "$(command -v busybox)" /bin/sh
    usermod --shell /usr/local/bin/ash ops; usermod --shell /usr/local/bin/ash root`,
} as const

async function runIn(container: StartedTestContainer, script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await container.exec(['sh', '-c', script])
  if (exitCode !== 0) throw new Error(`exit ${exitCode} of \`${script}\`: ${stderr || stdout}`)
  return stdout
}
