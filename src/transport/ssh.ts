import type { Secret } from '../base/secret.ts'
import { makeChannels } from './channels.ts'
import { openLink, type SshShared } from './route.ts'
import type { Become, Connection, Session, Usage } from './session.ts'
import { openShell, type ShellSession } from './shell-session.ts'
import type { SshTarget } from './target.ts'

/** A shell waits for PAM and sudo on the host; this many connect deadlines are enough. */
const DEADLINES = 3

export interface SshOptions {
  readonly shared: SshShared
  readonly becomePassword: Secret | undefined
  /** Ends the login; what is opened later ends with `close`. */
  readonly signal: AbortSignal
}

/**
 * Logs in to a host. Its shells are opened when they are first asked for, each over a channel of its own; where sshd
 * allows no second channel (`MaxSessions 1`), over a further connection.
 *
 * @throws ConnectError with the stage that failed: `dns`, `tcp`, `hostkey` or `auth`.
 */
export async function connectSsh(target: SshTarget, options: SshOptions): Promise<Connection> {
  const { shared, becomePassword, signal } = options
  const closing = new AbortController()
  const link = await openLink(target, shared, signal)
  const channels = makeChannels(target, link, () => openLink(target, shared, closing.signal))
  const shells = new Map<string, Promise<ShellSession>>()
  const opened: ShellSession[] = []

  async function start(become: Become | undefined): Promise<ShellSession> {
    const shell = await openShell(channels.open, {
      host: target.name,
      login: { user: target.user, key: link.key },
      become,
      password: becomePassword,
      deadlineMs: target.connectTimeoutMs * DEADLINES,
      signal: closing.signal,
      patienceMs: target.patienceMs,
      uploadChunk: target.uploadChunk,
    })
    opened.push(shell)
    return shell
  }

  return {
    host: target.name,
    shell: become => shellOf(shells, become, start),
    usage: () => usageOf(opened, channels),
    close: async () => {
      closing.abort(new Error('the connection was closed'))
      await Promise.allSettled(opened.map(shell => shell.close()))
      await channels.close()
    },
  }
}

/** A shell that has ended, or did not open, is opened anew when it is asked for again. */
function shellOf(
  shells: Map<string, Promise<ShellSession>>,
  become: Become | undefined,
  start: (become: Become | undefined) => Promise<ShellSession>,
): Promise<Session> {
  const key = become === undefined ? '' : `${become.method} ${become.user}`
  const found = shells.get(key)
  if (found) return found
  const shell = start(become)
  const forget = (): void => {
    if (shells.get(key) === shell) shells.delete(key)
  }
  shells.set(key, shell)
  shell.then(session => session.ended.then(forget), forget).catch(forget)
  return shell
}

function usageOf(
  shells: readonly ShellSession[],
  channels: { sent: () => number; received: () => number },
): Usage {
  return {
    frames: shells.reduce((sum, shell) => sum + shell.usage().frames, 0),
    bytesSent: channels.sent(),
    bytesReceived: channels.received(),
  }
}
