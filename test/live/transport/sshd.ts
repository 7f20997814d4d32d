import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { Reach } from '../../../src/transport/settle.ts'

/** An sshd of our own on a loopback port, with keys and files in a directory of its own. */
export interface Sshd {
  readonly dir: string
  readonly port: number
  readonly pid: number
  readonly log: () => string
  readonly stop: () => Promise<void>
}

const SSHD = '/usr/sbin/sshd'

/** Makes a key pair and returns the path of the private half. */
export function makeKey(dir: string, name: string, ...options: string[]): string {
  const path = join(dir, name)
  const type = options.includes('-t') ? [] : ['-t', 'ed25519']
  execFileSync('ssh-keygen', ['-q', '-N', '', ...type, ...options, '-f', path, '-C', name])
  return path
}

export function makeDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'msingi-sshd-'))
  chmodSync(dir, 0o700)
  return dir
}

export function dropDir(dir: string): void {
  rmSync(dir, { recursive: true, force: true })
}

/** Starts sshd with the host keys and further lines of configuration given; `authorized` may log in. */
export async function startSshd(
  dir: string,
  hostKeys: readonly string[],
  authorized: readonly string[],
  config: readonly string[] = [],
): Promise<Sshd> {
  const port = await freePort()
  // A port that was free before may be free again.
  const own = mkdtempSync(join(dir, `sshd-${port}-`))
  writeFileSync(
    join(own, 'authorized_keys'),
    authorized.map(key => readFileSync(`${key}.pub`, 'utf8')).join(''),
    { mode: 0o600 },
  )
  const lines = [
    ...config,
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    ...hostKeys.map(key => `HostKey ${key}`),
    `AuthorizedKeysFile ${own}/authorized_keys`,
    `PidFile ${own}/pid`,
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'StrictModes no',
    'LogLevel VERBOSE',
  ]
  writeFileSync(join(own, 'config'), `${lines.join('\n')}\n`)
  mkdirSync('/run/sshd', { recursive: true })
  const child = spawn(SSHD, ['-D', '-f', join(own, 'config'), '-E', join(own, 'log')], { stdio: 'inherit' })
  await answering(port, child)
  return {
    dir: own,
    port,
    pid: child.pid ?? 0,
    log: () => readFileSync(join(own, 'log'), 'utf8'),
    stop: () => stop(child),
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

async function answering(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (child.exitCode !== null) throw new Error(`sshd ended with ${child.exitCode}`)
    if (await answers(port)) return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error('sshd does not answer')
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGTERM')
  await gone
}

/** Returns how an inventory would say that this sshd is reached. */
export function reachOf(sshd: Pick<Sshd, 'port'>, more: Partial<Reach> = {}): Reach {
  return {
    connection: 'ssh',
    host: '127.0.0.1',
    port: sshd.port,
    user: userInfo().username,
    keys: [],
    jump: undefined,
    hostKeys: [],
    ...more,
  }
}

export function publicKey(path: string): string {
  return readFileSync(`${path}.pub`, 'utf8').trim().split(' ').slice(0, 2).join(' ')
}
