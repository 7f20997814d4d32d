import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { labWish } from '../../src/cli/lab.ts'
import { statusOf } from '../../src/cli/main.ts'
import { proofEvents, subjectOf } from '../../src/cli/test.ts'
import type { LabUpFlags } from '../../src/cli/options.ts'
import { junit } from '../../src/report/junit.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-cli-lab-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const FLAGS: LabUpFlags = {
  kind: 'vm',
  os: 'debian-13',
  hosts: 2,
  disk: ['data=8G', 'spare=512M'],
  memory: '2G',
  cpus: 1,
  tpm: true,
  publish: ['443'],
  package: [],
}

describe('lab up', () => {
  test('understands sizes, disks and ports', () => {
    expect(labWish('clinic', FLAGS)).toEqual({
      name: 'clinic',
      kind: 'vm',
      os: 'debian-13',
      hosts: 2,
      packages: [],
      publish: [443],
      hardware: {
        memory: 2 * 2 ** 30,
        cpus: 1,
        disks: [
          { name: 'data', bytes: 8 * 2 ** 30 },
          { name: 'spare', bytes: 512 * 2 ** 20 },
        ],
        tpm: true,
        internet: false,
      },
    })
  })

  test.each([
    ['a disk without a size', { disk: ['data'] }],
    ['a disk called like the one it boots from', { disk: ['root=8G'] }],
    ['a disk whose name is no serial number', { disk: ['a-name-longer-than-a-serial=8G'] }],
    ['a size without a unit', { memory: '1024' }],
    ['a port that is none', { publish: ['70000'] }],
  ])('refuses %s', (_what, wrong) => {
    expect(() => labWish('clinic', { ...FLAGS, ...wrong })).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION' }),
    )
  })

  test('refuses a name that would leave the folder of labs', () => {
    expect(() => labWish('../etc', FLAGS)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }))
  })
})

describe('drill', () => {
  test('refuses an inventory that is not a lab’s', async () => {
    const inventory = join(folder, 'inventory.yml')
    writeFileSync(inventory, 'all:\n  vars: { msingi_lab: clinic }\n  hosts: { server: {} }\n')

    expect(await statusOf(['drill', 'power-cut', '-i', inventory])).toBe(4)
  })

  test('names the nearest where there is no such drill', async () => {
    expect(await statusOf(['drill', 'power-cat'])).toBe(4)
  })
})

describe('test', () => {
  test('gives a role a play of its own', () => {
    const { playbook } = subjectOf('sshd-settings', folder)

    expect(readFileSync(playbook, 'utf8')).toContain('roles: [sshd-settings]')
  })

  test.each(['no-such-role', 'no-such.yml'])('refuses `%s`', target => {
    expect(() => subjectOf(target, folder)).toThrow(expect.objectContaining({ code: 'NO_PLAYBOOK' }))
  })

  test('makes no host for a project that is wrong', async () => {
    const playbook = join(folder, 'wrong.yml')
    writeFileSync(playbook, '- hosts: all\n  tasks: [{ debug: { msg: "{{ nobody_sets_this }}" } }]\n')

    expect(await statusOf(['test', playbook])).toBe(4)
    expect(existsSync('lab') ? readdirSync('lab').filter(name => name.startsWith('test-')) : []).toEqual([])
  })

  test('takes variables from the companion file', () => {
    expect(subjectOf('tidy-up', folder)).toMatchObject({ vars: 'roles/tidy-up/test/vars.yml' })
  })

  test('tells each proof as a case of JUnit', () => {
    const failure = { code: 'NOT_IDEMPOTENT', message: 'changed again: Write it' }
    const proofs = [
      { name: 'converge', ms: 10 },
      { name: 'idempotence', ms: 20, failure },
    ]

    const xml = junit(proofEvents('sshd-settings', proofs, 30))

    expect(xml).toMatch(/tests="2" failures="1"/)
    expect(xml).toContain('type="NOT_IDEMPOTENT"')
  })
})
