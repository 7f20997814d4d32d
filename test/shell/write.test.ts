import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { Completed } from '../../src/base/result.ts'
import { writeError, writeScript, type Write } from '../../src/shell/write.ts'
import type { ShellSession } from '../../src/transport/shell-session.ts'
import { openIn, SHELLS } from '../support/shells.ts'

const isRoot = process.getuid?.() === 0
let folder = ''
const folders: string[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'msingi-write-'))
  folders.push(folder)
})
afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true, force: true })
})

describe.each(SHELLS)('writeScript in %s', name => {
  let session: ShellSession
  async function write(wish: Partial<Write> & { path: string }): Promise<Completed> {
    session ??= await openIn(name)
    const script = writeScript({ content: 'new\n', ...wish })
    const [answer] = await session.exchange([{ script }], { deadlineMs: 8000 })
    if (!answer) throw new Error('no answer')
    return answer
  }
  afterAll(() => session.close())

  test.each([
    ['text', "it's\n$HOME `x` \\n %s ñ\n\n\n"],
    ['nothing', ''],
    ['a dash at the beginning', '-n x'],
    ['text with NUL', 'a\0b'],
    ['a large text', 'x y\n'.repeat(100_000)],
  ])('writes %s exactly', async (_what, content) => {
    const path = join(folder, 'a file')
    expect(await write({ path, content })).toMatchObject({ code: 0, out: '', err: '' })
    expect(readFileSync(path, 'utf8')).toBe(content)
    expect(readdirSync(folder)).toEqual(['a file'])
    expect(statSync(path).mode & 0o7777).toBe(0o644)
  })

  test('writes every byte there is', async () => {
    const content = Uint8Array.from({ length: 512 }, (_, i) => i % 256)
    const path = join(folder, 'bytes')
    await write({ path, content })
    expect(new Uint8Array(readFileSync(path))).toEqual(content)
    await write({ path, content: Uint8Array.from([0x2d, 0x2d]) })
    expect(readFileSync(path, 'utf8')).toBe('--')
  })

  test('takes a staged file and uses it up', async () => {
    const staged = join(folder, 'staged')
    writeFileSync(staged, 'from afar', { mode: 0o600 })
    const path = join(folder, 'file')
    await write({ path, content: { staged } })
    expect(readFileSync(path, 'utf8')).toBe('from afar')
    expect(existsSync(staged)).toBe(false)
    expect(statSync(path).mode & 0o777).toBe(0o644)
  })

  test.runIf(isRoot)('keeps owner and mode, or sets those that are given', async () => {
    const path = join(folder, 'file')
    writeFileSync(path, 'old')
    chownSync(path, 1234, 4321)
    chmodSync(path, 0o4751)
    await write({ path })
    expect(statSync(path)).toMatchObject({ uid: 1234, gid: 4321, mode: 0o104751 })
    await write({ path, owner: '77' })
    expect(statSync(path)).toMatchObject({ uid: 77, gid: 4321, mode: 0o104751 })
    await write({ path, group: 'daemon', mode: '0600' })
    expect(statSync(path)).toMatchObject({ uid: 77, gid: 1, mode: 0o100600 })
    await write({ path, mode: 'u+x,g=r' })
    expect(statSync(path).mode & 0o777).toBe(0o740)
    const fresh = join(folder, 'fresh')
    await write({ path: fresh, owner: 'daemon', mode: '640' })
    expect(statSync(fresh)).toMatchObject({ uid: 1, gid: 0, mode: 0o100640 })
  })

  test('writes the file that a link points to', async () => {
    const target = join(folder, 'target')
    writeFileSync(target, 'old')
    symlinkSync('target', join(folder, 'link'))
    symlinkSync('not-yet', join(folder, 'dangling'))
    await write({ path: join(folder, 'link') })
    await write({ path: join(folder, 'dangling') })
    expect(readFileSync(target, 'utf8')).toBe('new\n')
    expect(readdirSync(folder).sort()).toEqual(['dangling', 'link', 'not-yet', 'target'])
  })

  test('replaces a link that is not to be followed, whatever it points to', async () => {
    mkdirSync(join(folder, 'directory'))
    writeFileSync(join(folder, 'target'), 'old')
    for (const target of ['target', 'directory', 'nothing']) {
      const path = join(folder, `link-${target}`)
      symlinkSync(target, path)
      expect(await write({ path, follow: false, backup: join(folder, 'backup') })).toMatchObject({ code: 0 })
      expect(lstatSync(path).isFile()).toBe(true)
      expect(statSync(path).mode & 0o7777).toBe(0o644)
    }
    expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('old')
    expect(readdirSync(join(folder, 'directory'))).toEqual([])
  })

  test('keeps the replaced file in the backup directory', async () => {
    const path = join(folder, 'file')
    writeFileSync(path, 'old', { mode: 0o640 })
    const backup = join(folder, 'backup/run 1')
    expect(await write({ path, backup })).toMatchObject({ code: 0 })
    const kept = join(backup, path)
    expect(readFileSync(kept, 'utf8')).toBe('old')
    expect(statSync(kept).mode & 0o777).toBe(0o640)
    expect(statSync(backup).mode & 0o777).toBe(0o700)
    expect(await write({ path: join(folder, 'fresh'), backup })).toMatchObject({ code: 0 })
  })

  test('keeps what was there before the run, not what it wrote in between', async () => {
    const path = join(folder, 'file')
    const spare = join(folder, 'backup/run')
    writeFileSync(path, 'old')
    for (const content of ['first', 'second']) await write({ path, spare, content })

    expect(readFileSync(join(spare, path), 'utf8')).toBe('old')
    expect(readdirSync(join(spare, folder))).toEqual(['file'])
  })

  test('does without a copy of a large file, or where there is no place for one', async () => {
    const path = join(folder, 'file')
    writeFileSync(path, Buffer.alloc(5 * 1024 * 1024))
    expect(await write({ path, spare: join(folder, 'backup/run') })).toMatchObject({ code: 0 })
    expect(await write({ path, spare: '/proc/nowhere/run' })).toMatchObject({ code: 0, err: '' })
    expect(existsSync(join(folder, 'backup/run', path))).toBe(false)
    expect(await write({ path, backup: '/proc/nowhere/run' })).toMatchObject({ code: 73 })
  })

  test('keeps the files of the last twenty runs', async () => {
    const path = join(folder, 'file')
    writeFileSync(path, 'old')
    for (let run = 10; run < 35; run += 1) mkdirSync(join(folder, `backup/${run}`), { recursive: true })
    await write({ path, spare: join(folder, 'backup/35') })

    const runs = readdirSync(join(folder, 'backup'))
    expect(runs).toHaveLength(20)
    expect(runs).toContain('35')
    expect(runs).not.toContain('15')
  })

  test('validates the new file before it takes its place', async () => {
    const path = join(folder, 'a "file"')
    writeFileSync(path, 'old')
    for (const validate of ['grep -q new %s', "grep -q new '%s'", 'grep -q new "%s"']) {
      expect(await write({ path, validate })).toMatchObject({ code: 0 })
    }
    const refused = await write({ path, content: 'bad', validate: 'cat %s; echo wrong >&2; exit 1' })
    expect(writeError(refused, path)).toMatchObject({
      code: 'INVALID_CONTENT',
      message: expect.stringContaining('bad') as string,
    })
    const broken = await write({ path, content: 'bad', validate: 'if' })
    expect(writeError(broken, path)).toMatchObject({ code: 'INVALID_CONTENT' })
    expect(readFileSync(path, 'utf8')).toBe('new\n')
    expect(readdirSync(folder)).toEqual(['a "file"'])
  })

  test('says why it cannot write, and leaves nothing behind', async () => {
    mkdirSync(join(folder, 'directory'))
    const cases: [Partial<Write> & { path: string }, string][] = [
      [{ path: join(folder, 'no/such/file') }, 'NO_DIRECTORY'],
      [{ path: join(folder, 'directory') }, 'IS_DIRECTORY'],
      [{ path: join(folder, 'file'), owner: 'nobody-of-that-name' }, 'BAD_OWNER'],
      [{ path: join(folder, 'file'), mode: 'u=q' }, 'BAD_MODE'],
      [{ path: join(folder, 'file'), content: { staged: '/no/such' } }, 'NOT_WRITTEN'],
    ]
    for (const [wish, code] of cases) {
      const answer = await write(wish)
      expect(answer.code, code).not.toBe(0)
      expect(writeError(answer, wish.path)?.code).toBe(code)
    }
    expect(readdirSync(folder)).toEqual(['directory'])
  })

  test.runIf(isRoot)('survives a full, a read-only and a busy file system', async () => {
    const mount = join(folder, 'small')
    mkdirSync(mount)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,nr_inodes=10', 'msingi-test', mount])
    try {
      const path = join(mount, 'file')
      writeFileSync(path, 'old')
      const full = await write({ path, content: 'x'.repeat(200_000) })
      expect(writeError(full, path)?.code).toBe('NO_SPACE')
      expect(readFileSync(path, 'utf8')).toBe('old')
      expect(readdirSync(mount)).toEqual(['file'])
      execFileSync('mount', ['-o', 'remount,ro', mount])
      expect(writeError(await write({ path }), path)?.code).toBe('READ_ONLY')
    } finally {
      execFileSync('umount', [mount])
    }
    const bound = join(folder, 'bound')
    writeFileSync(bound, 'old')
    execFileSync('mount', ['--bind', bound, bound])
    try {
      expect(writeError(await write({ path: bound }), bound)?.code).toBe('BUSY')
      expect(readFileSync(bound, 'utf8')).toBe('old')
    } finally {
      execFileSync('umount', [bound])
    }
    expect(readdirSync(folder).sort()).toEqual(['bound', 'small'])
  })

  test('removes what an earlier write of the file left when the host went down, and nothing else', async () => {
    const kept = ['.a [b].msingi-Abc12', '.a [b].msingi-Abc1234', '.ab.msingi-Abc123', '.other.msingi-Abc123']
    for (const left of [...kept, '.a [b].msingi-Abc123', '.a [b].msingi-dEf456'])
      writeFileSync(join(folder, left), 'half')
    mkdirSync(join(folder, '.a [b].msingi-folder'))
    symlinkSync('/etc/passwd', join(folder, '.a [b].msingi-links0'))
    expect(await write({ path: join(folder, 'a [b]') })).toMatchObject({ code: 0, out: '', err: '' })
    expect(readdirSync(folder).sort()).toEqual(
      [...kept, '.a [b].msingi-folder', '.a [b].msingi-links0', 'a [b]'].sort(),
    )
  })

  test('removes the temporary file when it is interrupted', async () => {
    const path = join(folder, 'file')
    const answer = await write({ path, validate: 'kill $PPID; sleep 0.1' })
    expect(answer.code).not.toBe(0)
    expect(readdirSync(folder)).toEqual([])
  })
})

test('writeScript refuses a relative path', () => {
  expect(() => writeScript({ path: 'etc/passwd', content: '' })).toThrow(RangeError)
})

test('writeError reads a failure that carries no code', () => {
  const answer = { code: 2, out: '', err: 'sh: syntax error', encoding: 'utf8', ms: 0 } as const
  expect(writeError(answer, '/etc/x')).toMatchObject({ code: 'NOT_WRITTEN' })
  expect(writeError({ ...answer, code: 0 }, '/etc/x')).toBeUndefined()
})
