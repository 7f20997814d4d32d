import { mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { ConnectError } from '../../../src/base/error.ts'
import { sh } from '../../../src/shell/sh.ts'
import { type ConnectSetup, makeConnect } from '../../../src/transport/connect.ts'
import { fingerprint, pinKeys } from '../../../src/transport/known-hosts.ts'
import type { Connection } from '../../../src/transport/session.ts'
import type { Reach } from '../../../src/transport/settle.ts'
import { dropDir, makeDir, makeKey, publicKey, reachOf, type Sshd, startSshd } from './sshd.ts'

/** What the tests of one file share: keys, one sshd for all of them, and whatever a test starts, which ends with it. */
export const me = userInfo().username
export const dir = makeDir()
export const known = join(dir, 'known_hosts')
export const hostKey = makeKey(dir, 'host_ed25519')
export const hostRsa = makeKey(dir, 'host_rsa', '-t', 'rsa', '-b', '3072')
export const hostEcdsa = makeKey(dir, 'host_ecdsa', '-t', 'ecdsa')
export const userKey = makeKey(dir, 'user')
export const otherKey = makeKey(dir, 'other')
export const never = new AbortController().signal

const opened: Connection[] = []
const daemons: Sshd[] = []
let shared: Sshd | undefined

beforeAll(async () => {
  writeFileSync(known, '')
  mkdirSync(join(dir, '.ssh'))
  shared = await startSshd(dir, [hostKey, hostRsa, hostEcdsa], [userKey])
})

afterEach(async () => {
  await Promise.all(opened.splice(0).map(connection => connection.close()))
  await Promise.all(daemons.splice(0).map(sshd => sshd.stop()))
  writeFileSync(known, '')
})

afterAll(async () => {
  await shared?.stop()
  dropDir(dir)
})

/** The sshd of the whole file: default settings, keys of three types. */
export function plain(): Sshd {
  if (shared === undefined) throw new Error('sshd was not started')
  return shared
}

/** Starts an sshd that ends with the test. */
export async function daemon(
  config: string[] = [],
  hostKeys = [hostKey],
  authorized = [userKey],
): Promise<Sshd> {
  const sshd = await startSshd(dir, hostKeys, authorized, config)
  daemons.push(sshd)
  return sshd
}

export function blob(key: string): Buffer {
  return Buffer.from(publicKey(key).split(' ')[1] ?? '', 'base64')
}

export function print(key: string): string {
  return fingerprint(blob(key))
}

export function setup(hosts: Record<string, Reach>, more: Partial<ConnectSetup> = {}): ConnectSetup {
  return {
    hosts: name => hosts[name],
    projectKnownHosts: [known],
    userConfig: 'none',
    env: { HOME: dir },
    flags: { connectTimeout: 5 },
    ...more,
  }
}

/** A host that is pinned and lets our key in. */
export function trusted(sshd: Pick<Sshd, 'port'>, more: Partial<Reach> = {}): Reach {
  return reachOf(sshd, { keys: [userKey], hostKeys: [publicKey(hostKey)], ...more })
}

/** Makes a key known for the sshd's address, and nothing else. */
export function trust(sshd: Sshd, key: string): void {
  const name = { host: '127.0.0.1', port: sshd.port }
  writeFileSync(known, pinKeys('', name, [blob(key)], { replace: false, salt: () => Buffer.alloc(20, 9) }))
}

/** Connects to several hosts; the connections end with the test. */
export async function openAll(
  hosts: Record<string, Reach>,
  names: string[],
  more: Partial<ConnectSetup> = {},
): Promise<readonly Connection[]> {
  const connect = makeConnect(setup(hosts, more))
  const connections = await Promise.all(names.map(name => connect(name, never)))
  opened.push(...connections)
  return connections
}

export async function open(reach: Reach, more: Partial<ConnectSetup> = {}): Promise<Connection> {
  const [connection] = await openAll({ web: reach }, ['web'], more)
  if (connection === undefined) throw new Error('no connection')
  return connection
}

/** Returns who the shell runs as, as the host says. */
export async function say(connection: Connection | undefined, user?: string): Promise<string | undefined> {
  const shell = await connection?.shell(user === undefined ? undefined : { user, method: 'su' })
  const answers = await shell?.exchange([{ script: sh`id -un` }], { deadlineMs: 10_000 })
  return answers?.[0]?.out.trim()
}

/** Returns the ConnectError that must come. */
export async function failure(promise: Promise<unknown>): Promise<ConnectError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof ConnectError) return error
  throw new Error('no ConnectError', { cause: error })
}
