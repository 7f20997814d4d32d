import { randomBytes } from 'node:crypto'
import { ConnectError, TaskError } from '../base/error.ts'
import type { Completed } from '../base/result.ts'
import type { Secret } from '../base/secret.ts'
import { opening } from '../shell/become.ts'
import { bootstrap, dataLine, frame } from '../shell/frame.ts'
import { sh } from '../shell/sh.ts'
import { greet, noiseBefore } from './handshake.ts'
import { countdown, Conversation } from './conversation.ts'
import type { Become, FrameOptions, LoggedIn, Part, Session, Usage } from './session.ts'
import type { OpenWire, Wire } from './wire.ts'

/** A session over one wire; connections add up the usage of theirs. */
export interface ShellSession extends Session {
  readonly usage: () => Usage
  /** Resolves when the session has ended, by whatever cause. */
  readonly ended: Promise<void>
}

export interface ShellOptions {
  readonly host: string
  readonly login?: LoggedIn | undefined
  /** Undefined for the login user. */
  readonly become?: Become | undefined
  /** Reaches the host only after a prompt for it. */
  readonly password?: Secret | undefined
  /** Milliseconds from opening the wire to the greeting; 30 s where not given, since PAM on the host may be slow. */
  readonly deadlineMs?: number
  readonly signal?: AbortSignal | undefined
  /** Added to the deadline of every frame; 0 where not given. */
  readonly patienceMs?: number | undefined
  /** Bytes of an upload between two answers; 1 MiB where not given. */
  readonly uploadChunk?: number | undefined
}

const GREETING_MS = 30_000

/** Bytes of an upload between two answers: enough to fill a slow line, little enough for the host's memory. */
const CHUNK = 1024 * 1024

/**
 * Opens a shell on the host. `open` is called once with the command line to run there.
 *
 * @throws ConnectError with stage `become` where escalation is refused, else `shell` where no shell answers; and what `open` throws.
 */
export async function openShell(open: OpenWire, options: ShellOptions): Promise<ShellSession> {
  const { host, become, password, deadlineMs = GREETING_MS, signal } = options
  if (become && !USER_NAME.test(become.user)) {
    throw new ConnectError(host, 'become', `\`${become.user}\` is not a user name`)
  }
  const marker = randomBytes(16).toString('hex')
  const how = opening(become, password !== undefined, randomBytes(8).toString('hex'))
  const left = countdown(deadlineMs)
  const wire: Wire = await open(how.command)
  const talk = new Conversation(host, wire, marker)
  const hello = await greet(talk, wire, {
    opening: how,
    bootstrap: bootstrap(marker, randomBytes(12).toString('hex')),
    become,
    password,
    deadlineMs: left(),
    signal,
  })
  return sessionOver(talk, options, {
    user: hello.user,
    uid: hello.uid,
    login: options.login,
    scratch: hello.scratch ?? '',
    warnings: noiseBefore(talk, how),
  })
}

/** What useradd accepts, and domain users; nothing that a shell or an option parser could take for more. */
const USER_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.@\\+-]*\$?$/

type Who = Pick<Session, 'user' | 'uid' | 'login' | 'scratch' | 'warnings'>

function sessionOver(
  talk: Conversation,
  { patienceMs = 0, uploadChunk = CHUNK }: ShellOptions,
  who: Who,
): ShellSession {
  const patient = (options: FrameOptions): FrameOptions => ({
    ...options,
    deadlineMs: options.deadlineMs + patienceMs,
  })
  let queue: Promise<unknown> = Promise.resolve()
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = queue.then(work)
    queue = result.catch(() => undefined)
    return result
  }
  let uploads = 0
  return {
    host: talk.host,
    ...who,
    async exchange(parts, options) {
      if (parts.length === 0) return []
      return inTurn(() => ask(talk, parts, patient(options)))
    },
    async upload(content, options) {
      if (who.scratch === '') {
        throw new TaskError('NO_SCRATCH', 'the host has no directory for private files', 'free space in /run')
      }
      uploads += 1
      const path = `${who.scratch}/upload-${uploads}`
      await inTurn(() => send(talk, path, content, { ...patient(options), chunk: uploadChunk }))
      return path
    },
    usage: () => talk.usage(),
    ended: talk.ended,
    close: () => talk.close(),
  }
}

function ask(
  talk: Conversation,
  parts: readonly Part[],
  options: FrameOptions,
): Promise<readonly Completed[]> {
  return talk.request(parts, seq => [frame(seq, parts)], options)
}

/** Adds bytes to the file chunk by chunk; the host answers each with the size of the file. */
async function send(
  talk: Conversation,
  path: string,
  content: Uint8Array,
  { chunk: size, ...options }: FrameOptions & { readonly chunk: number },
): Promise<void> {
  const left = countdown(options.deadlineMs)
  if (content.length === 0) {
    check(await ask(talk, [{ script: sh`: >${path} && wc -c <${path}` }], options), 0)
  }
  for (let start = 0; start < content.length; start += size) {
    const chunk = content.subarray(start, start + size)
    const request = { ...options, deadlineMs: left() }
    const answers = await talk.request([{}], seq => [dataLine(seq, chunk.length, path), chunk], request)
    check(answers, start + chunk.length)
  }
}

function check([answer]: readonly Completed[], size: number): void {
  if (answer?.code === 0 && Number(answer.out) === size) return
  const full = answer?.err.includes('No space left') === true
  const said = answer?.err.trim() ?? ''
  throw new TaskError(
    full ? 'NO_SPACE' : 'UPLOAD_FAILED',
    `the host could not keep an uploaded file: ${said === '' ? `it has \`${answer?.out.trim() ?? ''}\` of ${size} bytes` : said}`,
    full ? 'free space in the directory for private files, usually /run' : undefined,
  )
}
