import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import type { AuthContext, Connection } from 'ssh2'
import { afterAll, describe, expect, test } from 'vitest'
import { makeKeyPair } from '../../src/lab/keys.ts'
import { makeConnect } from '../../src/transport/connect.ts'

const folder = mkdtempSync(join(tmpdir(), 'msingi-login-'))
const keys = ['one', 'other'].map(name => {
  const file = join(folder, name)
  writeFileSync(file, makeKeyPair().secret, { mode: 0o600 })
  return file
})
const hostKey = makeKeyPair()
afterAll(() => rmSync(folder, { recursive: true }))

type Judge = (request: AuthContext, login: { readonly client: Connection; readonly socket: Socket }) => void

/** What becomes of a login to a server that answers requests like that. */
async function loginTo(judge: Judge): Promise<unknown> {
  const ssh = new ssh2.Server({ hostKeys: [hostKey.secret] }, () => undefined)
  const server = createServer(socket => {
    ssh.removeAllListeners('connection').on('connection', client => {
      client.on('authentication', request => judge(request, { client, socket })).on('error', () => undefined)
    })
    ssh.injectSocket(socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const reach = { connection: 'ssh', host: '127.0.0.1', port, user: 'amina', jump: undefined } as const
  const connect = makeConnect({
    hosts: () => ({ ...reach, keys, hostKeys: [hostKey.open] }),
    projectKnownHosts: [],
    userConfig: 'none',
    env: {},
  })
  try {
    return await connect('web1', AbortSignal.timeout(8000)).catch((error: unknown) => error)
  } finally {
    server.close()
  }
}

const refusedOnce = new WeakSet<Socket>()

describe('a login that fails', () => {
  test('is refused where the host says no to every key', async () => {
    expect(await loginTo(request => request.reject(['publickey']))).toMatchObject({
      stage: 'auth',
      message: expect.stringMatching(/the host refused the login as `amina`.*one.*other/),
    })
  })

  test.each<[string, 'auth' | 'tcp', Judge]>([
    ['before a key is looked at', 'auth', (_request, { socket }) => socket.destroy()],
    [
      'after a key was refused',
      'auth',
      (request, { socket }) => {
        if (refusedOnce.has(socket)) socket.end()
        else request.reject(['publickey'])
        refusedOnce.add(socket)
      },
    ],
    ['with a reset', 'tcp', (_request, { socket }) => socket.resetAndDestroy()],
  ])('is no plain refusal where it ends %s', async (_when, stage, judge) => {
    expect(await loginTo(judge)).toMatchObject({
      stage,
      message: expect.stringMatching(/the login as `amina` broke off \(.*(hung up|ECONNRESET).*\)/),
      hint: expect.stringContaining('/etc/nologin'),
    })
  })
})
