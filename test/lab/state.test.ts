import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { LabError } from '../../src/lab/error.ts'
import { inventoryText, knownHostsText } from '../../src/lab/inventory-text.ts'
import { hostOf, labsIn, parseLab, readLab, writeLab, type OpenLab } from '../../src/lab/state.ts'

const root = mkdtempSync(join(tmpdir(), 'msingi-state-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const LAB: OpenLab = {
  format: 1,
  name: 'clinic',
  kind: 'container',
  os: 'debian-13',
  made: '2026-01-01T00:00:00Z',
  hosts: [
    {
      name: 'host1',
      address: '127.0.0.1',
      port: 40_022,
      user: 'ops',
      hostKey: 'ssh-ed25519 AAAA',
      published: {},
    },
    {
      name: 'host2',
      address: '172.17.0.9',
      port: 22,
      user: 'ops',
      hostKey: 'ssh-ed25519 BBBB',
      published: {},
    },
  ],
  folder: join(root, 'clinic'),
}

describe('the state of a lab', () => {
  test('is read as it was written', () => {
    writeLab(LAB)

    expect(readLab(LAB.folder)).toEqual(LAB)
    expect(labsIn(root).map(({ name }) => name)).toEqual(['clinic'])
  })

  test.each([
    '',
    '{}',
    '[]',
    '{"format":2}',
    '{"format":1,"name":"a","kind":"vm","os":"debian-12","hosts":[{}]}',
  ])('is not taken from `%s`', text => {
    expect(codeOf(() => parseLab(text, 'state.json'))).toBe('NOT_A_LAB')
  })

  test('is missing in a folder that is no lab', () => {
    expect(codeOf(() => readLab(root))).toBe('NOT_A_LAB')
  })

  test('names no host it does not have', () => {
    expect(codeOf(() => hostOf(LAB, 'host3'))).toBe('NO_SUCH_HOST')
  })
})

test('the inventory names the lab and pins every host key', () => {
  const text = inventoryText(LAB)

  expect(text).toContain('msingi_lab: clinic')
  expect(text.match(/host_key: ssh-ed25519 \w+/g)).toHaveLength(2)
})

test('known hosts stand under their port where it is not the usual one', () => {
  expect(knownHostsText(LAB)).toBe('[127.0.0.1]:40022 ssh-ed25519 AAAA\n172.17.0.9 ssh-ed25519 BBBB\n')
})

function codeOf(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return error instanceof LabError ? error.code : String(error)
  }
}
