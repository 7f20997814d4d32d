import type { Client, ClientChannel } from 'ssh2'
import { ConnectError } from '../base/error.ts'
import type { Link } from './login.ts'
import type { SshTarget } from './target.ts'
import type { OpenWire, Wire, WireEnd } from './wire.ts'

/** Opens exec channels to one host, over further connections where sshd allows too few on one (`MaxSessions`). */
export interface Channels {
  readonly open: OpenWire
  readonly sent: () => number
  readonly received: () => number
  readonly close: () => Promise<void>
}

/** Takes an open link and, for when it is full, the way to open another one. */
export function makeChannels(target: SshTarget, first: Link, openAnother: () => Promise<Link>): Channels {
  const links: Link[] = [first]
  const full = new Set<Link>()

  async function open(command: string): Promise<Wire> {
    for (const link of links.filter(one => one.isOpen() && !full.has(one))) {
      const wire = await openChannel(link, target, command)
      if (wire !== 'refused') return wire
      full.add(link)
    }
    if (!links.some(link => link.isOpen())) throw lost(target)
    const another = await openAnother()
    links.push(another)
    const wire = await openChannel(another, target, command)
    if (wire === 'refused') throw noChannel(target)
    return wire
  }

  return {
    open,
    sent: () => links.reduce((sum, link) => sum + link.sent(), 0),
    received: () => links.reduce((sum, link) => sum + link.received(), 0),
    close: async () => {
      await Promise.all(links.map(link => link.close()))
    },
  }
}

/** sshd answers at once, unless PAM on the host hangs. */
const DEADLINES = 3

function openChannel(link: Link, target: SshTarget, command: string): Promise<Wire | 'refused'> {
  return new Promise((resolve, reject) => {
    const seconds = (target.connectTimeoutMs * DEADLINES) / 1000
    let late = false
    const timer = setTimeout(() => {
      late = true
      reject(new ConnectError(target.name, 'channel', `the host did not start a shell in ${seconds} s`))
    }, seconds * 1000)
    void link.closed.then(() => {
      clearTimeout(timer)
      reject(lost(target))
    })
    exec(link.client, command, (error, channel) => {
      clearTimeout(timer)
      if (late) channel?.close()
      else if (channel) resolve(wireOf(channel, link))
      else if (error?.reason === undefined) reject(execRefused(target, error))
      else resolve('refused')
    })
  })
}

/** How long the host has for agreeing that a channel is closed; one that stands still never does. */
const FAREWELL_MS = 300

/** With a reason where it was the channel that was refused, not the command in it. */
type Refusal = Error & { reason?: unknown }

/** ssh2 throws where the connection is gone, and calls back in all other cases. */
function exec(
  client: Client,
  command: string,
  done: (error: Refusal | undefined, channel: ClientChannel | undefined) => void,
): void {
  try {
    client.exec(command, (error: Refusal | undefined, channel: ClientChannel) =>
      done(error, error ? undefined : channel),
    )
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)), undefined)
  }
}

function wireOf(channel: ClientChannel, link: Link): Wire {
  let end: WireEnd | undefined
  let timer: NodeJS.Timeout | undefined
  let giveUp: () => void = () => undefined
  channel.on('exit', (code: number | null, signal?: string) => (end = { code, signal: signal ?? null }))
  channel.on('error', (error: Error) => (end ??= error))
  const closed = new Promise<WireEnd>(resolve => {
    const finish = (reason?: Error): void => {
      giveUp = (): void => undefined
      clearTimeout(timer)
      resolve(end ?? reason ?? new Error('the connection was closed'))
    }
    giveUp = (): void => {
      timer ??= setTimeout(finish, FAREWELL_MS)
    }
    channel.once('close', () => finish())
    void link.closed.then(finish)
  })
  const close = (): void => {
    channel.destroy()
    giveUp()
  }
  return { stdin: channel.stdin, stdout: channel, stderr: channel.stderr, closed, close }
}

function noChannel(target: SshTarget): ConnectError {
  return new ConnectError(target.name, 'channel', 'the host opens no session', {
    hint: 'Set `MaxSessions` in sshd_config to at least 1.',
  })
}

function execRefused(target: SshTarget, cause: Error | undefined): ConnectError {
  return new ConnectError(
    target.name,
    'channel',
    `the host runs no command for \`${target.user}\` (${cause?.message ?? 'refused'})`,
    { hint: 'Check `ForceCommand`, `PermitTTY` and the login shell of this user.', cause },
  )
}

function lost(target: SshTarget): ConnectError {
  return new ConnectError(target.name, 'lost', 'the connection is lost')
}
