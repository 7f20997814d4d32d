import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { versionOf, withoutValues } from '../../src/cli/record.ts'
import { many } from './support/in-one-process.ts'
import type { Outcome } from './support/many.ts'

describe('cli/record', () => {
  test('the command is kept without the values of variables', () => {
    const words = [
      'apply',
      '-e',
      'a=secret',
      '--extra-vars=b:="secret"',
      '-ec=secret',
      '-e',
      '@file.yml',
      '-e',
      '{"d": "secret"}',
      '-e',
      'a=secret b=secret',
      '-l',
      'x=y',
    ]

    expect(withoutValues(words)).toEqual([
      'apply',
      '-e',
      'a=…',
      '--extra-vars=b:=…',
      '-ec=…',
      '-e',
      '@file.yml',
      '-e',
      '{…}',
      '-e',
      'a=…',
      '-l',
      'x=y',
    ])
  })

  test('the version is that of the folder of the playbook, with what differs from it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'msingi-version-'))
    const file = join(folder, 'site.yml')
    writeFileSync(file, '')
    expect(await versionOf(file)).toBeUndefined()
    const git = (...words: readonly string[]): string =>
      execFileSync('git', ['-C', folder, ...words], { encoding: 'utf8' })
    git('init', '-q')
    git('add', '.')
    git('-c', 'user.name=a', '-c', 'user.email=a@example.org', 'commit', '-qm', 'first')

    const commit = git('rev-parse', 'HEAD').trim()
    expect(await versionOf(file)).toEqual({ commit, isDirty: false })
    writeFileSync(join(folder, 'new.yml'), '')
    expect(await versionOf(file)).toEqual({ commit, isDirty: true })
  })
})

describe('msingi runs', { timeout: 30_000 }, () => {
  let outcomes: readonly Outcome[]

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'msingi-runs-'))
    const play = (task: string): string => `- hosts: localhost\n  tasks:\n    - { name: it, ${task} }\n`
    mkdirSync(join(folder, 'inventory'))
    writeFileSync(join(folder, 'inventory/hosts.yml'), 'all: { hosts: { server: } }\n')
    writeFileSync(join(folder, 'site.yml'), play(`copy: { content: x, dest: ${folder}/made }`))
    writeFileSync(join(folder, 'bad.yml'), play('fail: { msg: no }'))
    outcomes = await many(
      [
        ['runs'],
        ['apply', 'site.yml', '-e', 'word=spring'],
        ['drift', 'site.yml'],
        ['apply', 'bad.yml'],
        ['runs', '--output', 'json'],
        ['runs', 'last'],
        ['runs', '2'],
        ['runs', 'x'],
        ['runs', '-n', '1'],
      ],
      folder,
    )
  }, 30_000)

  const at = (index: number): Outcome => outcomes[index] ?? { code: -1, stdout: '', stderr: '' }

  test('there is none at first', () => {
    expect(at(0)).toMatchObject({ code: 0, stdout: '' })
  })

  test('each run is listed, the last one first', () => {
    const kept = at(4)
      .stdout.trim()
      .split('\n')
      .map(line => JSON.parse(line) as { mode: string; exit: number })

    expect(kept.map(({ mode, exit }) => [mode, exit])).toEqual([
      ['apply', 1],
      ['drift', 0],
      ['apply', 0],
    ])
    expect(at(8).stdout.split('\n')).toHaveLength(2)
  })

  test('one is shown with what failed', () => {
    expect(at(5).code).toBe(0)
    expect(at(5).stdout).toContain('bad.yml')
    expect(at(5).stdout).toMatch(/^failed .*FAILED/ms)
  })

  test('a name that means none or several is refused', () => {
    expect([at(6).code, at(7).code]).toEqual([4, 4])
    expect(at(6).stderr).toMatch(/^error\[BAD_ARGUMENT\]/)
  })
})
