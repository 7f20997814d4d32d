import { createHash } from 'node:crypto'
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { $ } from 'zx'

/** Versions of the double; what is wrong with the last only shows when it starts. */
export const VERSIONS = {
  old: { version: '5.1.3', couchdb: '3.5.0', broken: false },
  new: { version: '5.2.0', couchdb: '3.5.2', broken: false },
  broken: { version: '5.2.1-broken', couchdb: '3.5.2', broken: true },
} as const
type Version = (typeof VERSIONS)[keyof typeof VERSIONS]

const REGISTRY = 'public.ecr.aws/medic'
const UPGRADE_SERVICE = 'public.ecr.aws/s5s3h4s7/cht-upgrade-service:latest'
const BUILDS = 'msingi-double/cht-builds:latest'

/** Service of the double → image of the original. */
const SERVICES = {
  nginx: 'cht-nginx',
  api: 'cht-api',
  sentinel: 'cht-sentinel',
  haproxy: 'cht-haproxy',
  couchdb: 'cht-couchdb',
  nouveau: 'cht-couchdb-nouveau',
  healthcheck: 'cht-haproxy-healthcheck',
} as const

const PACKAGES = [
  'python3-minimal',
  'libpython3-stdlib',
  'openssl',
  'ca-certificates',
  'busybox',
  'docker-cli',
  'docker-compose',
]
/** What people call inside the containers of the original. */
const LINKS = 'ln -s /bin/busybox "$1/usr/local/bin/wget" && ln -s /double/nginx "$1/usr/local/bin/nginx"'
const SERVERS = join(import.meta.dirname, 'servers')
const COMPOSE = join(import.meta.dirname, 'compose')

/**
 * Builds the images of all versions without a registry and returns their names. One layer holds the system; the images
 * differ in what they run.
 */
export async function buildChtDouble(say: (text: string) => void): Promise<readonly string[]> {
  const base = await ensureBase(say)
  const names: string[] = []
  for (const version of Object.values(VERSIONS)) {
    for (const [service, image] of Object.entries(SERVICES)) {
      const name = `${REGISTRY}/${image}:${version.version}`
      names.push(await commit(base, name, service, environment(version, service)))
    }
  }
  names.push(await commit(base, UPGRADE_SERVICE, 'upgrade-service', {}))
  names.push(await commit(base, BUILDS, 'builds', {}))
  return names
}

/** Writes the compose files of one version into a folder, under the names the original publishes. */
export function writeComposeFiles(folder: string, version: string): void {
  mkdirSync(folder, { recursive: true })
  for (const name of ['cht-core.yml', 'cht-couchdb.yml', 'cht-couchdb-clustered.yml']) {
    const text = readFileSync(join(COMPOSE, name), 'utf8')
    writeFileSync(join(folder, name), text.replaceAll('@VERSION@', version))
  }
}

function environment(
  { version, couchdb, broken }: Version,
  service: string,
): Readonly<Record<string, string>> {
  const isBroken = broken && service === 'api'
  return { CHT_VERSION: version, COUCHDB_VERSION: couchdb, ...(isBroken ? { DOUBLE_BROKEN: '1' } : {}) }
}

async function ensureBase(say: (text: string) => void): Promise<string> {
  const sources = globSync(['servers/*.py', 'servers/nginx', 'compose/*.yml'], {
    cwd: import.meta.dirname,
  }).toSorted()
  const recipe = [...PACKAGES, ...sources.map(file => readFileSync(join(import.meta.dirname, file), 'utf8'))]
  const tag = `msingi-double/cht:${createHash('sha256').update(recipe.join('\n')).digest('hex').slice(0, 12)}`
  const known = await $({ nothrow: true, quiet: true })`docker image inspect ${tag}`
  if (known.exitCode === 0) return tag
  const system = await ensureSystem(say)
  const folder = mkdtempSync(join(tmpdir(), 'msingi-double-'))
  try {
    cpSync(SERVERS, join(folder, 'double'), {
      recursive: true,
      filter: path => !path.endsWith('__pycache__'),
    })
    for (const { version } of Object.values(VERSIONS))
      writeComposeFiles(join(folder, 'builds', version), version)
    const container = (await $({ quiet: true })`docker create ${system} true`).stdout.trim()
    await $({ quiet: true })`docker cp ${folder}/. ${container}:/`
    await $({ quiet: true })`docker commit ${container} ${tag}`
    await $({ quiet: true })`docker rm ${container}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return tag
}

/** Debian 13 has Compose v2, which the upgrade service runs. */
async function ensureSystem(say: (text: string) => void): Promise<string> {
  const tag = `msingi-double/system:${createHash('sha256').update(PACKAGES.join(' ')).digest('hex').slice(0, 12)}`
  const known = await $({ nothrow: true, quiet: true })`docker image inspect ${tag}`
  if (known.exitCode === 0) return tag
  say('building the system of the CHT double (a minute, once)')
  const folder = mkdtempSync(join(tmpdir(), 'msingi-double-'))
  const tar = join(folder, 'root.tar')
  try {
    await $({ quiet: true })`mmdebstrap --variant=minbase --include=${PACKAGES.join(',')} \
      --dpkgopt=path-exclude=/usr/share/doc/* --dpkgopt=path-exclude=/usr/share/locale/* \
      --customize-hook=${LINKS} trixie ${tar}`
    await $({ quiet: true })`docker import ${tar} ${tag}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return tag
}

async function commit(
  base: string,
  name: string,
  service: string,
  settings: Readonly<Record<string, string>>,
): Promise<string> {
  const container = (await $({ quiet: true })`docker create ${base} true`).stdout.trim()
  const command = `ENTRYPOINT ${JSON.stringify(['python3', '-B', '/double/double.py', service])}`
  const changes = [
    command,
    'CMD []',
    ...Object.entries(settings).map(([key, value]) => `ENV ${key}=${value}`),
  ]
  await $({ quiet: true })`docker commit ${changes.map(change => `--change=${change}`)} ${container} ${name}`
  await $({ quiet: true })`docker rm ${container}`
  return name
}
