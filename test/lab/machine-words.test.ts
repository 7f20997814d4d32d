import { describe, expect, test } from 'vitest'
import { diskWords, disksOf, fitsSockets, machineWords, tpmWords } from '../../src/lab/machine-words.ts'
import type { Hardware, OpenLab } from '../../src/lab/state.ts'

const HARDWARE: Hardware = {
  memory: 2 ** 30,
  cpus: 2,
  disks: [{ name: 'data', bytes: 8 * 2 ** 30 }],
  tpm: true,
  internet: false,
  image: '/cache/images/debian-12-abc',
}
const HOST = {
  name: 'host2',
  address: '127.0.0.1',
  port: 40_022,
  user: 'ops',
  hostKey: 'ssh-ed25519 AAAA',
  published: { 443: 40_443 },
}
const LAB: OpenLab = {
  format: 1,
  name: 'clinic',
  kind: 'vm',
  os: 'debian-12',
  made: '2026-01-01T00:00:00Z',
  hosts: [HOST],
  hardware: HARDWARE,
  wire: 40_001,
  folder: '/srv/lab/clinic',
}

function words(more: Partial<Parameters<typeof machineWords>[0]> = {}): string {
  const wish = {
    lab: LAB,
    hardware: HARDWARE,
    host: HOST,
    number: 2,
    accel: 'tcg',
    diskCache: 'volatile',
  } as const
  return machineWords({ ...wish, ...more }).join(' ')
}

test('an emulated machine has one processor where nobody says how many', () => {
  const { cpus: _, ...hardware } = HARDWARE

  expect(words({ hardware })).toContain('-smp 1 ')
  expect(words({ hardware, accel: 'kvm' })).toContain('-smp 2 ')
  expect(words()).toContain('-smp 2 ')
})

describe('the command line of a machine', () => {
  test('finds the root disk by its label, whatever order the disks come in', () => {
    expect(words()).toContain('root=LABEL=msingi-root')
  })

  test('gives every disk its name as serial number', () => {
    expect(words()).toMatch(/drive=node-root,serial=root.*drive=node-data,serial=data/)
  })

  test('forwards ports of the loopback alone', () => {
    const forwards = words().match(/hostfwd=[^,\s]*/g)

    expect(forwards).toEqual([
      'hostfwd=tcp:127.0.0.1:40022-10.0.2.15:22',
      'hostfwd=tcp:127.0.0.1:40443-10.0.2.15:443',
    ])
  })

  test('keeps the machine from the controller’s network unless that is wished', () => {
    expect(words()).toContain('restrict=on')
    expect(words({ hardware: { ...HARDWARE, internet: true } })).toContain('restrict=off')
  })

  test('joins the hosts by a network that stays on the loopback', () => {
    expect(words()).toContain('mcast=230.77.0.1:40001,localaddr=127.0.0.1')
  })

  test('takes disks from where their writes are kept back, or from the files', () => {
    expect(words()).toContain('"path":"data.disk.sock"')
    expect(words({ diskCache: 'none' })).toContain('"filename":"data.disk"')
  })

  test('lets no discard pass by the cache that a cut would lose', () => {
    expect(words().match(/"discard":"ignore"/g)).toHaveLength(2)
  })

  test('has a TPM only where one is wished', () => {
    expect(words()).toContain('tpm-crb')
    expect(words({ hardware: { ...HARDWARE, tpm: false } })).not.toContain('tpm')
  })
})

describe('the programs around it', () => {
  test.each([
    ['volatile', 'cache=writeback'],
    ['lying', 'cache=unsafe'],
  ] as const)('a %s disk cache is `%s`', (cache, expected) => {
    const [, disk] = disksOf(HARDWARE)

    expect(disk && diskWords(disk, cache)).toContain(expected)
  })

  test('the TPM gets absolute paths and ends with its machine', () => {
    const tpm = tpmWords('/srv/lab/clinic/hosts/host2').join(' ')

    expect(tpm).toContain('--terminate')
    expect(tpm).toContain('dir=/srv/lab/clinic/hosts/host2/tpm')
  })

  test('a folder that is too deep for sockets is noticed', () => {
    expect(fitsSockets(LAB, 'host2')).toBe(true)
    expect(fitsSockets({ ...LAB, folder: `/srv/${'deep/'.repeat(20)}` }, 'host2')).toBe(false)
  })
})
