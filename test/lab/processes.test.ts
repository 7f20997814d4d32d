import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { killProcesses, labProcesses, signalProcess, startProcess } from '../../src/lab/processes.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-processes-'))
afterAll(async () => {
  await killProcesses(labProcesses(folder))
  rmSync(folder, { recursive: true, force: true })
})

test('a process is found by its lab alone, and ended', async () => {
  startProcess({
    lab: folder,
    host: 'host1',
    role: 'disk',
    words: ['sleep', '600'],
    cwd: folder,
    log: join(folder, 'log'),
    env: {},
  })
  await expect.poll(() => labProcesses(folder)).toHaveLength(1)
  expect(labProcesses(folder)).toMatchObject([{ host: 'host1', role: 'disk' }])
  expect(labProcesses(`${folder}-other`)).toEqual([])

  await killProcesses(labProcesses(folder))

  expect(labProcesses(folder)).toEqual([])
})

test('a number that another process has by now is left alone', () => {
  const foreign = { pid: process.pid, host: 'host1', role: 'machine', start: '1' } as const

  signalProcess(foreign, 'SIGKILL')

  expect(readFileSync('/proc/self/stat', 'utf8')).not.toBe('')
})
