import { afterAll, beforeAll, expect, test } from 'vitest'
import { startHosts, stopHosts, type LiveHost } from '../support/hosts.ts'
import { eventsOf, FILE_SYSTEM_HASH, inventoryOf, type Ran } from '../support/msingi.ts'
import { player, setBy } from './playing.ts'

let host: LiveHost
let play: ReturnType<typeof player>

beforeAll(async () => {
  ;[host] = (await startHosts({ os: 'debian-13' })) as [LiveHost]
  play = player('preflight', inventoryOf([host]))
})
afterAll(() => stopHosts([host]))

/** Returns the status of every finding by its id. */
function report(ran: Ran): Record<string, unknown> {
  const findings = setBy(ran, 'preflight_report') as readonly { id: string; status: string }[]
  return Object.fromEntries(findings.map(({ id, status }) => [id, status]))
}

const SMALL = {
  title: 'a test',
  memory_gb: 0.1,
  cpus: 1,
  disk_gb: 0.1,
  ssd: false,
  address: true,
  ports: [80],
}
const fitting = (more: object = {}): object => ({ wanted: { ...SMALL, ...more }, enforce: false })

test('a host that fits is told so, and nothing is written', async () => {
  const before = await host.run(FILE_SYSTEM_HASH)
  await host.run(`echo '${host.address} cht.example.org' >> /etc/hosts`)
  const known = await host.run(FILE_SYSTEM_HASH)

  const ran = await play('apply', { ...fitting(), dns_name: 'cht.example.org' })

  expect(ran.exit).toBe(0)
  expect(report(ran)).toMatchObject({ system: 'ok', cpus: 'ok', memory: 'ok', name: 'ok', ports: 'ok' })
  expect(await host.run(FILE_SYSTEM_HASH)).toBe(known)
  expect(known).not.toBe(before)
})

test('a host that is too small is refused, and every reason is named', async () => {
  const ran = await play('plan', { wanted: { ...SMALL, memory_gb: 4000, disk_gb: 900_000 }, users: 100_000 })

  expect(ran.exit).toBe(1)
  expect(report(ran)).toMatchObject({ cpus: 'fail', memory: 'fail', 'disk-size': 'fail' })
  expect(eventsOf(ran, 'task_done').at(-1)?.failure?.code).toBe('ASSERTION_FAILED')
})

test('what is accepted warns and does not stop', async () => {
  const ran = await play('plan', { wanted: { ...SMALL, cpus: 4096 }, accepted: ['cpus'] })

  expect(ran.exit).toBe(0)
  expect(report(ran)).toMatchObject({ cpus: 'warn' })
})

test('documents decide about the disk, users about processors and memory', async () => {
  const many = report(await play('plan', { ...fitting(), documents: 186_089 * 1_000_000, users: 288 * 4096 }))
  const few = report(await play('plan', { ...fitting(), documents: 1, users: 1 }))

  expect(many).toMatchObject({ 'disk-size': 'fail', cpus: 'fail', memory: 'fail' })
  expect(few).toMatchObject({ 'disk-size': 'ok', cpus: 'ok' })
})

test('a port that a stranger has is found, one of our own programs is not minded', async () => {
  await host.run('busybox httpd -p 80 -h /srv')

  expect(report(await play('plan', fitting()))).toMatchObject({ ports: 'fail' })
  expect(report(await play('plan', { ...fitting(), ports_of: ['busybox'] }))).toMatchObject({ ports: 'ok' })
})

test('a name that leads elsewhere, or nowhere, is found', async () => {
  await host.run("echo '192.0.2.9 moved.example.org' >> /etc/hosts")
  const named = async (params: object): Promise<unknown> =>
    report(await play('plan', { ...fitting(), ...params }))['name']

  expect(await named({ dns_name: 'moved.example.org' })).toBe('fail')
  expect(await named({ dns_name: 'moved.example.org', public_address: '192.0.2.9' })).toBe('ok')
  expect(await named({ dns_name: 'nowhere.invalid' })).toBe('fail')
})

test.each([
  ['is long over', -400, 'fail'],
  ['is soon over', 30, 'warn'],
  ['goes on', 400, 'ok'],
])('a system whose support %s', async (_, days, status) => {
  const until = new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)
  const ran = await play('plan', {
    ...fitting(),
    systems: { 'debian-13': { name: 'x', supported_until: until } },
  })

  expect(report(ran)).toMatchObject({ system: status })
})

test('a system that nobody has tried', async () => {
  const ran = await play('plan', { ...fitting(), systems: { 'debian-1': { name: 'x' } } })

  expect(report(ran)).toMatchObject({ system: 'fail' })
})
