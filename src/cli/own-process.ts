import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import type { Event } from '../base/event.ts'
import { EXIT } from './exit.ts'

export interface Ran {
  readonly exit: number
  readonly events: readonly Event[]
  readonly stderr: string
}

/**
 * Runs a command line of this program in a process of its own, as a person would; what happens to the link or to the
 * host happens to that process alone.
 */
export async function runSelf(
  words: readonly string[],
  onEvent: (event: Event) => void = () => undefined,
): Promise<Ran> {
  const program = resolve(import.meta.dirname, '../../bin/msingi.js')
  const child = spawn(process.execPath, [program, ...words, '--output', 'json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number>((settle, reject) => {
    child.once('error', reject)
    child.once('close', code => settle(code ?? EXIT.interrupted))
  })
  const events: Event[] = []
  const errors = text(child.stderr)
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as Event
    events.push(event)
    onEvent(event)
  }
  return { exit: await ended, events, stderr: await errors }
}
