import { afterAll, beforeAll, expect, test } from 'vitest'
import { playDrill, type DrillMeans, type DrillRecord } from '../../src/lab/drill.ts'
import { powerCut } from '../../src/lab/drill-power-cut.ts'
import { boot, cutPower, isRunning, usualDiskCache } from '../../src/lab/machine.ts'
import { labProcesses } from '../../src/lab/processes.ts'
import { hostOf, type OpenLab } from '../../src/lab/state.ts'
import { asRoot, CACHE, endLab, rootShell, startLab } from './support/lab.ts'

let lab: OpenLab

beforeAll(async () => {
  lab = await startLab()
})
afterAll(() => endLab(lab))

test('a store that acknowledges without fsync is seen to lose documents', async () => {
  const record = await drill({ durability: 'none' })

  expect(record).toMatchObject({ verdict: 'failed' })
  expect(record.evidence.find(({ what }) => what === 'documents lost')?.value).toBeGreaterThan(0)
})

test('a store that waits for fsync loses nothing', async () => {
  const record = await drill({ durability: 'fsync' })

  expect(record, record.reason).toMatchObject({ verdict: 'passed' })
})

test('what a disk took and was not asked to flush is gone after the cut, what it flushed is there', async () => {
  expect(await usualDiskCache()).toBe('volatile')
  const write = (block: number, text: string, flag: string): Promise<string> =>
    asRoot(
      lab,
      'host1',
      `printf '%-4096s' ${text} | dd of=/dev/disk/by-id/virtio-data bs=4096 seek=${block} oflag=direct ${flag} 2>&1`,
    )
  await write(1000, 'flushed', 'conv=fsync')
  // Far from the other one: the cache keeps and forgets 64 KiB at a time.
  await write(5000, 'forgotten', '')

  await cutPower(lab, 'host1')
  expect(isRunning(lab, 'host1')).toBe(false)
  expect(labProcesses(lab.folder)).toEqual([])
  await boot(lab, 'host1', { cache: CACHE })

  const read = (block: number): Promise<string> =>
    asRoot(
      lab,
      'host1',
      `dd if=/dev/disk/by-id/virtio-data bs=4096 skip=${block} count=1 2>/dev/null | tr -d '\\0 '`,
    )
  expect(await read(1000)).toBe('flushed')
  expect(await read(5000)).toBe('')
})

function drill(options: Readonly<Record<string, string>>): Promise<DrillRecord> {
  const means: DrillMeans = {
    lab,
    host: hostOf(lab, 'host1'),
    cache: CACHE,
    signal: new AbortController().signal,
    say: text => console.log(`drill: ${text}`),
    login: () => rootShell(lab, 'host1'),
    apply: () => Promise.reject(new Error('this drill applies nothing')),
  }
  return playDrill(powerCut, options, means)
}
