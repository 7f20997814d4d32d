/** What to make a system of. */
export interface Recipe {
  /** The release, as mmdebstrap is told it. */
  readonly suite: string
  readonly packages: readonly string[]
  /** Folders below `/usr/share` that are left out. */
  readonly without: readonly string[]
  /** File with the script that is run in the system at last. */
  readonly setup: string
}

/**
 * Returns the command line that makes a system from Debian's packages, as a folder or as an archive. What is mounted meanwhile, `/sys` and
 * `/dev` of this very machine, is mounted for that program alone: where it is killed, no folder is left through which they could be emptied.
 */
export function bootstrap({ suite, packages, without, setup }: Recipe, target: string): readonly string[] {
  const alone = process.getuid?.() === 0 ? ['unshare', '--mount', '--propagation', 'private'] : []
  const excluded = without.map(name => `--dpkgopt=path-exclude=/usr/share/${name}/*`)
  const hook = `--customize-hook=chroot "$1" sh -s < '${setup}'`
  const include = `--include=${packages.join(',')}`
  return [...alone, 'mmdebstrap', '--variant=minbase', include, ...excluded, hook, suite, target]
}
