import { describe, expect, test } from 'vitest'
import type { Health } from '../../src/probes/health.ts'
import { findings, HostHealth, unfit } from '../../src/run/health.ts'

const MEBIBYTE = 1024 * 1024
const ROOM = { path: '/', size: 10_000 * MEBIBYTE, free: 5000 * MEBIBYTE, inodes: 1000, freeInodes: 900 }
const WELL: Health = {
  rooms: [ROOM],
  readOnly: [],
  epoch: 0,
  memory: { total: 2048 * MEBIBYTE, available: 1024 * MEBIBYTE },
  halfDone: [],
  packageLock: null,
  needsReboot: false,
  jobs: [],
  guard: false,
  owed: 0,
}

const wrong = (health: Partial<Health>, skew = 0): readonly string[] =>
  findings({ ...WELL, ...health }, skew).flatMap(({ level, about }) =>
    level === 'ok' ? [] : [`${about} ${level}`],
  )

describe('run/health', () => {
  test('a host that is well has only good findings, of all sorts', () => {
    expect(wrong({})).toEqual([])
    expect(findings(WELL, 0).map(({ about }) => about)).toEqual([
      'disk',
      'files',
      'clock',
      'memory',
      'packages',
      'restart',
      'leftovers',
    ])
  })

  test.each([
    ['a full disk', { rooms: [{ ...ROOM, free: MEBIBYTE }] }, ['disk fail']],
    ['no inode left', { rooms: [{ ...ROOM, freeInodes: 3 }] }, ['disk fail']],
    ['inodes that are not counted', { rooms: [{ ...ROOM, inodes: 0, freeInodes: 0 }] }, []],
    ['a nearly full disk', { rooms: [{ ...ROOM, free: 400 * MEBIBYTE }] }, ['disk warn']],
    [
      'a small file system with room',
      { rooms: [{ ...ROOM, path: '/run', size: 24 * MEBIBYTE, free: 12 * MEBIBYTE }] },
      [],
    ],
    ['a root that is read only', { readOnly: ['/'] }, ['files fail']],
    ['packages left half done', { halfDone: ['curl'] }, ['packages fail']],
    ['a package manager at work', { packageLock: { pid: 7, name: 'apt' } }, ['packages warn']],
    ['little memory', { memory: { total: 512 * MEBIBYTE, available: MEBIBYTE } }, ['memory warn']],
    ['a restart that is due', { needsReboot: true }, ['restart warn']],
    ['a change that goes on', { jobs: [{ is: 'running', dir: '/run/msingi/r/1' }] }, ['leftovers warn']],
    [
      'changes nobody read the end of',
      { jobs: [{ is: 'killed', dir: '/run/msingi/r/1' }], owed: 1, guard: true },
      ['leftovers warn', 'leftovers warn', 'leftovers warn'],
    ],
  ] as const)('%s', (_, health, found) => {
    expect(wrong(health)).toEqual(found)
  })

  test('everything that is wrong says what to do', () => {
    const all = findings({ ...WELL, readOnly: ['/'], halfDone: ['a'], needsReboot: true, guard: true }, 9999)
    expect(all.filter(({ level, hint }) => level !== 'ok' && hint === undefined)).toEqual([])
  })

  test.each([
    [29, []],
    [-31, ['clock warn']],
    [4000, ['clock fail']],
  ] as const)('a clock that is %s s ahead', (skew, found) => {
    expect(wrong({}, skew)).toEqual(found)
  })

  test('nothing is unpacked where it cannot be, as long as that is so; other changes are let through', () => {
    const said: string[] = []
    const health = new HostHealth(message => said.push(message))
    health.take('room 4096 1000000 10 0 0 /\nclock 100\n', 100)

    expect(said).toHaveLength(1)
    expect(() => health.refuse('apt')).toThrow(expect.objectContaining({ code: 'HOST_UNFIT' }) as Error)
    expect(() => health.refuse('copy')).not.toThrow()
    health.take('room 4096 1000000 500000 0 0 /\nclock 100\n', 100)
    expect(() => health.refuse('apt')).not.toThrow()
    expect(said).toHaveLength(1)
    expect(unfit({ ...WELL, readOnly: ['/tmp'] })).toBeUndefined()
    expect(unfit({ ...WELL, readOnly: ['/var'] })).toMatch(/var/)
  })
})
