import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { modules } from '../../src/modules/registry.gen.ts'
import { ROOT } from '../support/source-tree.ts'

const names = [...modules].flatMap(([name, module]) => (name === module.name ? [name] : []))

/** Folders of cycles: plan, apply, apply again, break by hand, drift, repair; on containers and on a machine with a kernel. */
const CYCLES = ['test/live/modules', 'test/live/modules/with-docker', 'test/vm/modules']

interface Elsewhere {
  readonly why: string
  /** What sees it on a host, named by its path. */
  readonly seen?: string
}

const LOOKS = { why: 'changes nothing', seen: 'test/live/looking' } as const
const WAITS = {
  why: 'waits, or starts the host anew',
  seen: 'test/live/modules/waiting.live.test.ts',
} as const
const DISKS = { why: 'needs disks to spare', seen: 'test/vm/disks.vm.test.ts' } as const

/** Modules without a cycle, each with its reason. */
const ELSEWHERE: Readonly<Record<string, Elsewhere>> = {
  assert: LOOKS,
  debug: LOOKS,
  fail: LOOKS,
  set_fact: LOOKS,
  ping: LOOKS,
  certificate_facts: LOOKS,
  find: LOOKS,
  getent: LOOKS,
  package_facts: LOOKS,
  service_facts: LOOKS,
  slurp: LOOKS,
  stat: LOOKS,
  reboot: WAITS,
  wait_for: WAITS,
  wait_for_connection: WAITS,
  pause: { why: 'waits', seen: 'test/live/modules/bringing.live.test.ts' },
  fetch: { why: 'changes the controller alone', seen: 'test/live/modules/bringing.live.test.ts' },
  tempfile: { why: 'makes something new in each run', seen: 'test/live/modules/bringing.live.test.ts' },
  add_host: { why: 'changes the inventory alone', seen: 'test/live/run/newcomers.live.test.ts' },
  group_by: { why: 'changes the inventory alone', seen: 'test/live/run/newcomers.live.test.ts' },
  include_vars: { why: 'reads files of the project alone', seen: 'test/run/included-vars.test.ts' },
  docker_prune: {
    why: 'what nobody uses is no state to drift from',
    seen: 'test/live/modules/with-docker.live.test.ts',
  },
  parted: DISKS,
  luks_device: DISKS,
  cryptenroll: DISKS,
  clevis: DISKS,
  crypttab: DISKS,
  filesystem: DISKS,
  lvg: DISKS,
  lvol: DISKS,
  sshd_config: {
    why: 'may lock out: seen with its role and its guard',
    seen: 'roles/hardening/tasks/ssh.yml',
  },
  apk: { why: 'there is no image of Alpine to be had; cases alone' },
  dnf: { why: 'there is no image of Fedora and its like to be had; cases alone' },
}

/** All text below a path. */
function textOf(path: string): string {
  const full = join(ROOT, path)
  const files = statSync(full).isDirectory()
    ? globSync('**/*', { cwd: full }).map(name => join(full, name))
    : [full]
  const cycles = full.replace(/\.(live|vm)\.test\.ts$/, '')
  const beside = path.endsWith('.ts') ? globSync('**/*.yml', { cwd: cycles }) : []
  return [...files, ...beside.map(name => join(cycles, name))]
    .filter(file => statSync(file).isFile())
    .map(file => readFileSync(file, 'utf8'))
    .join('\n')
}

const hasCycle = (name: string): boolean =>
  CYCLES.some(folder => existsSync(join(ROOT, folder, name, 'cycle.yml')))

describe('every module is seen on a host', () => {
  test.each(names)('%s has a cycle, or a reason to be seen otherwise', name => {
    expect(hasCycle(name) || ELSEWHERE[name] !== undefined).toBe(true)
  })

  test('what is seen elsewhere is named there, and has no cycle as well', () => {
    const wrong = Object.entries(ELSEWHERE).filter(([name, { seen }]) => {
      const isNamed = seen === undefined || new RegExp(`\\b${name}:`).test(textOf(seen))
      return !names.includes(name) || hasCycle(name) || !isNamed
    })

    expect(wrong.map(([name]) => name)).toEqual([])
  })
})
