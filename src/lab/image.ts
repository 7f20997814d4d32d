import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bootstrap } from './bootstrap.ts'
import { clearDrafts, makeDraft, markedFor } from './drafts.ts'
import { LabError } from './error.ts'
import { needPrograms, needSpace, runProgram } from './program.ts'
import { SYSTEMS, type System } from './state.ts'

export interface ImageWish {
  readonly os: System
  /** Packages besides those every machine has. */
  readonly packages: readonly string[]
  /** Where finished images are kept. */
  readonly cache: string
  readonly say: (text: string) => void
  readonly signal?: AbortSignal | undefined
}

/** Files of a finished image; the folder is named by a hash of the recipe. */
export const IMAGE = { disk: 'root.qcow2', kernel: 'vmlinuz', archive: 'initrd' } as const

/** The label of the root file system: virtio disks may be found in any order. */
export const ROOT_LABEL = 'msingi-root'

const PACKAGES = [
  'systemd',
  'systemd-sysv',
  'libpam-systemd',
  'dbus',
  'udev',
  'kmod',
  'openssh-server',
  'sudo',
  'ca-certificates',
  'iproute2',
  'nftables',
  'e2fsprogs',
  'cryptsetup-bin',
  'openssl',
  'procps',
  'tzdata',
  'busybox',
  'initramfs-tools',
  'linux-image-cloud-amd64',
]

const PROGRAMS = { mmdebstrap: 'mmdebstrap', mke2fs: 'e2fsprogs', 'qemu-img': 'qemu-utils' }
const SETUP = ['host-setup.sh', 'vm-setup.sh'].map(name => join(import.meta.dirname, name))
const ROOT_BYTES = 12 * 2 ** 30
const BUILD_BYTES = 3 * 2 ** 30
const MINUTE = 60_000

/**
 * Returns the folder of an image, built from the distribution's own packages where it is not in the cache yet.
 *
 * @throws LabError LAB_NEEDS where something is missing to build it.
 */
export async function ensureVmImage(wish: ImageWish): Promise<string> {
  const folder = join(wish.cache, 'images', imageName(wish))
  if (existsSync(folder)) return folder
  await needPrograms(PROGRAMS)
  if (process.getuid?.() !== 0) {
    throw new LabError(
      'LAB_NEEDS',
      'building the image of a machine needs root, once',
      `run \`sudo msingi lab image --os ${wish.os}\``,
    )
  }
  mkdirSync(join(wish.cache, 'images'), { recursive: true })
  await clearDrafts(join(wish.cache, 'images'))
  needSpace(wish.cache, BUILD_BYTES)
  wish.say(`building the image of ${wish.os} (two minutes, once)`)
  const draft = makeDraft(join(wish.cache, 'images'))
  try {
    await build(wish, draft)
    settle(draft, folder)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
  return folder
}

/** Returns the name under which an image is kept: another recipe is another image. */
export function imageName({ os, packages }: Pick<ImageWish, 'os' | 'packages'>): string {
  const recipe = [
    SYSTEMS[os],
    ...PACKAGES,
    ...packages.toSorted(),
    ...SETUP.map(file => readFileSync(file, 'utf8')),
  ].join('\n')
  return `${os}-${createHash('sha256').update(recipe).digest('hex').slice(0, 12)}`
}

async function build({ os, packages, signal }: ImageWish, folder: string): Promise<void> {
  const [tree, raw] = [join(folder, 'tree'), join(folder, 'root.raw')]
  const setup = join(folder, 'setup.sh')
  writeFileSync(setup, SETUP.map(file => readFileSync(file, 'utf8')).join('\n'))
  const without = ['doc', 'locale', 'man']
  const recipe = { suite: SYSTEMS[os], packages: [...PACKAGES, ...packages], without, setup }
  await runProgram(markedFor(folder, bootstrap(recipe, tree)), { deadlineMs: 15 * MINUTE, signal })
  for (const [pattern, name] of [
    ['vmlinuz-*', IMAGE.kernel],
    ['initrd.img-*', IMAGE.archive],
  ] as const) {
    const [file] = globSync(join(tree, 'boot', pattern))
    if (file === undefined) throw new LabError('PROGRAM_FAILED', `the new system has no \`/boot/${pattern}\``)
    writeFileSync(join(folder, name), readFileSync(file))
  }
  const options = { deadlineMs: 5 * MINUTE, signal }
  const bytes = String(ROOT_BYTES / 1024)
  await runProgram(['mke2fs', '-q', '-t', 'ext4', '-L', ROOT_LABEL, '-d', tree, raw, bytes], options)
  await runProgram(['qemu-img', 'convert', '-O', 'qcow2', raw, join(folder, IMAGE.disk)], options)
  for (const path of [tree, raw, setup]) rmSync(path, { recursive: true, force: true })
}

/** Another process may have been first; its image is the same. */
function settle(draft: string, folder: string): void {
  try {
    renameSync(draft, folder)
  } catch (error) {
    if (!existsSync(folder)) throw error
  }
}
