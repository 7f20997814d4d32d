import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { aligned, cpioArchive } from '../../src/lab/archive.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-archive-'))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('another program unpacks the files with their folders, contents and modes', () => {
  const files = [
    { path: '/etc/hostname', content: 'host1\n', mode: 0o644 },
    { path: '/etc/ssh/key', content: 'sëcret', mode: 0o600 },
  ]
  writeFileSync(join(folder, 'archive'), cpioArchive(files, 'identity'))

  execFileSync('busybox', ['cpio', '-i', '-d', '-F', 'archive'], { cwd: folder, stdio: 'ignore' })

  expect(readFileSync(join(folder, 'identity/etc/hostname'), 'utf8')).toBe('host1\n')
  expect(readFileSync(join(folder, 'identity/etc/ssh/key'), 'utf8')).toBe('sëcret')
  expect(statSync(join(folder, 'identity/etc/ssh/key')).mode & 0o777).toBe(0o600)
})

test.each([0, 1, 2, 3, 4, 5])('%i bytes are filled up to a multiple of four', count => {
  expect(aligned(Buffer.alloc(count)).length % 4).toBe(0)
})
