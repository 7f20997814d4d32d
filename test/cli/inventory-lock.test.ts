import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { withInventory } from '../../src/cli/inventory-lock.ts'

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'msingi-inventory-lock-'))

const BUSY = { code: 'INVENTORY_BUSY' }

describe('cli/inventory-lock', () => {
  test('one apply of an inventory at a time, however it is spelt; of another one alongside', async () => {
    const folder = newFolder()
    const done = await withInventory(
      ['hosts.yml', 'more.yml'],
      0,
      async () => {
        await expect(
          withInventory(['./more.yml', 'hosts.yml'], 0, () => Promise.resolve(1), folder),
        ).rejects.toMatchObject(BUSY)
        return withInventory(['hosts.yml'], 0, () => Promise.resolve(2), folder)
      },
      folder,
    )

    expect(done).toBe(2)
    expect(readdirSync(join(folder, 'locks'))).toEqual([])
  })

  test('it is free again after a failure', async () => {
    const folder = newFolder()
    await expect(withInventory(['a'], 0, () => Promise.reject(new Error('no')), folder)).rejects.toThrow('no')
    expect(await withInventory(['a'], 0, () => Promise.resolve(1), folder)).toBe(1)
  })

  test('whoever waits gets it', async () => {
    const folder = newFolder()
    const first = withInventory(['a'], 0, () => sleep(300, 1), folder)
    expect(await withInventory(['a'], 5, () => Promise.resolve(2), folder)).toBe(2)
    expect(await first).toBe(1)
  })

  test('a process that is gone holds nothing, nor does a file that nobody can read', async () => {
    const folder = newFolder()
    const child = spawn('true')
    await new Promise(resolve => child.once('close', resolve))
    let file = ''
    let text = ''
    await withInventory(
      ['a'],
      0,
      () => {
        file = join(folder, 'locks', readdirSync(join(folder, 'locks'))[0] ?? '')
        text = readFileSync(file, 'utf8')
        return Promise.resolve()
      },
      folder,
    )
    mkdirSync(join(folder, 'locks'), { recursive: true })
    const left = [
      JSON.stringify({ ...(JSON.parse(text) as object), pid: child.pid }),
      JSON.stringify({ ...(JSON.parse(text) as object), born: '1' }),
      '{',
    ]
    for (const one of left) {
      writeFileSync(file, one)
      expect(await withInventory(['a'], 0, () => Promise.resolve(1), folder)).toBe(1)
    }
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(text) as object), controller: 'another' }))
    await expect(withInventory(['a'], 0, () => Promise.resolve(1), folder)).rejects.toMatchObject(BUSY)
  })
})
