import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { many } from './support/in-one-process.ts'
import type { Outcome } from './support/many.ts'

interface Told {
  readonly host: string
  readonly findings: readonly { level: string; about: string; message: string; hint?: string }[]
}

describe('msingi doctor', { timeout: 60_000 }, () => {
  let outcomes: readonly Outcome[]

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'msingi-doctor-'))
    const hosts = {
      here: { ansible_connection: 'local' },
      lost: { ssh: { host: '127.0.0.1', port: 1 } },
      circle: { ssh: { jump: 'circle2' } },
      circle2: { ssh: { jump: 'circle' } },
    }
    writeFileSync(join(folder, 'hosts.yml'), JSON.stringify({ all: { hosts } }))
    writeFileSync(join(folder, 'site.yml'), '- hosts: here\n  tasks:\n    - nftables: { content: "" }\n')
    writeFileSync(join(folder, 'wrong.yml'), '- hosts: here\n  tasks:\n    - nothing:\n')
    outcomes = await many(
      [
        ['doctor', '-i', 'hosts.yml', '--output', 'json'],
        ['doctor', '-i', 'hosts.yml', '-l', 'here'],
        ['doctor', 'wrong.yml', '-i', 'hosts.yml'],
        ['doctor', '-i', 'hosts.yml', '-l', 'nobody'],
      ],
      folder,
    )
  }, 60_000)

  const at = (index: number): Outcome => outcomes[index] ?? { code: -1, stdout: '', stderr: '' }

  test('each host is told with what is wrong and the next step; one that cannot be reached keeps no other', () => {
    const told = at(0)
      .stdout.trim()
      .split('\n')
      .map(line => JSON.parse(line) as Told)
    const byName = Object.fromEntries(told.map(({ host, findings }) => [host, findings]))

    expect(at(0).code).toBe(3)
    expect(Object.keys(byName).sort()).toEqual(['circle', 'circle2', 'here', 'lost'])
    expect(byName['lost']).toMatchObject([{ level: 'fail', about: 'reach' }])
    expect(byName['lost']?.[0]?.hint).toBeTruthy()
    expect(byName['here']?.map(({ about }) => about)).toEqual(
      expect.arrayContaining([
        'reach',
        'shell',
        'tools',
        'disk',
        'clock',
        'memory',
        'packages',
        'restart',
        'leftovers',
        'lock',
      ]),
    )
    expect(byName['here']?.find(({ about }) => about === 'clock')?.level).toBe('ok')
  })

  test('away from a terminal each finding is a line', () => {
    const rows = at(1)
      .stdout.trim()
      .split('\n')
      .map(line => line.split('\t'))

    expect(
      rows.every(([host, level]) => host === 'here' && ['ok', 'warn', 'fail'].includes(level ?? '')),
    ).toBe(true)
    expect(rows.find(([, , about]) => about === 'reach')?.[1]).toBe('ok')
  })

  test('a project or a pattern that is wrong is told before anything is contacted', () => {
    expect([at(2).code, at(3).code]).toEqual([4, 4])
    expect(at(2).stdout + at(3).stdout).toBe('')
  })
})
