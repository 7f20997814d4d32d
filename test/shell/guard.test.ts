import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { Completed } from '../../src/base/result.ts'
import {
  armScript,
  disarmScript,
  readFate,
  requireArmed,
  takeBackScript,
  widenScript,
  type Scope,
} from '../../src/shell/guard.ts'
import { GUARDS } from '../../src/shell/guard-script.ts'
import { sh, type Sh } from '../../src/shell/sh.ts'
import type { ShellSession } from '../../src/transport/shell-session.ts'
import { openIn, SHELLS } from '../support/shells.ts'

const NOTHING: Scope = { paths: [], trees: [], units: [], sysctls: [], domains: [], effects: [] }
const made: string[] = []
let folder = ''
/** What would be `/etc`. */
let etc = ''
let guards = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'msingi-guard-'))
  made.push(folder)
  guards = join(folder, 'guard')
  etc = join(folder, 'etc')
  mkdirSync(etc)
})
afterAll(() => {
  for (const one of made) rmSync(one, { recursive: true, force: true })
})

describe.each(SHELLS)('a guard in %s', name => {
  let session: ShellSession
  afterAll(() => session.close())

  /** Runs the part with its places on this machine moved into the folder; systemd stays out of it. */
  async function run(script: Sh): Promise<Completed> {
    session ??= await openIn(name)
    const text = script.text.replaceAll(GUARDS, guards).replaceAll('/run/systemd/system', '/nowhere')
    const [answer] = await session.exchange([{ script: sh`eval ${text}` }], { deadlineMs: 20_000 })
    if (!answer) throw new Error('no answer')
    return answer
  }
  const arm = async (scope: Partial<Scope>, seconds = 60): Promise<void> => {
    requireArmed(await run(armScript({ token: 't1', task: 'the task', seconds }, { ...NOTHING, ...scope })))
  }
  const takeBack = async (): Promise<Completed> => run(takeBackScript({ token: 't1' }))

  test('puts a file back with content, mode and nothing else beside it', async () => {
    const path = join(etc, 'a file')
    writeFileSync(path, 'old\n')
    chmodSync(path, 0o640)
    await arm({ paths: [path] })
    writeFileSync(path, 'new\n')
    chmodSync(path, 0o777)

    expect(readFate(await takeBack())).toMatchObject({ is: 'taken back', did: [`put back ${path}`] })
    expect(readFileSync(path, 'utf8')).toBe('old\n')
    expect(statSync(path).mode & 0o7777).toBe(0o640)
    expect(readdirSync(etc)).toEqual(['a file'])
  })

  test('removes a file that was not there, and the folder that was made for it', async () => {
    const [inside, path] = [join(etc, 'sub'), join(etc, 'sub/file')]
    await arm({ paths: [inside, path] })
    mkdirSync(inside)
    writeFileSync(path, 'new\n')
    await takeBack()

    expect(readdirSync(etc)).toEqual([])
  })

  test('puts back a file that was removed with its folder', async () => {
    const path = join(etc, 'sub/file')
    mkdirSync(join(etc, 'sub'))
    writeFileSync(path, 'old\n')
    await arm({ paths: [path] })
    rmSync(join(etc, 'sub'), { recursive: true })
    await takeBack()

    expect(readFileSync(path, 'utf8')).toBe('old\n')
  })

  test('puts back links, and what they lead to', async () => {
    const [link, file] = [join(etc, 'link'), join(etc, 'file')]
    writeFileSync(file, 'old\n')
    symlinkSync('file', link)
    await arm({ paths: [link] })
    writeFileSync(link, 'through the link\n')
    rmSync(link)
    writeFileSync(link, 'a file now\n')
    await takeBack()

    expect(readlinkSync(link)).toBe('file')
    expect(readFileSync(file, 'utf8')).toBe('old\n')
  })

  test('makes a tree what it was', async () => {
    const tree = join(etc, 'conf.d')
    mkdirSync(join(tree, 'sub'), { recursive: true })
    writeFileSync(join(tree, 'stays'), 'same\n')
    writeFileSync(join(tree, 'sub/changed'), 'old\n')
    chmodSync(join(tree, 'sub'), 0o711)
    const before = statSync(join(tree, 'stays')).ino
    await arm({ trees: [tree] })
    writeFileSync(join(tree, 'sub/changed'), 'new\n')
    chmodSync(join(tree, 'sub'), 0o755)
    mkdirSync(join(tree, 'more'))
    writeFileSync(join(tree, 'more/it is'), 'new\n')
    symlinkSync('stays', join(tree, 'link'))
    await takeBack()

    expect(new Set(readdirSync(tree, { recursive: true, encoding: 'utf8' }))).toEqual(
      new Set(['stays', 'sub', 'sub/changed']),
    )
    expect(readFileSync(join(tree, 'sub/changed'), 'utf8')).toBe('old\n')
    expect(statSync(join(tree, 'sub')).mode & 0o7777).toBe(0o711)
    expect(statSync(join(tree, 'stays')).ino).toBe(before)
  })

  test('leaves alone what is below a folder of which only the mode was kept', async () => {
    chmodSync(etc, 0o755)
    await arm({ paths: [etc] })
    chmodSync(etc, 0o700)
    writeFileSync(join(etc, 'of somebody else'), '')
    await takeBack()

    expect(statSync(etc).mode & 0o7777).toBe(0o755)
    expect(readdirSync(etc)).toEqual(['of somebody else'])
  })

  test('keeps the change once that is said, and leaves no copy', async () => {
    const path = join(etc, 'file')
    await arm({ paths: [path] })
    writeFileSync(path, 'new\n')

    expect(readFate(await run(disarmScript({ token: 't1' }, [])))).toEqual({ is: 'kept' })
    expect(readFate(await takeBack())).toEqual({ is: 'unknown' })
    expect(readFileSync(path, 'utf8')).toBe('new\n')
    expect(readdirSync(guards)).toEqual(['last-kept'])
  })

  test('that is kept once more says the same again', async () => {
    await arm({})
    await run(disarmScript({ token: 't1' }, []))
    expect(readFate(await run(disarmScript({ token: 't1' }, [])))).toEqual({ is: 'kept' })
  })

  test('takes the change back by itself when its time is over, and tells whoever comes then', async () => {
    const path = join(etc, 'file')
    await arm({ paths: [path] }, 3)
    writeFileSync(path, 'new\n')
    for (let tries = 0; tries < 80 && existsSync(path); tries += 1) await run(sh`sleep 0.2`)

    expect(existsSync(path)).toBe(false)
    const late = await run(disarmScript({ token: 't1' }, []))
    expect(readFate(late)).toEqual({ is: 'taken back', did: [`removed ${path}`], along: [] })
    expect(readFileSync(join(guards, 'told-t1/why'), 'utf8')).toBe('nobody came back in time\n')
  })

  test('does not count the time that the disk takes', async () => {
    const path = join(etc, 'file')
    const slow = sh`sync() { sleep 3; }; ${armScript({ token: 't1', task: 'the task', seconds: 3 }, { ...NOTHING, paths: [path] })}`
    requireArmed(await run(slow))
    writeFileSync(path, 'new\n')

    expect(readFate(await run(disarmScript({ token: 't1' }, [])))).toEqual({ is: 'kept' })
  })

  test('keeps more before a further change', async () => {
    const [first, second] = [join(etc, 'first'), join(etc, 'second')]
    writeFileSync(first, 'old\n')
    await arm({ paths: [first] })
    writeFileSync(first, 'new\n')
    expect(await run(widenScript({ token: 't1' }, { ...NOTHING, paths: [first, second] }))).toMatchObject({
      code: 0,
      err: '',
    })
    writeFileSync(second, 'new\n')
    await takeBack()

    expect(readFileSync(first, 'utf8')).toBe('old\n')
    expect(existsSync(second)).toBe(false)
  })

  test('puts back the first state, though what was kept later holds what came in between', async () => {
    const [changed, added] = [join(etc, 'changed'), join(etc, 'added')]
    writeFileSync(changed, 'old\n')
    await arm({ paths: [changed, added] })
    writeFileSync(changed, 'new\n')
    writeFileSync(added, 'new\n')
    await run(widenScript({ token: 't1' }, { ...NOTHING, trees: [etc] }))
    writeFileSync(changed, 'newer\n')
    writeFileSync(join(etc, 'more'), 'newer\n')
    await takeBack()

    expect(readFileSync(changed, 'utf8')).toBe('old\n')
    expect(readdirSync(etc)).toEqual(['changed'])
  })

  test('takes along what waited for this change to be put into effect, the newest first', async () => {
    const path = join(etc, 'file')
    for (const content of ['first\n', 'second\n']) {
      await arm({ paths: [path], domains: ['sshd'] })
      writeFileSync(path, content)
      await run(disarmScript({ token: 't1' }, ['sshd']))
    }
    await arm({ domains: ['sshd'], effects: ['sshd'] })

    expect(readFate(await takeBack())).toMatchObject({ is: 'taken back', along: ['the task', 'the task'] })
    expect(existsSync(path)).toBe(false)
    expect(readdirSync(guards).filter(entry => entry.startsWith('waiting'))).toEqual([])
  })

  test('has nothing wait any more once it is in effect', async () => {
    const path = join(etc, 'file')
    await arm({ paths: [path], domains: ['sshd'] })
    writeFileSync(path, 'new\n')
    await run(disarmScript({ token: 't1' }, ['sshd']))
    await arm({ domains: ['sshd'], effects: ['sshd'] })
    await run(disarmScript({ token: 't1' }, []))

    expect(readdirSync(guards)).toEqual(['last-kept'])
  })

  test('is not armed beside another one', async () => {
    await arm({})
    const answer = await run(armScript({ token: 't2', task: 'another', seconds: 60 }, NOTHING))
    expect(() => requireArmed(answer)).toThrow(expect.objectContaining({ code: 'GUARD_UNARMED' }))
    await takeBack()
  })

  test('is not armed where there is too much to keep', async () => {
    const tree = join(etc, 'large')
    mkdirSync(tree)
    writeFileSync(join(tree, 'file'), Buffer.alloc(70 * 1024 * 1024))
    const answer = await run(
      armScript({ token: 't1', task: 'large', seconds: 60 }, { ...NOTHING, trees: [tree] }),
    )

    expect(() => requireArmed(answer)).toThrow(expect.objectContaining({ code: 'GUARD_UNARMED' }))
    expect(readdirSync(guards)).toEqual([])
  })

  test('goes on where it was ended in the middle of its work', async () => {
    const path = join(etc, 'file')
    writeFileSync(path, 'old\n')
    await arm({ paths: [path] })
    writeFileSync(path, 'new\n')
    await run(sh`mv ${guards}/armed ${guards}/reverting; sh ${guards}/reverting/program boot`)

    expect(readFileSync(path, 'utf8')).toBe('old\n')
    expect(lstatSync(join(guards, 'taken-back-t1')).isDirectory()).toBe(true)
  })
})
