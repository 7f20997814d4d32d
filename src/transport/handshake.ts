import { ConnectError } from '../base/error.ts'
import type { Secret } from '../base/secret.ts'
import { refusal, type Opening } from '../shell/become.ts'
import type { Hello } from '../shell/frame-reader.ts'
import { describeEnd, type Conversation } from './conversation.ts'
import type { Become } from './session.ts'
import type { Wire } from './wire.ts'

export interface Handshake {
  readonly opening: Opening
  readonly bootstrap: string
  readonly become?: Become | undefined
  readonly password?: Secret | undefined
  readonly deadlineMs: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Brings a fresh wire to the point where frames can be sent: answers a prompt for a password, sends the bootstrap, waits for its
 * greeting. Neither is sent before the far end has shown that it waits for just that.
 *
 * @throws ConnectError with stage `become`, `shell` or `protocol`.
 */
export async function greet(talk: Conversation, wire: Wire, handshake: Handshake): Promise<Hello> {
  const { opening, become, deadlineMs, signal } = handshake
  signal?.throwIfAborted()
  const dialogue = new Dialogue(talk, handshake)
  const stage = become ? 'become' : 'shell'
  return new Promise<Hello>((resolve, reject) => {
    const fail = (error: unknown): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      reject(error instanceof Error ? error : new Error(String(error)))
      wire.close()
    }
    const onAbort = (): void => fail(signal?.reason)
    const timer = setTimeout(() => {
      fail(
        new ConnectError(talk.host, stage, `no shell within ${deadlineMs / 1000} s${dialogue.lastWords()}`),
      )
    }, deadlineMs)
    signal?.addEventListener('abort', onAbort, { once: true })
    talk.listen(
      hello => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        resolve(hello)
      },
      () => {
        const refused = dialogue.hear()
        if (refused) fail(refused)
      },
    )
    void wire.closed.then(end => {
      fail(talk.breach ?? dialogue.ended(`${describeEnd(end)} before it answered`, stage))
    })
    if (opening.ready === undefined) talk.write(handshake.bootstrap)
  })
}

/** Returns what was printed before the greeting and is nobody's prompt, one entry a stream. */
export function noiseBefore(talk: Conversation, { ready, prompt }: Opening): readonly string[] {
  return (['stdout', 'stderr'] as const)
    .map(stream => {
      let text = talk.noise(stream)
      if (ready !== undefined) text = text.replace(`${ready}\n`, '').replace(ready, '')
      if (prompt) text = text.replaceAll(prompt, '')
      return text.trim()
    })
    .filter(text => text !== '')
    .map(text => `the login shell printed before the handshake: ${shorten(text)}`)
}

/** What has been said so far, and what is said in reply. */
class Dialogue {
  readonly #talk: Conversation
  readonly #handshake: Handshake
  #passwordsSent = 0
  #bootstrapSent: boolean

  constructor(talk: Conversation, handshake: Handshake) {
    this.#talk = talk
    this.#handshake = handshake
    this.#bootstrapSent = handshake.opening.ready === undefined
  }

  /** Replies to what has been printed; returns an error where going on makes no sense. */
  hear(): ConnectError | undefined {
    const { opening, bootstrap } = this.#handshake
    if (this.#bootstrapSent || opening.ready === undefined) return undefined
    if (this.#talk.noise('stdout').includes(opening.ready)) {
      this.#bootstrapSent = true
      this.#talk.write(bootstrap)
      return undefined
    }
    return this.#prompts() > this.#passwordsSent ? this.#sendPassword() : undefined
  }

  /** Returns the error for a wire that ended before the greeting. */
  ended(message: string, stage: 'become' | 'shell'): ConnectError {
    const { become } = this.#handshake
    const said = become && refusal(become, noiseBefore(this.#talk, this.#handshake.opening).join('\n'))
    if (said) {
      return new ConnectError(
        this.#talk.host,
        stage,
        said.message,
        said.hint === undefined ? {} : { hint: said.hint },
      )
    }
    return new ConnectError(this.#talk.host, stage, `${message}${this.lastWords()}`)
  }

  lastWords(): string {
    const text = noiseBefore(this.#talk, this.#handshake.opening).join('; ')
    return text === '' ? '' : `; ${text}`
  }

  #sendPassword(): ConnectError | undefined {
    const { password, become } = this.#handshake
    const host = this.#talk.host
    const method = become?.method ?? 'sudo'
    if (!password) {
      const hint = 'give the password with `-K`'
      return new ConnectError(host, 'become', `${method} asks for a password and none was given`, { hint })
    }
    if (this.#passwordsSent > 0) {
      const hint = 'check the password given with `-K`'
      return new ConnectError(host, 'become', `${method} refused the password`, { hint })
    }
    this.#passwordsSent += 1
    this.#talk.write(`${password.reveal()}\n`)
    return undefined
  }

  #prompts(): number {
    const { prompt } = this.#handshake.opening
    return prompt ? [...this.#all().matchAll(prompt)].length : 0
  }

  #all(): string {
    return `${this.#talk.noise('stderr')}\n${this.#talk.noise('stdout')}`
  }
}

function shorten(text: string): string {
  return text.length > 400 ? `${text.slice(0, 400)}…` : text
}
