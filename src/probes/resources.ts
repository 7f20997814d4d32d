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
  [/^\/(etc|run|usr\/lib|usr\/local\/lib)\/(systemd|init\.d)(\/|$)/, { kind: 'unit', name: '*' }],
  [/^\/(etc\/default|etc\/sysconfig)(\/|$)/, { kind: 'unit', name: '*' }],
  [/^\/etc\/(passwd|shadow|nsswitch\.conf)-?$/, { kind: 'user', name: '*' }],
  [/^\/etc\/(group|gshadow|nsswitch\.conf)-?$/, { kind: 'group', name: '*' }],
  [/^\/(etc\/apt|var\/lib\/apt|var\/lib\/dpkg|etc\/yum\.repos\.d)(\/|$)/, { kind: 'package', name: '*' }],
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
 * Returns all that changing the path alters: the path, its folder (which gets a new entry or time stamp), and the units,
 * users, packages … that are read from there. With `tree`, everything below the path as well.
 */
export function pathResources(path: string, extent: 'path' | 'tree' = 'path'): readonly Resource[] {
  const name = canonical(path)
  const folder = name.slice(0, name.lastIndexOf('/')) || '/'
  return [
    { kind: extent, name },
    { kind: 'path', name: folder },
    ...MEANINGS.filter(([pattern]) => pattern.test(name)).map(([, resource]) => resource),
  ]
}

/** Returns the path as today's systems spell it. */
export function canonical(path: string): string {
  const alias = ALIASES.find(([old]) => path === old || path.startsWith(`${old}/`))
  return alias ? alias[1] + path.slice(alias[0].length) : path
}
