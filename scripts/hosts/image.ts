import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { $ } from 'zx'

/** Systems that throw-away hosts run. */
export const SYSTEMS = { 'debian-12': 'bookworm', 'debian-13': 'trixie' } as const
export type System = keyof typeof SYSTEMS

const PACKAGES = [
  'systemd',
  'systemd-sysv',
  'libpam-systemd',
  'dbus',
  'openssh-server',
  'sudo',
  'ca-certificates',
  'iproute2',
  'openssl',
  'procps',
  'tzdata',
  'busybox',
]

const SETUP = join(import.meta.dirname, 'setup.sh')

/**
 * Returns the tag of an image of the system, built from the distribution's own packages with mmdebstrap where it is not
 * there yet. The tag carries a hash of the recipe, so a changed recipe makes a new image. `repo` names packages that hosts
 * can install without a network, besides the usual few.
 */
export async function ensureImage(
  system: System,
  say: (text: string) => void,
  repo: readonly string[] = [],
): Promise<string> {
  const tag = imageTag(system, repo)
  const known = await $({ nothrow: true, quiet: true })`docker image inspect ${tag}`
  if (known.exitCode === 0) return tag
  say(`building the image ${tag} (about a minute)`)
  await build(system, tag, repo)
  return tag
}

function imageTag(system: System, repo: readonly string[]): string {
  const recipe = [SYSTEMS[system], ...PACKAGES, readFileSync(SETUP, 'utf8'), ...repo].join('\n')
  return `msingi-host:${system}-${createHash('sha256').update(recipe).digest('hex').slice(0, 12)}`
}

async function build(system: System, tag: string, repo: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'msingi-image-'))
  const tar = join(folder, 'root.tar')
  try {
    await $({ quiet: true })`mmdebstrap --variant=minbase --include=${PACKAGES.join(',')} \
      ${`--customize-hook=chroot "$1" sh -s -- ${repo.join(' ')} < '${SETUP}'`} --skip=cleanup/apt/lists \
      --dpkgopt=path-exclude=/usr/share/doc/* --dpkgopt=path-exclude=/usr/share/locale/* \
      ${SYSTEMS[system]} ${tar}`
    await $({
      quiet: true,
    })`docker import --change ${'CMD ["/lib/systemd/systemd"]'} ${tar} ${tag}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
