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
 * there yet. The tag carries a hash of the recipe, so a changed recipe makes a new image.
 */
export async function ensureImage(system: System, say: (text: string) => void): Promise<string> {
  const tag = imageTag(system)
  const known = await $({ nothrow: true, quiet: true })`docker image inspect ${tag}`
  if (known.exitCode === 0) return tag
  say(`building the image ${tag} (about a minute)`)
  await build(system, tag)
  return tag
}

function imageTag(system: System): string {
  const recipe = [SYSTEMS[system], ...PACKAGES, readFileSync(SETUP, 'utf8')].join('\n')
  return `msingi-host:${system}-${createHash('sha256').update(recipe).digest('hex').slice(0, 12)}`
}

async function build(system: System, tag: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'msingi-image-'))
  const tar = join(folder, 'root.tar')
  try {
    await $({ quiet: true })`mmdebstrap --variant=minbase --include=${PACKAGES.join(',')} \
      ${`--customize-hook=chroot "$1" sh -s < '${SETUP}'`} --skip=cleanup/apt/lists \
      --dpkgopt=path-exclude=/usr/share/doc/* --dpkgopt=path-exclude=/usr/share/locale/* \
      ${SYSTEMS[system]} ${tar}`
    await $({
      quiet: true,
    })`docker import --change ${'CMD ["/lib/systemd/systemd"]'} ${tar} ${tag}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
