import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { Secret } from '../../src/base/secret.ts'
import type { Change, Completed, Registered } from '../../src/base/result.ts'
import type { Action, AnyModule, Content, Download } from '../../src/modules/module.ts'
import type { Probes } from '../../src/probes/probe.ts'
import { lines, sh, type Sh } from '../../src/shell/sh.ts'
import { writeScript } from '../../src/shell/write.ts'

/** A shell of this machine, and where it finds its programs. */
export interface Shell {
  readonly name: string
  readonly command: string
  readonly path: string
}

/** Returns the shells of this machine; BusyBox finds its own programs only, which it puts into the folder. */
export function localShells(applets: string): readonly Shell[] {
  const path = process.env['PATH'] ?? '/usr/bin:/bin'
  const shells: Shell[] = [{ name: 'sh', command: 'sh', path }]
  const installed = spawnSync('busybox', ['--install', '-s', applets])
  if (installed.status === 0) {
    shells.push({ name: 'busybox', command: join(applets, 'sh'), path: applets })
  }
  return shells
}

/** Returns a new folder, in memory where that can be had: every write is synced. */
export function temporaryFolder(): string {
  return mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'msingi-'))
}

/** What became of one task: what differed before, and what was still different after. */
export interface Done {
  readonly found: readonly Change[]
  readonly left: readonly Change[]
  readonly result: Registered
}

/** Runs a task for real on this machine: asks, compares, acts, asks again. */
export function runTask(module: AnyModule, written: unknown, shell: Shell): Done {
  const params: unknown = module.params.parse(written)
  const { username: user, uid } = userInfo()
  const probes = module.probe(params, { name: 'here', user, uid }) as Probes
  const before = ask(probes, shell)
  const found = module.diff(params, before) as readonly Change[]
  if (found.length === 0) return { found, left: [], result: module.result?.(params, before, found) ?? {} }
  perform(module.apply(found, params, before), shell)
  const after = ask(probes, shell)
  const left = (module.diff(params, after) as readonly Change[]).filter(
    change => module.verifiable?.(params, [change]) ?? true,
  )
  return { found, left, result: module.result?.(params, after, found) ?? {} }
}

/** Returns the answers of this machine; questions of one family are asked together. */
export function ask(probes: Probes, shell: Shell): Record<string, unknown> {
  const families = Map.groupBy(Object.entries(probes), ([, { family }]) => family)
  return Object.fromEntries(
    [...families].flatMap(([family, asked]) => {
      const args = asked.map(([, { arg }]) => arg)
      const values = family.parse(execute(family.script(args), shell), args)
      return asked.map(([name], index) => [name, values[index]])
    }),
  )
}

/** Runs a script and returns its answer as a session would. */
export function execute(script: Sh, { command, path }: Shell): Completed {
  const { status, stdout, stderr } = spawnSync(command, ['-c', script.text], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: path, LC_ALL: 'C' },
  })
  const text = stdout.toString('utf8')
  const isUtf8 = Buffer.from(text, 'utf8').equals(stdout)
  return {
    code: status ?? 255,
    out: isUtf8 ? text : stdout.toString('latin1'),
    err: stderr.toString('utf8'),
    encoding: isUtf8 ? 'utf8' : 'latin1',
    ms: 1,
  }
}

function perform(actions: readonly Action[], shell: Shell): void {
  for (const action of actions) {
    const { code, err } = execute(scriptOf(action), shell)
    if (code !== 0) throw new Error(`status ${code}: ${err}`)
  }
}

function scriptOf(action: Action): Sh {
  if (action.do === 'keep' || action.do === 'reboot') return sh`true`
  if (action.do === 'run') {
    const stdin = action.stdin instanceof Secret ? action.stdin.reveal() : action.stdin
    const script = lines(sh`set -u`, action.script)
    return stdin === undefined ? script : sh`printf %s ${stdin} | (\n${script}\n)`
  }
  const { path, follow, mode, owner, group, validate, content } = action
  return writeScript({ path, follow, mode, owner, group, validate, content: plainContent(content) })
}

function plainContent(content: Content | Download): string | Uint8Array {
  if (content instanceof Secret) return content.reveal()
  if (typeof content === 'object' && 'url' in content) throw new Error('nothing is downloaded here')
  return typeof content === 'object' && 'sha256' in content ? content.content() : content
}
