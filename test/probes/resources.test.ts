import { describe, expect, test } from 'vitest'
import { affects } from '../../src/probes/probe.ts'
import { pathRead, pathResources, treeRead } from '../../src/probes/resources.ts'

describe('probes/resources', () => {
  test.each([
    ['/etc/systemd/system/a.service', 'unit *,unit a.service'],
    ['/lib/systemd/system/a.service', 'unit *,unit a.service'],
    ['/etc/passwd', 'user *,group *'],
    ['/etc/sysctl.d/60-a.conf', 'sysctl *'],
    ['/etc/systemd-not/a', ''],
  ])('changing %s touches %s', (path, wanted) => {
    const [, ...others] = pathResources(path)

    expect(others.map(({ kind, name }) => `${kind} ${name}`).join(',')).toBe(wanted)
  })

  test.each([
    ['/var/run/x', '/run/x', true],
    ['/lib/x', '/usr/lib/x', true],
    ['/library', '/usr/library', false],
    ['/a/b', '/a', false],
  ])('changing %s makes what was read of %s stale: %s', (touched, read, isStale) => {
    expect(pathResources(touched).some(one => pathRead(read).some(other => affects(one, other)))).toBe(
      isStale,
    )
  })

  test('a folder touches all below it, and is read with all below it', () => {
    const touches = (touched: string, extent: 'path' | 'tree', read: ReturnType<typeof pathRead>): boolean =>
      pathResources(touched, extent).some(one => read.some(other => affects(one, other)))

    expect(touches('/a', 'tree', pathRead('/a/b/c'))).toBe(true)
    expect(touches('/a', 'path', pathRead('/a/b'))).toBe(false)
    expect(touches('/a/b', 'path', treeRead('/a'))).toBe(true)
  })
})
