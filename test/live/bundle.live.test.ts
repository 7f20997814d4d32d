import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { collect } from '../../src/bundle/collect.ts'
import { readWish } from '../../src/bundle/wish.ts'
import { openSources } from '../../src/syntax/files.ts'
import { startHosts, stopHosts, type LiveHost } from './support/hosts.ts'
import { failures, inventoryOf, msingi, tasksThat } from './support/msingi.ts'

/** Packages are made here, so that nothing depends on the state of an archive: a tool, and what it depends on. */
let host: LiveHost
let folder: string
let archive: string
let project: readonly string[]

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bundle-'))
  makeRepository(join(folder, 'repository'))
  writeFileSync(join(folder, 'guide.txt'), 'how to weigh a child\n')
  writeFileSync(join(folder, 'bundle.yml'), wishFor('guide.txt', sha256(join(folder, 'guide.txt'))))
  archive = await bundle('bundle.yml')
  ;[host] = (await startHosts({ os: 'debian-13' })) as [LiveHost]
  writeFileSync(join(folder, 'site.yml'), PLAYBOOK)
  project = [join(folder, 'site.yml'), '-i', inventoryOf([host]), '-e', `bundle_archive=${archive}`]
})
afterAll(async () => {
  await stopHosts(host ? [host] : [])
  rmSync(folder, { recursive: true, force: true })
})

test('a bundle holds packages with what they depend on, and the manifest comes last', () => {
  const names = execFileSync('tar', ['--list', '--file', archive], { encoding: 'utf8' }).trim().split('\n')

  const [first = ''] = names[0]?.split('/') ?? []
  expect(names.map(name => name.slice(first.length + 1))).toEqual([
    'apt/Packages',
    'apt/Release',
    'apt/scales-data_1.0_all.deb',
    'apt/scales_1.0_all.deb',
    'files/guide.txt',
    'SHA256SUMS',
    'manifest.json',
  ])
})

test('a file with another checksum ends it, and nothing is left behind', async () => {
  writeFileSync(join(folder, 'wrong.yml'), wishFor('guide.txt', '0'.repeat(64)))

  await expect(bundle('wrong.yml')).rejects.toMatchObject({ code: 'PROGRAM_FAILED' })

  expect(readdirSync(join(folder, 'out')).filter(name => name.startsWith('.'))).toEqual([])
})

test('a host without a way out installs from it, and a second run changes nothing', async () => {
  const first = await msingi('apply', ...project)
  expect(failures(first)).toEqual([])
  expect(await host.run('scales; cat /opt/msingi/bundle/files/guide.txt')).toBe(
    '3.5 kg\nhow to weigh a child\n',
  )

  const second = await msingi('apply', ...project)

  expect(tasksThat(second, 'changed')).toEqual([])
  expect(second.exit).toBe(0)
})

test('a link that leads elsewhere is drift, and the next run repairs it', async () => {
  await host.run('ln -sfn /tmp /opt/msingi/bundle')

  const drift = await msingi('drift', ...project)
  expect(tasksThat(drift, 'would_change')).toEqual(['host1: Let others find it'])

  expect((await msingi('apply', ...project)).exit).toBe(0)
  expect(await host.run('cat /opt/msingi/bundle/files/guide.txt')).toBe('how to weigh a child\n')
})

const PLAYBOOK = `- hosts: all
  become: true
  roles: [bundle]
  tasks:
    - apt: { name: scales, update_cache: true }
`

function bundle(name: string): Promise<string> {
  const wish = readWish(join(folder, name), openSources())
  return collect(wish, {
    folder: join(folder, 'out'),
    made: '2026-01-01T00:00:00Z',
    say: () => undefined,
  })
}

function wishFor(file: string, sum: string): string {
  return `name: clinic
system: debian-13
sources: ['deb [trusted=yes] copy:${folder}/repository ./']
packages: [scales]
files: [{ url: ${folder}/${file}, sha256: '${sum}', path: guide.txt }]
`
}

function makeRepository(repository: string): void {
  const paragraphs = [
    makePackage(
      repository,
      'scales',
      'Depends: scales-data\n',
      'usr/bin/scales',
      '#!/bin/sh\ncat /usr/share/scales\n',
    ),
    makePackage(repository, 'scales-data', '', 'usr/share/scales', '3.5 kg\n'),
  ]
  writeFileSync(join(repository, 'Packages'), paragraphs.join('\n'))
}

function makePackage(repository: string, name: string, more: string, path: string, text: string): string {
  const control = `Package: ${name}\nVersion: 1.0\nArchitecture: all\nMaintainer: Tests <tests@example.org>\n${more}Description: ${name}\n`
  const tree = join(folder, name)
  mkdirSync(join(tree, 'DEBIAN'), { recursive: true })
  writeFileSync(join(tree, 'DEBIAN', 'control'), control)
  mkdirSync(join(tree, path, '..'), { recursive: true })
  writeFileSync(join(tree, path), text, { mode: 0o755 })
  mkdirSync(repository, { recursive: true })
  const file = `${name}_1.0_all.deb`
  execFileSync('dpkg-deb', ['--root-owner-group', '--build', tree, join(repository, file)])
  const { size } = statSync(join(repository, file))
  return `${control}Filename: ./${file}\nSize: ${size}\nSHA256: ${sha256(join(repository, file))}\n`
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}
