import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { $ } from 'zx'
import { ROOT } from './docker.ts'
import { awaitSshd, CONTAINER, identityFiles, type ThrowawayHost } from './host.ts'
import { ensureImage, type System } from './image.ts'
import { makeKeyPair } from '../../src/lab/keys.ts'
import { operatorKey } from './keys.ts'

interface Wish {
  readonly system: System
  readonly names: readonly string[]
  /** Written on the containers, so that they can be found again. */
  readonly label: string
  readonly say: (text: string) => void
}

// More systemds booting at once than this only wait for each other.
const BOOTS_AT_ONCE = 4

/** Starts hosts with the `docker` command and resolves when all of them answer on SSH, in the order of the names. */
export async function startContainers(wish: Wish): Promise<readonly ThrowawayHost[]> {
  const image = await ensureImage(wish.system, wish.say)
  makeRoomForWatches()
  const hosts = new Map<string, ThrowawayHost>()
  const names = [...wish.names]
  const bootNext = async (): Promise<void> => {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      hosts.set(name, await start(name, image, wish.label))
    }
  }
  await Promise.all(Array.from({ length: BOOTS_AT_ONCE }, bootNext))
  return wish.names.flatMap(name => hosts.get(name) ?? [])
}

/** Removes all containers that carry the label. */
export async function removeContainers(label: string): Promise<void> {
  const { stdout } = await $({ quiet: true })`docker ps --all --quiet --filter ${`label=${marked(label)}`}`
  const ids = stdout.split('\n').filter(id => id !== '')
  if (ids.length > 0) await $({ quiet: true })`docker rm --force --volumes ${ids}`
}

/** Runs a script as root in the host's container, past the network: the hand that breaks things, or looks independently. */
export async function inHost(host: ThrowawayHost, script: string): Promise<string> {
  return (await $({ quiet: true })`docker exec ${host.container} sh -c ${script}`).stdout
}

/**
 * Every systemd takes several inotify instances of the one kernel all hosts share; the usual 128 are used up by about
 * twenty of them. Where this is not allowed, few hosts still work.
 */
export function makeRoomForWatches(): void {
  const file = '/proc/sys/fs/inotify/max_user_instances'
  if (process.getuid?.() !== 0 || Number(readFileSync(file, 'utf8')) >= 2048) return
  writeFileSync(file, '2048')
}

/** Another clone of the project on the same machine keeps its containers. */
function marked(label: string): string {
  return `msingi=${label}:${createHash('sha256').update(ROOT).digest('hex').slice(0, 8)}`
}

async function start(name: string, image: string, label: string): Promise<ThrowawayHost> {
  const hostKey = makeKeyPair()
  const created = await $({ quiet: true })`docker create --hostname ${name} --label ${marked(label)} \
    ${CONTAINER.capabilities.map(it => `--cap-add=${it}`)} ${CONTAINER.security.map(it => `--security-opt=${it}`)} \
    ${CONTAINER.tmpfs.map(it => `--tmpfs=${it}`)} ${CONTAINER.binds.map(it => `--volume=${it}`)} --cgroupns=host ${image}`
  const container = created.stdout.trim()
  await copyIdentity(container, hostKey)
  await $({ quiet: true })`docker start ${container}`
  const inspected = await $({
    quiet: true,
  })`docker inspect --format ${'{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}'} ${container}`
  const address = inspected.stdout.trim()
  await awaitSshd(address, 22).catch(async (cause: unknown) => {
    throw new Error(`${name} does not come up: ${await lastWords(container)}`, { cause })
  })
  return { name, container, address, port: 22, user: 'ops', key: operatorKey().file, hostKey: hostKey.open }
}

/** What a container has to say that does not answer: whether it runs, what failed in it, and the end of its journal. */
async function lastWords(container: string): Promise<string> {
  const look =
    'systemctl is-system-running; systemctl --failed --no-legend; journalctl --no-pager -n 20; ss -tln'
  const state = await $({
    nothrow: true,
    quiet: true,
  })`docker inspect --format ${'{{json .State}}'} ${container}`
  const inside = await $({ nothrow: true, quiet: true })`docker exec ${container} sh -c ${look}`
  return [state.stdout, inside.stdout, inside.stderr].map(text => text.trim()).join('\n')
}

async function copyIdentity(container: string, hostKey: { secret: string; open: string }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'msingi-host-'))
  try {
    for (const file of identityFiles(hostKey)) {
      const draft = join(folder, file.path)
      mkdirSync(dirname(draft), { recursive: true })
      writeFileSync(draft, file.content)
      chmodSync(draft, file.mode)
    }
    // `docker cp` of a folder's content keeps modes and gives everything to root.
    await $({ quiet: true })`docker cp ${join(folder, 'etc')}/. ${container}:/etc`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
