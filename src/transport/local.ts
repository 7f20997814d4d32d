import { ConnectError } from '../base/error.ts'
import type { Secret } from '../base/secret.ts'
import type { Become, Connection, Session, Usage } from './session.ts'
import { openShell, type ShellSession } from './shell-session.ts'
import type { Wire, WireEnd } from './wire.ts'

export interface LocalOptions {
  /** Asked for by sudo and su. */
  readonly password?: Secret | undefined
  readonly signal?: AbortSignal | undefined
  /** The shell that the opening command is given to, as sshd gives it to the login shell. */
  readonly loginShell?: string
}

/** Makes the connection to the machine that msingi runs on. Nothing is started before a shell is asked for. */
export function connectLocal(host: string, options: LocalOptions): Connection {
  const shells = new Map<string, Promise<ShellSession>>()
  const opened: ShellSession[] = []

  async function open(become: Become | undefined): Promise<ShellSession> {
    const { password, signal } = options
    const start = (command: string): Promise<Wire> =>
      spawnWire(host, command, options.loginShell ?? '/bin/sh')
    const session = await openShell(start, { host, become, password, signal })
    opened.push(session)
    return session
  }

  return {
    host,
    shell(become): Promise<Session> {
      const key = become ? `${become.method} ${become.user}` : ''
      const known = shells.get(key)
      if (known) return known
      const session = open(become)
      shells.set(key, session)
      // A shell that did not open, or has ended, is opened anew when it is asked for again.
      const forget = (): boolean => shells.delete(key)
      session.then(shell => shell.ended.then(forget), forget).catch(forget)
      return session
    },
    usage: () => totalUsage(opened),
    async close() {
      await Promise.all(opened.map(session => session.close()))
    },
  }
}

/** Returns the sum of what several sessions sent and received. */
export function totalUsage(sessions: readonly ShellSession[]): Usage {
  const total = { frames: 0, bytesSent: 0, bytesReceived: 0 }
  for (const session of sessions) {
    const { frames, bytesSent, bytesReceived } = session.usage()
    total.frames += frames
    total.bytesSent += bytesSent
    total.bytesReceived += bytesReceived
  }
  return total
}

/** A child of the shell may keep a stream open after the shell has ended; nobody waits for it longer than this. */
const LINGER_MS = 200
/** How long a shell has for ending by itself once its streams are closed. */
const GRACE_MS = 200

/** Starts a command line under a shell of this machine. */
export async function spawnWire(host: string, command: string, loginShell: string): Promise<Wire> {
  // Loaded late, because most runs never touch the local machine.
  const { $ } = await import('zx/core')
  const run = $({
    shell: loginShell,
    quote: asItIs,
    prefix: '',
    postfix: '',
    quiet: true,
    nothrow: true,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    store: { stdout: forgetful(), stderr: forgetful(), stdall: forgetful() },
  })
  const child = run`${command}`.child
  if (!child?.stdin || !child.stdout || !child.stderr) {
    throw new ConnectError(host, 'channel', `\`${loginShell}\` cannot be started`)
  }
  const { pid, stdin, stdout, stderr } = child
  let ending: NodeJS.Timeout | undefined
  const closed = new Promise<WireEnd>(resolve => {
    child.once('error', resolve)
    child.once('close', (code, signal) => resolve({ code, signal }))
    child.once('exit', () => {
      clearTimeout(ending)
      setTimeout(hangUp, LINGER_MS)
    })
  })
  function hangUp(): void {
    stdin?.destroy()
    stdout?.destroy()
    stderr?.destroy()
  }
  function close(): void {
    hangUp()
    if (pid === undefined || child?.exitCode !== null || child.signalCode !== null) return
    // An idle shell ends and tidies up when its stdin does; the signal is for what a busy one is waiting for.
    ending ??= setTimeout(() => terminate(pid), GRACE_MS)
  }
  return { stdin, stdout, stderr, closed, close }
}

function terminate(group: number): void {
  try {
    process.kill(-group, 'SIGTERM')
  } catch {
    // Already gone, or running as another user: then the end of its stdin ends it.
  }
}

function asItIs(text: string): string {
  return text
}

/** Stands where zx collects output; what a shell prints over a whole run would fill the memory. */
function forgetful(): Buffer[] {
  return new Proxy<Buffer[]>([], { get: (list, key) => (key === 'push' ? () => 0 : Reflect.get(list, key)) })
}
