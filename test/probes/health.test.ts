import { describe, expect, test } from 'vitest'
import { healthScript, parseHealth } from '../../src/probes/health.ts'
import { openIn, SHELLS } from '../support/shells.ts'

const ROOM =
  'room 4096 1000000 500000 100 50 /\nroom 4096 1000000 500000 100 50 /var\nroom 1024 900 10 0 0 /boot\n'

describe('probes/health', () => {
  test('what was found is read; one file system is counted once', () => {
    const out = `${ROOM}rw /\nro /\nrw /var\nclock 1772438400\nmemory 2048 1024\ndpkg\nhalf curl\nhalf dpkg\nheld 77 apt-get\nreboot\njob killed /run/msingi/r-h/1.0\nguard\nowed 2\n`

    expect(parseHealth(out)).toEqual({
      rooms: [
        { path: '/', size: 4_096_000_000, free: 2_048_000_000, inodes: 100, freeInodes: 50 },
        { path: '/boot', size: 921_600, free: 10_240, inodes: 0, freeInodes: 0 },
      ],
      readOnly: ['/'],
      epoch: 1_772_438_400,
      memory: { total: 2_097_152, available: 1_048_576 },
      halfDone: ['curl', 'dpkg'],
      packageLock: { pid: 77, name: 'apt-get' },
      needsReboot: true,
      jobs: [{ is: 'killed', dir: '/run/msingi/r-h/1.0' }],
      guard: true,
      owed: 2,
    })
  })

  test('a host of few words is understood, one without a clock is not', () => {
    expect(parseHealth('clock 5\n')).toMatchObject({
      rooms: [],
      memory: null,
      halfDone: null,
      packageLock: null,
      jobs: [],
    })
    expect(() => parseHealth('')).toThrow(expect.objectContaining({ code: 'PROBE_UNREADABLE' }) as Error)
  })

  test.each(SHELLS)('this machine answers in %s', async shell => {
    const session = await openIn(shell)
    const [answer] = await session.exchange([{ script: healthScript(session.uid) }], { deadlineMs: 9000 })
    await session.close()

    expect(answer?.code).toBe(0)
    const { rooms, epoch, memory } = parseHealth(answer?.out ?? '')
    expect(rooms[0]?.path).toBe('/')
    expect(Math.abs(epoch - Date.now() / 1000)).toBeLessThan(30)
    expect(memory?.available).toBeGreaterThan(0)
    expect(answer?.out).toMatch(/^r[ow] \/$/m)
  })
})
