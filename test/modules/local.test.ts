import {
  chmodSync,
  linkSync,
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
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { removalScript } from '../../src/modules/_removal.ts'
import { blockinfile } from '../../src/modules/blockinfile.ts'
import { copy } from '../../src/modules/copy.ts'
import { file } from '../../src/modules/file.ts'
import { lineinfile } from '../../src/modules/lineinfile.ts'
import { stat } from '../../src/modules/stat.ts'
import { template } from '../../src/modules/template.ts'
import type { AnyModule } from '../../src/modules/module.ts'
import { lines, sh } from '../../src/shell/sh.ts'
import { localFile, localTree } from '../support/cases.ts'
import { execute, localShells, runTask, temporaryFolder, type Done } from '../support/local-host.ts'

const top = temporaryFolder()
const applets = mkdtempSync(join(top, 'busybox-'))
afterAll(() => rmSync(top, { recursive: true }))

/** Odd names are no exception: every test works below a folder that has one. */
let root: string
beforeEach(() => {
  root = mkdtempSync(join(top, "it's $HOME "))
})

describe.each(localShells(applets))('modules/local with $name', shell => {
  const run = (module: AnyModule, params: unknown): Done => runTask(module, params, shell)

  /** Applies twice: the first time something differs, the second time nothing does. */
  function converges(module: AnyModule, params: unknown): Done {
    const first = run(module, params)
    expect(first.found).not.toEqual([])
    expect(first.left).toEqual([])
    expect(run(module, params).found).toEqual([])
    return first
  }

  test('file makes a folder with its parents and closes it', () => {
    const path = join(root, 'a/b')
    converges(file, { path, state: 'directory', mode: '2750' })

    expect(modeOf(path)).toBe('2750')
    converges(file, { path, state: 'directory', mode: '0755' })
    expect(modeOf(path)).toBe('755')
  })

  test('file sets the mode of all below a folder', () => {
    mkdirSync(join(root, 'sub'))
    writeFileSync(join(root, 'sub/run.sh'), '', { mode: 0o777 })
    writeFileSync(join(root, 'a\nb'), '', { mode: 0o600 })
    symlinkSync('/etc/passwd', join(root, 'link'))
    converges(file, { path: root, state: 'directory', mode: 'u=rwX,g=rX,o=', recurse: true })

    expect(modeOf(join(root, 'sub'))).toBe('750')
    expect(modeOf(join(root, 'sub/run.sh'))).toBe('750')
    expect(modeOf(join(root, 'a\nb'))).toBe('640')
    expect(modeOf('/etc/passwd')).not.toBe('640')
  })

  test('file makes, moves and forces links', () => {
    mkdirSync(join(root, 'v1'))
    mkdirSync(join(root, 'v2'))
    const path = join(root, 'current')
    converges(file, { path, src: 'v1', state: 'link' })
    converges(file, { path, src: 'v2', state: 'link' })

    expect(readlinkSync(path)).toBe('v2')
    expect(readdirSync(join(root, 'v1'))).toEqual([])
    converges(file, { path, src: 'nowhere', state: 'link', force: true })
    mkdirSync(join(root, 'empty'))
    converges(file, { path: join(root, 'empty'), src: 'v1', state: 'link', force: true })
    expect(readdirSync(root).sort()).toEqual(['current', 'empty', 'v1', 'v2'])
  })

  test('file makes hard links and takes the place of another file', () => {
    writeFileSync(join(root, 'a'), 'a')
    writeFileSync(join(root, 'b'), 'b')
    converges(file, { path: join(root, 'c'), src: join(root, 'a'), state: 'hard' })
    converges(file, { path: join(root, 'b'), src: join(root, 'a'), state: 'hard', force: true })

    expect(statSync(join(root, 'b')).ino).toBe(statSync(join(root, 'a')).ino)
    expect(statSync(join(root, 'a')).nlink).toBe(3)
  })

  test('file touches, and removes what is there', () => {
    const path = join(root, 'x')
    const first = run(file, { path, state: 'touch', mode: '0600' })

    expect([first.found.length, first.left]).toEqual([1, []])
    expect(run(file, { path, state: 'touch' }).found.map(change => change.kind)).toEqual(['times'])
    converges(file, { path, state: 'absent' })
    mkdirSync(join(root, 'full/of/things'), { recursive: true })
    converges(file, { path: join(root, 'full'), state: 'absent' })
    expect(readdirSync(root)).toEqual([])
  })

  test('file keeps a folder with a mount below', () => {
    const harmless = (path: string) =>
      execute(lines(sh`rm() { echo removed; }`, removalScript(path, true)), shell)

    expect(harmless('/')).toMatchObject({ code: 1, out: '' })
    expect(harmless('/proc')).toMatchObject({ code: 1, out: '' })
    expect(harmless(join(root, 'x'))).toMatchObject({ code: 0, out: 'removed\n' })
  })

  test('copy writes, replaces, and puts a file into a folder', () => {
    const dest = join(root, 'a.conf')
    converges(copy, { content: 'one\n', dest, mode: '0600' })
    converges(copy, { content: "two ' \\ %s\n", dest })

    expect(readFileSync(dest, 'utf8')).toBe("two ' \\ %s\n")
    expect(modeOf(dest)).toBe('600')
    converges(copy, {
      src: localFile(Buffer.from([0, 255, 10])),
      dest: `${root}/new/folder/`,
      directory_mode: '0700',
    })
    expect(readFileSync(join(root, 'new/folder/example'))).toEqual(Buffer.from([0, 255, 10]))
    expect(modeOf(join(root, 'new'))).toBe('700')
    converges(copy, { src: localFile('x'), dest: root })
    expect(readFileSync(join(root, 'example'), 'utf8')).toBe('x')
  })

  test('copy replaces a link by a file, or writes to where it leads', () => {
    writeFileSync(join(root, 'real'), 'old')
    symlinkSync('real', join(root, 'link'))
    converges(copy, { content: 'new', dest: join(root, 'link'), follow: true, mode: '0640' })

    expect(readFileSync(join(root, 'real'), 'utf8')).toBe('new')
    expect(modeOf(join(root, 'real'))).toBe('640')
    converges(copy, { content: 'newer', dest: join(root, 'link') })
    expect(readFileSync(join(root, 'real'), 'utf8')).toBe('new')
    expect(lstatSync(join(root, 'link')).isFile()).toBe(true)
    expect(modeOf(join(root, 'link'))).toBe('644')
  })

  test('copy brings a whole folder', () => {
    const src = localTree([
      { name: 'a.conf', kind: 'file', content: 'a\n' },
      { name: 'sub', kind: 'directory', mode: '750' },
      { name: 'sub/run.sh', kind: 'file', mode: '755', content: 'b\n' },
      { name: 'sub/link', kind: 'link', target: 'run.sh' },
    ])
    converges(copy, { src, dest: root, mode: 'preserve' })

    expect(modeOf(join(root, 'example/sub/run.sh'))).toBe('755')
    expect(modeOf(join(root, 'example/sub'))).toBe('750')
    expect(readlinkSync(join(root, 'example/sub/link'))).toBe('run.sh')
    rmSync(join(root, 'example/sub/run.sh'))
    const again = converges(copy, { src, dest: root, mode: 'preserve' })
    expect(again.found.map(change => change.what)).toEqual([join(root, 'example/sub/run.sh')])
  })

  test('copy copies on the host, and checks before it replaces', () => {
    writeFileSync(join(root, 'a'), 'one', { mode: 0o640 })
    chmodSync(join(root, 'a'), 0o640)
    converges(copy, { src: join(root, 'a'), dest: join(root, 'b'), remote_src: true, mode: 'preserve' })

    expect([readFileSync(join(root, 'b'), 'utf8'), modeOf(join(root, 'b'))]).toEqual(['one', '640'])
    writeFileSync(join(root, 'a'), 'two')
    const checked = { src: join(root, 'a'), dest: join(root, 'b'), remote_src: true, validate: 'grep one %s' }
    expect(() => run(copy, checked)).toThrow('status 1')
    expect(readFileSync(join(root, 'b'), 'utf8')).toBe('one')
    expect(() => run(copy, { content: 'two', dest: join(root, 'b'), validate: 'grep one %s' })).toThrow(
      'INVALID',
    )
    expect(readdirSync(root).sort()).toEqual(['a', 'b'])
  })

  test('template writes text', () => {
    converges(template, { src: 'a\nb\n', dest: join(root, 't'), newline_sequence: String.raw`\r\n` })

    expect(readFileSync(join(root, 't'), 'utf8')).toBe('a\r\nb\r\n')
  })

  test('lineinfile edits a file of odd bytes and keeps them', () => {
    const path = join(root, 'x')
    writeFileSync(path, Buffer.from('gr\xFCn\nUMASK 022\n', 'latin1'), { mode: 0o640 })
    chmodSync(path, 0o640)
    converges(lineinfile, { path, regexp: '^UMASK', line: 'UMASK 027' })

    expect(readFileSync(path, 'latin1')).toBe('gr\xFCn\nUMASK 027\n')
    expect(modeOf(path)).toBe('640')
    converges(lineinfile, { path, regexp: '^gr', state: 'absent' })
    converges(lineinfile, { path: join(root, 'new'), line: 'a', create: true })
    expect(readFileSync(join(root, 'new'), 'utf8')).toBe('a\n')
  })

  test('blockinfile adds, changes and removes a block', () => {
    const path = join(root, 'hosts')
    writeFileSync(path, '127.0.0.1 localhost')
    converges(blockinfile, { path, block: 'a\nb' })
    converges(blockinfile, { path, block: 'c' })

    expect(readFileSync(path, 'utf8')).toMatch(/^127\.0\.0\.1 localhost\n# BEGIN .*\nc\n# END .*\n$/)
    converges(blockinfile, { path, state: 'absent' })
    expect(readFileSync(path, 'utf8')).toBe('127.0.0.1 localhost\n')
  })

  test('stat tells about files and links', () => {
    writeFileSync(join(root, 'a'), 'hello\n', { mode: 0o600 })
    linkSync(join(root, 'a'), join(root, 'b'))
    symlinkSync('a', join(root, 'link'))
    const told = (path: string, more: object = {}): unknown =>
      run(stat, { path: join(root, path), ...more }).result['stat']

    expect(told('a')).toMatchObject({
      exists: true,
      isreg: true,
      mode: '0600',
      nlink: 2,
      size: 6,
      checksum: '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03',
    })
    expect(told('link')).toMatchObject({ islnk: true, lnk_target: 'a', lnk_source: join(root, 'a') })
    expect(told('link', { follow: true, checksum_algorithm: 'sha1' })).toMatchObject({
      isreg: true,
      checksum: 'f572d396fae9206628714fb2ce00f72e94f2258f',
    })
    expect(told('nope')).toEqual({ exists: false })
  })
})

function modeOf(path: string): string {
  return (statSync(path).mode & 0o7777).toString(8)
}
