import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { afterAll as onTestsEnd } from 'vitest'
import { HOST_PATH } from '../../src/shell/frame.ts'
import { spawnWire } from '../../src/transport/local.ts'
import { openShell, type ShellOptions, type ShellSession } from '../../src/transport/shell-session.ts'
import type { OpenWire, Wire } from '../../src/transport/wire.ts'

/** The shells that stand as /bin/sh on the systems we serve; each must be installed where the tests run. */
export const SHELLS = ['dash', 'bash', 'busybox'] as const
export type ShellName = (typeof SHELLS)[number]

const folder = makeFolder()
const busyboxTools = join(folder, 'busybox')

/** Returns the path of the shell under the name `sh`, because bash behaves otherwise under its own. */
export function interpreter(shell: ShellName): string {
  return join(folder, shell, 'sh')
}

/** Returns the PATH for the shell: with busybox every tool is busybox's own. */
export function toolPath(shell: ShellName): string {
  return shell === 'busybox' ? busyboxTools : HOST_PATH
}

/** Opens local wires on which `/bin/sh` is the shell named, and tools are found by another PATH. */
export function wireTo(shell: ShellName, path = toolPath(shell)): OpenWire {
  return async command => {
    const line = command.replaceAll('/bin/sh', interpreter(shell)).replaceAll(HOST_PATH, path)
    return withPath(await spawnWire('here', line, '/bin/sh'), path)
  }
}

/** Opens a session in which `/bin/sh` is the shell named. */
export function openIn(shell: ShellName, options: Partial<ShellOptions> = {}): Promise<ShellSession> {
  return openShell(wireTo(shell), { host: 'here', deadlineMs: 5000, ...options })
}

/** Rewrites the PATH that the bootstrap sets, and its byte count. */
function withPath(wire: Wire, path: string): Wire {
  if (path === HOST_PATH) return wire
  let first = true
  const stdin = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (!first) return done(null, chunk)
      first = false
      const text = chunk.toString()
      const script = text.slice(text.indexOf('\n') + 1).replace(HOST_PATH, path)
      done(null, `${Buffer.byteLength(script)}\n${script}`)
    },
  })
  wire.stdin.on('error', () => undefined)
  stdin.pipe(wire.stdin)
  return { ...wire, stdin }
}

function makeFolder(): string {
  const made = mkdtempSync(join(tmpdir(), 'msingi-shells-'))
  for (const shell of SHELLS) mkdirSync(join(made, shell))
  symlinkSync('/bin/dash', join(made, 'dash/sh'))
  symlinkSync('/bin/bash', join(made, 'bash/sh'))
  execFileSync('/bin/busybox', ['--install', '-s', join(made, 'busybox')])
  onTestsEnd(() => rmSync(made, { recursive: true, force: true }))
  return made
}
