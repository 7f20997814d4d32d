import { $, which } from 'zx'

/** What throw-away hosts are made and reached with: program → Debian's package. */
export const FOR_HOSTS = {
  docker: 'docker.io',
  dockerd: 'docker.io',
  mmdebstrap: 'mmdebstrap',
  ssh: 'openssh-client',
}

/** What throw-away machines with a kernel of their own need. */
export const FOR_MACHINES = {
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  mmdebstrap: 'mmdebstrap',
  mke2fs: 'e2fsprogs',
  nbdkit: 'nbdkit',
  swtpm: 'swtpm',
  swtpm_setup: 'swtpm-tools',
}

/** What tests need besides. */
export const FOR_TESTS = { ...FOR_HOSTS, busybox: 'busybox', sshd: 'openssh-server' }

/**
 * Installs the packages of the programs that are missing.
 *
 * @throws Error that says what to install where it cannot be done from here.
 */
export async function ensurePrograms(
  programs: Readonly<Record<string, string>>,
  say: (text: string) => void,
): Promise<void> {
  const packages = new Set<string>()
  for (const [program, pack] of Object.entries(programs)) {
    if ((await which(program, { nothrow: true })) === null) packages.add(pack)
  }
  const missing = [...packages]
  if (missing.length === 0) return
  if (process.getuid?.() !== 0 || (await which('apt-get', { nothrow: true })) === null) {
    throw new Error(`missing here, install first: ${missing.join(' ')}`)
  }
  say(`installing ${missing.join(', ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await $({ env, quiet: true })`apt-get update && apt-get install --yes --no-install-recommends ${missing}`
}
