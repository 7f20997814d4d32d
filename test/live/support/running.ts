import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Event } from '../../../src/base/event.ts'
import { ROOT } from '../../support/source-tree.ts'
import type { Ran } from './msingi.ts'

/** A run that goes on while the test does something to it. */
export interface Running {
  /** Resolves when an event comes, or came, for which this holds. */
  readonly when: (holds: (event: Event) => boolean) => Promise<Event>
  readonly kill: (signal: NodeJS.Signals) => void
  readonly ended: Promise<Ran & { readonly ms: number }>
}

/** Starts the command line in a process of its own, with NDJSON on its standard output. */
export function startMsingi(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const started = performance.now()
  const command = [join(ROOT, 'bin/msingi.js'), ...args, '--output', 'json']
  const child = spawn(process.execPath, command, { cwd: ROOT, env: { ...process.env, ...env } })
  const events: Event[] = []
  const waiting = new Set<() => void>()
  let stderr = ''
  child.stderr.on('data', chunk => (stderr += String(chunk)))
  createInterface({ input: child.stdout }).on('line', line => {
    events.push(JSON.parse(line) as Event)
    for (const look of waiting) look()
  })
  const ended = new Promise<Ran & { ms: number }>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', exit => resolve({ exit: exit ?? -1, events, stderr, ms: performance.now() - started }))
  })
  return {
    ended,
    kill: signal => child.kill(signal),
    when: holds =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = events.find(holds)
          if (found === undefined) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        look()
        ended.then(ran => reject(new Error(`it ended without it: ${ran.exit} ${ran.stderr}`)), reject)
      }),
  }
}
