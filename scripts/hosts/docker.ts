import { spawn } from 'node:child_process'
import { mkdirSync, openSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { $ } from 'zx'
import { ensurePrograms, FOR_HOSTS } from './programs.ts'

/** The project's folder. */
export const ROOT = resolve(import.meta.dirname, '../..')

/** Where images' recipes, keys and logs of throw-away hosts are kept; not part of the project's history. */
export const STATE = join(ROOT, '.msingi', 'hosts')

/**
 * Makes sure that a Docker daemon answers: installs what is missing where this machine allows it, starts a daemon where
 * none runs. Returns a function that stops the daemon again, if it was started here.
 *
 * @throws Error that says what to install where it cannot be done from here.
 */
export async function ensureDocker(say: (text: string) => void): Promise<() => Promise<void>> {
  await ensurePrograms(FOR_HOSTS, say)
  if (await answers()) return async () => {}
  if (process.getuid?.() !== 0) {
    throw new Error('no Docker daemon answers: start it, or add yourself to the group `docker`')
  }
  return startDaemon(say)
}

async function answers(): Promise<boolean> {
  return (await $({ nothrow: true, quiet: true })`docker info`).exitCode === 0
}

async function startDaemon(say: (text: string) => void): Promise<() => Promise<void>> {
  say('starting the Docker daemon')
  mkdirSync(STATE, { recursive: true })
  const log = join(STATE, 'dockerd.log')
  const out = openSync(log, 'a')
  const daemon = spawn('dockerd', [], { detached: true, stdio: ['ignore', out, out] })
  let hasEnded = false
  daemon.once('error', () => (hasEnded = true))
  daemon.once('exit', () => (hasEnded = true))
  daemon.unref()
  for (let tries = 0; tries < 120; tries += 1) {
    if (await answers()) return () => stopDaemon(daemon.pid)
    if (hasEnded) break
    await sleep(500)
  }
  throw new Error(`the Docker daemon did not start: see ${log}`)
}

async function stopDaemon(pid: number | undefined): Promise<void> {
  if (pid === undefined) return
  process.kill(pid, 'SIGTERM')
  for (let tries = 0; tries < 60 && isAlive(pid); tries += 1) await sleep(250)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
