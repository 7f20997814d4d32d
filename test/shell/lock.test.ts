import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Completed } from '../../src/base/result.ts'
import {
  holderScript,
  lockFile,
  lockScript,
  lockWord,
  readHolder,
  readLock,
  readShared,
  readTaken,
  type Holder,
  type LockWish,
} from '../../src/shell/lock.ts'
import { sh, type Sh } from '../../src/shell/sh.ts'
import { openShell } from '../../src/transport/shell-session.ts'
import { SHELLS, toolPath, wireTo, type ShellName } from '../support/shells.ts'

const base = mkdtempSync(join(tmpdir(), 'msingi-lock-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))

/** A folder of tools without `flock`, as on a host that does not have it. */
const bare = join(base, 'bare')
mkdirSync(bare)
for (const tool of ['dd', 'sh', 'id', 'mkdir', 'mv', 'rm', 'cat', 'sleep', 'wc'])
  symlinkSync(`/bin/${tool}`, join(bare, tool))

interface Controller {
  readonly take: (more?: Partial<LockWish>) => Promise<Holder | 'again' | 'bare' | undefined>
  readonly who: () => Promise<Holder | undefined>
  readonly ask: (script: Sh) => Promise<Completed>
  readonly pid: () => Promise<number>
  readonly close: () => Promise<void>
}

let folders = 0
function newFolder(): string {
  folders += 1
  return join(base, String(folders), 'msingi')
}

/** One shell of a run on this machine; several of one folder stand for several controllers. */
async function controller(
  run: string,
  folder: string,
  shell: ShellName,
  path = toolPath(shell),
): Promise<Controller> {
  const session = await openShell(wireTo(shell, path), { host: 'here', deadlineMs: 5000 })
  const ask = async (script: Sh, holds?: string): Promise<Completed> => {
    const part = holds === undefined ? { script } : { script, holds }
    const [answer] = await session.exchange([part], { deadlineMs: 25_000 })
    if (!answer) throw new Error('no answer')
    return answer
  }
  const owner = { run, user: 'ann', controller: 'clinic', since: '2026-03-02T08:00:00.000Z' }
  return {
    take: async more => {
      const wish = { folder, owner, name: 'host', seconds: 0, steal: false, ...more }
      const answer = readLock(await ask(lockScript(wish), lockFile(folder)))
      return answer === 'bare'
        ? readLock(await ask(lockScript({ ...wish, bare: true }), lockFile(folder)))
        : answer
    },
    who: async () => readHolder((await ask(holderScript(folder))).out),
    ask,
    pid: async () => Number((await ask(sh`echo $$`)).out),
    close: session.close,
  }
}

const byShell = (run: string): Holder => ({
  by: 'shell',
  owner: { run, user: 'ann', controller: 'clinic', since: '2026-03-02T08:00:00.000Z' },
})

const WAYS = [...SHELLS.map(shell => [shell, undefined] as const), ['dash', bare] as const]

describe.concurrent.each(WAYS)('lock in %s with tools of %s', (shell, path) => {
  const open = (run: string, folder: string): Promise<Controller> => controller(run, folder, shell, path)

  test('is had by one run, and the other is told by whom', async ({ expect }) => {
    const folder = newFolder()
    const [first, second] = [await open('r1', folder), await open('r2', folder)]
    expect(await first.who()).toBeUndefined()
    expect(await first.take()).toBeUndefined()
    expect(await second.take()).toEqual(byShell('r1'))
    const { code } = await first.ask(sh`command -v flock`)
    expect(existsSync(`${lockFile(folder)}.d`)).toBe(code !== 0)
    expect(await second.who()).toEqual(byShell('r1'))
    await first.ask(sh`:`)
    expect(await second.take()).toEqual(byShell('r1'))
    await first.close()
    expect(await second.who()).toBeUndefined()
    expect(await second.take()).toBeUndefined()
    await second.close()
    expect(existsSync(lockFile(folder))).toBe(false)
  })

  test('ends with a shell that is killed', async ({ expect }) => {
    const folder = newFolder()
    const [first, second] = [await open('r1', folder), await open('r2', folder)]
    expect(await first.take()).toBeUndefined()
    process.kill(await first.pid(), 'SIGKILL')
    expect(await second.take({ seconds: 2 })).toBeUndefined()
    await second.close()
  })

  test('is not kept by what a part leaves in the background', async ({ expect }) => {
    const folder = newFolder()
    const [first, second] = [await open('r1', folder), await open('r2', folder)]
    expect(await first.take()).toBeUndefined()
    await first.ask(
      sh`sleep 30 >/dev/null 2>&1 & echo $! >${join(base, `bg-${shell}-${path === undefined}`)}`,
    )
    await first.close()
    expect(await second.take()).toBeUndefined()
    process.kill(Number(readFileSync(join(base, `bg-${shell}-${path === undefined}`), 'utf8')))
    await second.close()
  })

  test('can be waited for', async ({ expect }) => {
    const folder = newFolder()
    const [first, second] = [await open('r1', folder), await open('r2', folder)]
    expect(await first.take()).toBeUndefined()
    const waiting = second.take({ seconds: 9 })
    await first.ask(sh`sleep 1`)
    await first.close()
    expect(['again', undefined]).toContain(await waiting)
    expect(await second.take()).toBeUndefined()
    await second.close()
  })

  test('can be stolen, which ends the shell of the other run', async ({ expect }) => {
    const folder = newFolder()
    const [first, second] = [await open('r1', folder), await open('r2', folder)]
    expect(await first.take()).toBeUndefined()
    expect(['again', undefined]).toContain(await second.take({ steal: true }))
    expect(await second.take()).toBeUndefined()
    await expect(first.ask(sh`:`)).rejects.toMatchObject({ stage: 'lost' })
    await second.close()
  })

  test('can be stolen from a shell that is at work, which notices at once', async ({ expect }) => {
    const folder = newFolder()
    const [first, second] = [await open('r1', folder), await open('r2', folder)]
    expect(await first.take()).toBeUndefined()
    const work = first.ask(sh`while sleep 1; do :; done`)
    const lost = expect(work).rejects.toMatchObject({ stage: 'lost' })
    expect(['again', undefined]).toContain(await second.take({ steal: true }))
    await lost
    await second.close()
  })

  test('is taken over from another shell of the same run', async ({ expect }) => {
    const folder = newFolder()
    const [first, second] = [await open('r1', folder), await open('r1', folder)]
    expect(await first.take()).toBeUndefined()
    expect(['again', undefined]).toContain(await second.take())
    expect(await second.take()).toBeUndefined()
    await first.close()
    await second.close()
  })

  test('is taken over from a shell of the same run that is at work, and the work goes on', async ({
    expect,
  }) => {
    const folder = newFolder()
    const [first, second] = [await open('r1', folder), await open('r1', folder)]
    expect(await first.take()).toBeUndefined()
    const done = join(folder, 'done')
    void first.ask(sh`sleep 6; echo yes >${done}`).catch(() => undefined)
    expect(['again', undefined]).toContain(await second.take())
    expect(existsSync(done)).toBe(false)
    await second.ask(sh`for i in 1 2 3 4 5 6 7 8 9; do [ ! -e ${done} ] || break; sleep 1; done`)
    expect(existsSync(done)).toBe(true)
    await first.close()
    await second.close()
  })

  test('is shared by the names that one run has for a machine, until the one that took it lets go', async ({
    expect,
  }) => {
    const folder = newFolder()
    const [first, second, other] = [
      await open('r1', folder),
      await open('r1', folder),
      await open('r2', folder),
    ]
    expect(await first.take()).toBeUndefined()
    expect(await second.take({ name: 'alias' })).toBeUndefined()
    expect(await other.who()).toMatchObject({ owner: { run: 'r1' } })
    expect((await first.ask(sh`echo there`)).out).toBe('there\n')
    await first.close()
    expect(await second.take({ name: 'alias', again: true })).toBeUndefined()
    expect(await other.take()).toEqual(byShell('r1'))
    expect((await second.ask(sh`echo there`)).out).toBe('there\n')
    await second.close()
    await other.close()
  })

  test('is not taken back where another run has had it since', async ({ expect }) => {
    const folder = newFolder()
    const first = await open('r1', folder)
    expect(await first.take()).toBeUndefined()
    await first.close()
    const same = await open('r1', folder)
    expect(await same.take({ again: true })).toBeUndefined()
    await same.close()
    const other = await open('r2', folder)
    expect(await other.take()).toBeUndefined()
    await other.close()
    const back = await open('r1', folder)
    expect(await back.take({ again: true })).toMatchObject({ by: 'shell', owner: { run: 'r2' } })
    await back.close()
    const third = await open('r3', folder)
    expect(await third.take()).toBeUndefined()
    await third.close()
  })

  test('is not to be had while a job of another run goes on', async ({ expect }) => {
    const folder = newFolder()
    const job = join(folder, 'r1-web', '1.0')
    mkdirSync(job, { recursive: true })
    const [first, second, own] = [
      await open('r1', folder),
      await open('r2', folder),
      await open('r1', folder),
    ]
    writeFileSync(join(job, 'pid'), `${await first.pid()}\n`)
    expect(await second.take()).toEqual({ by: 'job', job })
    expect(await second.who()).toEqual({ by: 'job', job })
    expect(await own.take()).toBeUndefined()
    await own.close()
    expect(await second.take({ steal: true })).toBeUndefined()
    writeFileSync(join(job, 'rc'), '0\n')
    expect(await first.who()).toEqual(byShell('r2'))
    await first.close()
    await second.close()
  })

  test('is not had where nothing can be kept', async ({ expect }) => {
    const file = join(base, `file-${shell}-${path === undefined}`)
    writeFileSync(file, '')
    const first = await open('r1', join(file, 'msingi'))
    await expect(first.take()).rejects.toMatchObject({ code: 'LOCK_UNUSABLE' })
    expect((await first.ask(sh`echo there`)).out).toBe('there\n')
    await first.close()
  })
})

describe('lock/words', () => {
  test('a word of the owner has no blank and is never empty', () => {
    expect(['a b', '', 'ann@clinic-1', 'ö\n'].map(lockWord)).toEqual(['a_b', '_', 'ann@clinic-1', '__'])
  })

  test('who lost it is told', () => {
    expect(readTaken('took r1 ann clinic 2026-03-02T08:00:00.000Z 17\n')).toMatchObject({ run: 'r1' })
    expect(readTaken('')).toBeUndefined()
  })

  test('under which other name the run holds the host is told', () => {
    expect(readShared('shared r1 ann clinic 2026-03-02T08:00:00.000Z web 17\n')).toBe('web')
    expect(readShared('held r1 ann clinic 2026-03-02T08:00:00.000Z web 17\n')).toBeUndefined()
  })

  test('a lock without text is held by somebody', () => {
    expect(readHolder('held \n')).toEqual({ by: 'shell', owner: undefined })
    expect(readHolder('')).toBeUndefined()
  })
})
