import { spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { afterEach, describe, expect, test } from 'vitest'
import type { CONNECT_NOTES } from '../../scripts/gen/error-examples.ts'
import { ConnectError } from '../../src/base/error.ts'
import { sh } from '../../src/shell/sh.ts'
import { makeConnect } from '../../src/transport/connect.ts'
import type { Connection } from '../../src/transport/session.ts'
import type { Reach } from '../../src/transport/settle.ts'

const { Server, utils } = ssh2
const hostKey = utils.generateKeyPairSync('ed25519')
const userKey = utils.generateKeyPairSync('ed25519')
const folder = mkdtempSync(join(tmpdir(), 'msingi-'))
const keyFile = join(folder, 'key')
writeFileSync(keyFile, userKey.private, { mode: 0o600 })

/** What a host does wrong: it knows another key, lets nobody in, opens nothing, talks nonsense, or lets nobody become root, or answers what nobody asked. */
type Fault = 'none' | 'hostkey' | 'auth' | 'channel' | 'shell' | 'become' | 'protocol'

const open: { close: () => void }[] = []

afterEach(() => {
  for (const thing of open.splice(0)) thing.close()
})

/** An sshd of this process on the loopback; commands run in a shell of this machine. */
async function listening(fault: Fault): Promise<{ reach: Reach; cut: () => void }> {
  const clients = new Set<ssh2.Connection>()
  const server = new Server({ hostKeys: [hostKey.private] }, client => {
    clients.add(client)
    client.on('error', () => undefined)
    client.on('authentication', context => {
      if (fault === 'auth' || context.method !== 'publickey') context.reject(['publickey'])
      else context.accept()
    })
    client.on('session', (accept, reject) => {
      if (fault === 'channel') reject()
      else accept().on('exec', (started, _, { command }) => answer(started(), command, fault))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
  const cut = (): void => {
    for (const client of clients) client.end()
  }
  open.push({ close: () => (cut(), server.close()) })
  return { reach: reachOf((server.address() as AddressInfo).port, fault), cut }
}

function answer(channel: ssh2.ServerChannel, command: string, fault: Fault): void {
  if (fault === 'shell') {
    channel.write('This account is not for logging in.\n')
    channel.exit(1)
    channel.end()
  } else if (fault === 'become' && command.includes('sudo')) {
    channel.stderr.write('sudo: a password is required\n')
    channel.exit(1)
    channel.end()
  } else {
    const child = spawn('/bin/sh', ['-c', command])
    channel.pipe(child.stdin)
    child.stdout.pipe(channel)
    if (fault === 'protocol')
      child.stdout.once('data', greeting => channel.write(String(greeting).replace(/hello .*/, '7.0 0 0')))
    child.stderr.pipe(channel.stderr)
    child.stdin.on('error', () => undefined)
    open.push({ close: () => child.kill() })
  }
}

function reachOf(port: number, fault: Fault): Reach {
  const shown = (fault === 'hostkey' ? userKey : hostKey).public.split(' ').slice(0, 2).join(' ')
  return { ...NOWHERE, host: '127.0.0.1', port, keys: [keyFile], hostKeys: [shown] }
}

const NOWHERE: Reach = {
  connection: 'ssh',
  host: 'host.invalid',
  port: 22,
  user: 'ops',
  keys: [],
  jump: undefined,
  hostKeys: [],
}

function connect(reach: Reach | undefined): Promise<Connection> {
  const connecting = makeConnect({
    hosts: () => reach,
    projectKnownHosts: [],
    userConfig: 'none',
    flags: { connectTimeout: 5 },
    env: { HOME: folder },
  })('server', new AbortController().signal)
  void connecting.then(
    connection => open.push({ close: () => void connection.close() }),
    () => undefined,
  )
  return connecting
}

const EXAMPLES: Readonly<Record<keyof typeof CONNECT_NOTES, () => Promise<unknown>>> = {
  config: () => connect(undefined),
  dns: () => connect(NOWHERE),
  tcp: () => connect({ ...NOWHERE, host: '127.0.0.1', port: 1 }),
  hostkey: async () => connect((await listening('hostkey')).reach),
  auth: async () => connect((await listening('auth')).reach),
  channel: async () => (await connect((await listening('channel')).reach)).shell(undefined),
  shell: async () => (await connect((await listening('shell')).reach)).shell(undefined),
  become: async () =>
    (await connect((await listening('become')).reach)).shell({ user: 'root', method: 'sudo' }),
  protocol: async () =>
    (await (await connect((await listening('protocol')).reach)).shell(undefined)).exchange(
      [{ script: sh`sleep 5` }],
      { deadlineMs: 10_000 },
    ),
  lost: async () => {
    const { reach, cut } = await listening('none')
    const session = await (await connect(reach)).shell(undefined)
    const waiting = session.exchange([{ script: sh`sleep 5` }], { deadlineMs: 10_000 })
    cut()
    return waiting
  },
}

describe('docs/errors.md: connecting', { timeout: 30_000 }, () => {
  test.each(Object.entries(EXAMPLES))('%s', async (stage, example) => {
    const error: unknown = await example().catch((caught: unknown) => caught)

    expect(error).toBeInstanceOf(ConnectError)
    expect(error).toMatchObject({ stage })
  })

  test('a host that hangs up in the key exchange is no host with a wrong key', async () => {
    const server = createServer(socket => socket.end('SSH-2.0-Hurried\r\n'))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
    open.push(server)
    const { port } = server.address() as AddressInfo
    const reach = reachOf(port, 'none')

    await expect(connect(reach)).rejects.toMatchObject({ stage: 'tcp' })
  })
})
