import { writeSync } from 'node:fs'
import { Secret } from '../base/secret.ts'
import { startWorker } from '../secrets/await-worker.ts'
import { Interrupted } from './interrupt.ts'

/** What the worker gives where there is nobody to ask, or the person presses Ctrl-C. */
export type Typed = { readonly text: string } | 'nobody' | 'interrupted'

/**
 * Asks at the terminal of the process in the middle of reading a project, and shows nothing of the answer.
 *
 * @returns The answer, or undefined where there is no terminal.
 * @throws Interrupted where the person presses Ctrl-C.
 */
export function askNow(prompt: string): Secret | undefined {
  if (!process.stderr.isTTY) return undefined
  writeSync(2, prompt)
  const typed = startWorker(new URL('./ask-worker.ts', import.meta.url))({}) as Typed
  writeSync(2, '\n')
  if (typed === 'nobody') return undefined
  if (typed === 'interrupted') throw new Interrupted('interrupted at a password')
  return new Secret(typed.text)
}
