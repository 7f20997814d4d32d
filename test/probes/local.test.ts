import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { checksumFamily } from '../../src/probes/checksum.ts'
import { offendersFamily } from '../../src/probes/offenders.ts'
import type { Family } from '../../src/probes/probe.ts'
import { statFamily } from '../../src/probes/stat.ts'
import { textFamily } from '../../src/probes/text.ts'
import { sh } from '../../src/shell/sh.ts'
import { execute, localShells, temporaryFolder } from '../support/local-host.ts'

const top = temporaryFolder()
const applets = join(top, 'busybox')
mkdirSync(applets)
const root = join(top, "odd 'names' $(x) *")
mkdirSync(join(root, 'closed/below'), { recursive: true })
writeFileSync(join(root, 'hello'), 'hello\n', { mode: 0o4750 })
chmodSync(join(root, 'hello'), 0o4750)
writeFileSync(join(root, '-n'), '')
writeFileSync(join(root, 'bytes'), Buffer.from([0, 0xff, 10, 10]))
writeFileSync(join(root, 'secret'), 'x', { mode: 0o600 })
symlinkSync('hello', join(root, 'link'))
symlinkSync('odd\ntarget', join(root, 'dangling'))
symlinkSync('closed/below', join(root, 'into-closed'))
chmodSync(join(root, 'closed'), 0o700)
chmodSync(top, 0o755)
chmodSync(root, 0o755)
afterAll(() => rmSync(top, { recursive: true }))

const at = (name: string): string => join(root, name)
/** Runs a command as a user who owns nothing; only root can. */
const DROP = ['/usr/bin/setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
const HELLO = '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03'

describe.each(localShells(applets))('probes/local with $name', shell => {
  function ask<A, T>(family: Family<A, T>, ...args: readonly A[]): readonly T[] {
    return family.parse(execute(family.script(args), shell), args)
  }

  test('stat tells each path apart', () => {
    const found = ask(
      statFamily,
      at('hello'),
      at('nope'),
      root,
      at('link'),
      at('dangling'),
      at('hello/x'),
      at('-n'),
    )

    expect(found).toMatchObject([
      { kind: 'file', mode: '4750', size: 6 },
      null,
      { kind: 'directory', mode: '0755' },
      { kind: 'link', target: 'hello', real: at('hello'), leadsTo: { kind: 'file', mode: '4750' } },
      { kind: 'link', target: 'odd\ntarget' },
      null,
      { kind: 'file', size: 0 },
    ])
  })

  test('checksums come in order, each of its sort', () => {
    const found = ask(
      checksumFamily,
      { path: at('hello') },
      { path: root },
      { path: at('hello'), algorithm: 'md5' },
      { path: at('link') },
      { path: at('nope') },
    )

    expect(found).toEqual([HELLO, null, 'b1946ac92492d2347c6235b4d2611184', HELLO, null])
  })

  test('texts come in order, byte for byte', () => {
    const found = ask(textFamily, at('hello'), at('nope'), at('bytes'), at('-n'), root)

    expect(found).toEqual([
      { text: 'hello\n', encoding: 'utf8' },
      null,
      { text: '\0\xFF\n\n', encoding: 'latin1' },
      { text: '', encoding: 'utf8' },
      null,
    ])
  })

  test('texts that are packed on the way are the same', () => {
    const folder = temporaryFolder()
    const long = '# a word\n'.repeat(500)
    const bytes = Buffer.from(Array.from({ length: 4000 }, (_, index) => index % 256))
    writeFileSync(join(folder, 'long'), long)
    writeFileSync(join(folder, 'many bytes'), bytes)
    const found = ask(textFamily, join(folder, 'long'), at('nope'), join(folder, 'many bytes'), at('hello'))
    rmSync(folder, { recursive: true })

    expect(found).toEqual([
      { text: long, encoding: 'utf8' },
      null,
      { text: bytes.toString('latin1'), encoding: 'latin1' },
      { text: 'hello\n', encoding: 'utf8' },
    ])
  })

  test('offenders are those that differ', () => {
    const found = ask(
      offendersFamily,
      { path: root, mode: 'u+rw' },
      { path: at('closed'), mode: '0700' },
      { path: root, owner: 'nobody-there' },
      { path: at('nope'), owner: 'root' },
    )

    expect(found.map(names => names.length)).toEqual([0, 1, 9, 0])
  })

  test.runIf(canDrop())('what may not be seen is not called absent', () => {
    const drop = <A, T>(family: Family<A, T>, ...args: readonly A[]): readonly T[] => {
      const script = sh`exec ${DROP} ${shell.command} -c ${family.script(args).text}`
      return family.parse(execute(script, { ...shell, command: '/bin/sh' }), args)
    }

    expect(drop(statFamily, at('closed/below/x'), at('closed'), at('nope'), at('into-closed'))).toMatchObject(
      [{ kind: 'hidden' }, { kind: 'directory' }, null, { kind: 'link', leadsTo: { kind: 'hidden' } }],
    )
    expect(drop(textFamily, at('secret'), at('bytes'))).toMatchObject([
      { unread: 'denied' },
      { encoding: 'latin1' },
    ])
    expect(drop(checksumFamily, { path: at('secret') }, { path: at('hello') })).toMatchObject([
      { unread: 'denied' },
      { unread: 'denied' },
    ])
    expect(() => drop(offendersFamily, { path: root, mode: 'u=rwX' })).toThrow(
      expect.objectContaining({ code: 'PROBE_UNREADABLE' }),
    )
  })
})

function canDrop(): boolean {
  const here = { name: 'sh', command: '/bin/sh', path: '/usr/bin:/bin' }
  return execute(sh`${DROP} true 2>/dev/null`, here).code === 0
}
