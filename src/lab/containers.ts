import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { bootstrap } from './bootstrap.ts'
import { LabError } from './error.ts'
import { identityFiles, type Identity } from './identity.ts'
import { makeKeyPair } from './keys.ts'
import { refuseExisting, writeAccess, writeInventory, type LabPlace, type LabWish } from './lab.ts'
import { hasProgram, needPrograms, needSpace, runProgram, tryProgram } from './program.ts'
import { awaitSshd } from './sshd.ts'
import { SYSTEMS, writeLab, type LabHost, type OpenLab } from './state.ts'

const PACKAGES = [
  ['systemd', 'systemd-sysv', 'libpam-systemd', 'dbus', 'openssh-server', 'sudo', 'ca-certificates'],
  ['iproute2', 'openssl', 'procps', 'tzdata', 'busybox'],
].flat()
const SETUP = ['host-setup.sh', 'container-setup.sh'].map(name => join(import.meta.dirname, name))
const IMAGE_BYTES = 2 ** 30
const MINUTE = 60_000
const BOOT_SECONDS = 180

/** How systemd runs in a container without full privileges: its own `/run`, and the machine's control groups. */
const FLAGS = [
  ['--cap-add=SYS_ADMIN', '--security-opt=seccomp=unconfined', '--tmpfs=/run', '--tmpfs=/run/lock'],
  ['--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw', '--cgroupns=host'],
].flat()

/**
 * Makes a lab of containers with systemd and sshd, in seconds: for everything that needs no kernel of its own.
 *
 * @throws LabError LAB_EXISTS, LAB_NEEDS or TOO_SLOW.
 */
export async function makeContainers(wish: LabWish, place: LabPlace): Promise<OpenLab> {
  const folder = resolve(place.root, wish.name)
  refuseExisting(folder, wish.name)
  const engine = await findEngine()
  mkdirSync(place.root, { recursive: true })
  const image = await ensureImage(engine, wish, place)
  const names = Array.from({ length: wish.hosts }, (_, index) => `host${index + 1}`)
  const empty: OpenLab = {
    format: 1,
    name: wish.name,
    kind: 'container',
    os: wish.os,
    made: new Date().toISOString(),
    hosts: [],
    folder,
  }
  writeLab(empty)
  const loginKey = writeAccess(empty)
  const hosts: LabHost[] = []
  for (const name of names) {
    hosts.push(await start(engine, image, folder, { name, hostKey: makeKeyPair(), loginKey }))
    writeLab({ ...empty, hosts })
  }
  const lab = { ...empty, hosts }
  writeInventory(lab)
  const patience = { seconds: BOOT_SECONDS, signal: place.signal }
  await Promise.all(hosts.map(host => awaitSshd(host, patience)))
  return lab
}

/** Removes the containers of a lab; they are found by their label, so that none is forgotten. */
export async function removeContainers(lab: OpenLab): Promise<void> {
  const engine = await findEngine()
  const filter = `label=${label(lab.folder)}`
  const found = await runProgram([engine, 'ps', '--all', '--quiet', '--filter', filter], {
    deadlineMs: MINUTE,
  })
  const ids = found.split('\n').filter(id => id !== '')
  if (ids.length > 0) await runProgram([engine, 'rm', '--force', '--volumes', ...ids], { deadlineMs: MINUTE })
}

function label(folder: string): string {
  return `msingi-lab=${folder}`
}

async function findEngine(): Promise<string> {
  for (const engine of ['docker', 'podman']) {
    if (!(await hasProgram(engine))) continue
    if ((await tryProgram([engine, 'info'], { deadlineMs: MINUTE })).code === 0) return engine
  }
  throw new LabError(
    'LAB_NEEDS',
    'neither Docker nor Podman answers',
    'start one, or run `apt-get install docker.io`',
  )
}

async function ensureImage(engine: string, { os, packages }: LabWish, place: LabPlace): Promise<string> {
  const all = [...PACKAGES, ...packages.toSorted()]
  const setup = SETUP.map(file => readFileSync(file, 'utf8')).join('\n')
  const recipe = createHash('sha256')
    .update([SYSTEMS[os], all.join(','), setup].join('\n'))
    .digest('hex')
  const tag = `msingi-lab:${os}-${recipe.slice(0, 12)}`
  if ((await tryProgram([engine, 'image', 'inspect', tag], { deadlineMs: MINUTE })).code === 0) return tag
  await needPrograms({ mmdebstrap: 'mmdebstrap' })
  const folder = mkdtempSync(join(tmpdir(), 'msingi-image-'))
  needSpace(folder, IMAGE_BYTES)
  place.say(`building the image ${tag} (a minute, once)`)
  const [script, tar] = [join(folder, 'setup.sh'), join(folder, 'root.tar')]
  const options = { deadlineMs: 15 * MINUTE, signal: place.signal }
  try {
    writeFileSync(script, setup)
    const without = ['doc', 'locale']
    await runProgram(bootstrap({ suite: SYSTEMS[os], packages: all, without, setup: script }, tar), options)
    await runProgram([engine, 'import', '--change', 'CMD ["/lib/systemd/systemd"]', tar, tag], options)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return tag
}

async function start(engine: string, image: string, folder: string, identity: Identity): Promise<LabHost> {
  const { name, hostKey } = identity
  const run = async (...words: readonly string[]): Promise<string> =>
    (await runProgram([engine, ...words], { deadlineMs: MINUTE })).trim()
  const container = await run('create', '--hostname', name, '--label', label(folder), ...FLAGS, image)
  await putIdentity(container, identity, run)
  await run('start', container)
  const addresses = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}'
  const address = await run('inspect', '--format', addresses, container)
  return { name, address, port: 22, user: 'ops', hostKey: hostKey.open, published: {}, container }
}

async function putIdentity(
  container: string,
  identity: Identity,
  run: (...words: readonly string[]) => Promise<string>,
): Promise<void> {
  const draft = mkdtempSync(join(tmpdir(), 'msingi-host-'))
  try {
    // The engine writes the name of the host itself.
    for (const { path, content, mode } of identityFiles(identity).filter(
      file => file.path !== '/etc/hostname',
    )) {
      const file = join(draft, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, content)
      chmodSync(file, mode)
    }
    // A copy of a folder's content keeps modes and gives everything to root.
    await run('cp', `${join(draft, 'etc')}/.`, `${container}:/etc`)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}
