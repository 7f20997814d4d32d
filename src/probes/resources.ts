import type { Resource } from './probe.ts'

/** Old names of folders that are symbolic links on today's systems; both spellings must mean the same thing. */
const ALIASES: readonly (readonly [string, string])[] = [
  ['/var/run', '/run'],
  ['/var/lock', '/run/lock'],
  ['/bin', '/usr/bin'],
  ['/sbin', '/usr/sbin'],
  ['/lib', '/usr/lib'],
  ['/lib64', '/usr/lib64'],
]

/** Files that are the source of answers which are not about files. A change of the path, or below it, touches the resource. */
const MEANINGS: readonly (readonly [RegExp, Resource])[] = [
  [/^\/(etc|run|usr\/lib|usr\/local\/lib)\/systemd(\/|$)/, { kind: 'unit', name: '*' }],
  [/^\/etc\/init\.d(\/|$)/, { kind: 'unit', name: '*' }],
  [/^\/etc\/(passwd|shadow|group|gshadow|nsswitch\.conf)$/, { kind: 'user', name: '*' }],
  [/^\/etc\/(passwd|group|gshadow|nsswitch\.conf)$/, { kind: 'group', name: '*' }],
  [/^\/var\/lib\/(apt|dpkg|rpm)(\/|$)/, { kind: 'package', name: '*' }],
  [/^\/etc\/(fstab|crypttab)$/, { kind: 'mount', name: '*' }],
  [/^\/etc\/(sysctl\.conf|sysctl\.d)(\/|$)/, { kind: 'sysctl', name: '*' }],
  [/^\/(etc\/docker|var\/lib\/docker)(\/|$)/, { kind: 'docker', name: '*' }],
  [/^\/etc\/(hostname|hosts|os-release|machine-id|localtime|timezone)$/, { kind: 'host', name: '*' }],
]

/** Returns what a question about the very path depends on. */
export function pathRead(path: string): readonly Resource[] {
  return [{ kind: 'path', name: canonical(path) }]
}

/** Returns what a question about a folder and all below it depends on. */
export function treeRead(path: string): readonly Resource[] {
  return [{ kind: 'tree', name: canonical(path) }]
}

/**
 * Returns all that changing the path alters: the path and the units, users, packages … that are read from there. With
 * `tree`, everything below the path as well. The folder it lies in is not named: its owner and permissions stay.
 */
export function pathResources(path: string, extent: 'path' | 'tree' = 'path'): readonly Resource[] {
  const name = canonical(path)
  return [
    { kind: extent, name },
    ...MEANINGS.filter(([pattern]) => pattern.test(name)).map(([, resource]) => resource),
    ...unitOf(name),
  ]
}

/** The unit that a file below systemd's folders defines or adds to; others may be affected through aliases and wants. */
function unitOf(path: string): readonly Resource[] {
  const unit = /\/systemd\/system\/([^/]+\.[a-z]+?)(?:\.d\/[^/]+)?$/.exec(path)?.[1]
  return unit === undefined ? [] : [{ kind: 'unit', name: unit }]
}

/** Returns the path as today's systems spell it. */
export function canonical(path: string): string {
  const alias = ALIASES.find(([old]) => path === old || path.startsWith(`${old}/`))
  return alias ? alias[1] + path.slice(alias[0].length) : path
}
