import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { LabError } from './error.ts'

interface Door {
  readonly address: string
  readonly port: number
}

interface Patience {
  readonly seconds: number
  readonly signal?: AbortSignal | undefined
  /** Returns why waiting is in vain; undefined where it is not. */
  readonly isHopeless?: () => string | undefined
}

/**
 * Resolves when sshd greets.
 *
 * @throws LabError TOO_SLOW when it does not within the given seconds; PROGRAM_FAILED where it never will.
 */
export async function awaitSshd(door: Door, { seconds, signal, isHopeless }: Patience): Promise<void> {
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) {
    if (await greets(door, 5000)) return
    signal?.throwIfAborted()
    const why = isHopeless?.()
    if (why !== undefined) throw new LabError('PROGRAM_FAILED', why)
    await sleep(250)
  }
  throw new LabError('TOO_SLOW', `no sshd on ${door.address}:${door.port} after ${seconds} s`)
}

/** Tells whether an sshd says hello at this address within the given milliseconds. */
export function greets({ address, port }: Door, deadlineMs: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: address, port })
    const timer = setTimeout(() => end(false), deadlineMs)
    function end(answer: boolean): void {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    socket.once('data', bytes => end(bytes.toString('latin1').startsWith('SSH-2.0')))
    socket.once('error', () => end(false))
    socket.once('close', () => end(false))
  })
}
