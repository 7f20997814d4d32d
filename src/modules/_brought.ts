import type { Resource } from '../probes/probe.ts'

/** Where packages put files; they leave `/home`, `/srv` and `/usr/local` alone. */
const PACKAGED = [
  '/boot',
  '/etc',
  '/opt',
  '/usr/bin',
  '/usr/include',
  '/usr/lib',
  '/usr/libexec',
  '/usr/sbin',
  '/usr/share',
  '/var',
]

/** What a package may bring without anybody being able to say so before. */
export const BROUGHT: readonly Resource[] = [
  ...(['unit', 'user', 'group', 'process', 'sysctl'] as const).map(kind => ({ kind, name: '*' })),
  ...PACKAGED.map(name => ({ kind: 'tree', name }) as const),
]
