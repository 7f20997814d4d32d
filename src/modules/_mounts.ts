import { TaskError } from '../base/error.ts'
import type { Change } from '../base/result.ts'
import type { MountedAt } from '../probes/mount.ts'
import { lines, sh, type Sh } from '../shell/sh.ts'

/** What should be mounted, in the words of fstab. */
export interface MountWish {
  readonly path: string
  readonly src: string
  readonly fstype: string
  readonly opts: string
  readonly state: string
  readonly fstab: string
}

/** Options that the kernel shows as they were asked for. */
const FLAGS = ['nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'sync', 'dirsync']
/** Can never be written to, whatever is asked for. */
const READ_ONLY = ['iso9660', 'squashfs', 'udf', 'erofs', 'cramfs', 'romfs']

/** Returns what will be mounted. */
export function mountedAfter(
  { path, src, fstype, opts }: MountWish,
  { mount: now, wished }: MountedAt,
): MountedAt {
  const readOnly = opts.split(',').includes('ro') || READ_ONLY.includes(fstype)
  const fresh = { path, source: src, type: fstype, device: '', root: '/' }
  const shown = [...FLAGS.filter(option => opts.split(',').includes(option)), readOnly ? 'ro' : 'rw']
  return { mount: { ...(now ?? fresh), options: shown, read_only: readOnly }, device: wished, wished }
}

/**
 * Makes sure that nothing else is mounted there: another file system in the place is somebody's data.
 *
 * @throws TaskError with code `MOUNTED_OTHERWISE`.
 */
export function requireSame(
  { path: point, src, fstype, opts }: MountWish,
  { mount: now, device, wished }: MountedAt,
): void {
  if (!now || /(^|,)(r?bind|move)(,|$)/.test(opts)) return
  const isType = fstype === 'auto' || fstype.split(',').includes(now.type) || now.type.startsWith('fuse')
  const isSource = device === '' && wished === '' ? isVirtual(now.source, src) : device === wished
  if (isType && isSource) return
  throw new TaskError(
    'MOUNTED_OTHERWISE',
    `\`${now.source}\` (${now.type}) is mounted at \`${point}\`, not \`${src}\` (${fstype})`,
    'unmount it first with `state: unmounted`, once nobody needs it',
  )
}

/** File systems without a device are called anything; a file server's path may end with a slash. */
function isVirtual(now: string, src: string): boolean {
  const isRemote = src.includes(':/') || src.startsWith('//')
  return !isRemote || now.replace(/\/+$/, '') === src.replace(/\/+$/, '')
}

/** Returns what of the options that the kernel shows as they were asked for does not hold. */
export function missingFlags({ opts, fstype }: MountWish, { mount: now }: MountedAt): readonly string[] {
  const wanted = opts.split(',')
  const has = (option: string): boolean => now?.options.includes(option) === true
  const readOnly = wanted.includes('ro')
  return [
    ...FLAGS.filter(option => wanted.includes(option) && !has(option)),
    ...(readOnly && !has('ro') ? ['ro'] : []),
    ...(!readOnly && has('ro') && !READ_ONLY.includes(fstype) ? ['rw'] : []),
  ]
}

/** Returns the script that makes one change to what is mounted. */
export function liveScript(
  { kind, after }: Change,
  { path: point, src, fstype, opts, state, fstab }: MountWish,
): Sh {
  if (kind === 'remount') return sh`mount -o remount -- ${point}`
  if (kind === 'options')
    return sh`mount -o ${`remount,${kernelOptions(opts)}${String(after) === 'rw' ? ',rw' : ''}`} -- ${point}`
  if (after === null) {
    return lines(sh`umount -- ${point} || exit`, state === 'absent' && sh`rmdir -- ${point} 2>/dev/null || :`)
  }
  const table = fstab === '/etc/fstab' ? [] : ['-T', fstab]
  return lines(
    sh`[ -e ${point} ] || mkdir -p -- ${point} || exit`,
    state === 'ephemeral'
      ? sh`mount -t ${fstype} -o ${opts} -- ${src} ${point}`
      : sh`mount ${table} -- ${point}`,
  )
}

/** What fstab says to others than the kernel. */
function kernelOptions(opts: string): string {
  return opts
    .split(',')
    .filter(option => !/^(noauto|auto|nofail|_netdev|user|nouser|users|x-.*|comment=.*)$/.test(option))
    .join(',')
}
