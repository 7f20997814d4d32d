import { execFileSync, spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { emptyStore, lostDocuments, readStore, writeForever, type Workload } from '../../src/lab/workload.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-workload-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.each(['fsync', 'none'] as const)(
  'with `%s` every acknowledged document is found, a torn one is not',
  async durability => {
    const work: Workload = { folder: join(folder, durability), durability, pause: 1 }
    execFileSync('sh', ['-c', emptyStore(work).text])
    const writer = spawn('sh', ['-c', writeForever(work).text], { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    for await (const bytes of writer.stdout) {
      out += String(bytes)
      if (out.split('\n').length > 20) break
    }
    writer.kill('SIGKILL')
    await new Promise(resolve => writer.once('close', resolve))
    const acknowledged = out.split('\n').length - 1
    appendFileSync(join(work.folder, 'documents'), '9999 00009999')

    const ranges = execFileSync('sh', ['-c', readStore(work).text], { encoding: 'utf8' })

    expect(lostDocuments(acknowledged, ranges)).toEqual([])
    expect(ranges).not.toContain('9999')
  },
)
