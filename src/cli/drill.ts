import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { UsageError } from '../base/error.ts'
import { didYouMean } from '../base/nearest.ts'
import { keepDrill } from '../history/drills.ts'
import { playDrill, type Applied } from '../lab/drill.ts'
import { SCENARIOS } from '../lab/scenarios.ts'
import { hostOf, loginKey, readLab, type LabHost, type OpenLab } from '../lab/state.ts'
import { makeConnect } from '../transport/connect.ts'
import type { Connection, Session } from '../transport/session.ts'
import { EXIT } from './exit.ts'
import type { DrillFlags } from './options.ts'
import { interruptible } from './interrupt.ts'
import { LAB_CACHE } from './lab.ts'
import { runSelf } from './own-process.ts'
import { HISTORY } from './record.ts'

/** A drill that could not be carried out says nothing about the host. */
const STATUS = { passed: EXIT.done, failed: EXIT.failed, inconclusive: EXIT.unreachable } as const

/** Returns 0 where the drill passed, 1 where it failed, 3 where it could not be carried out; the record is kept in history. */
export async function drill(name: string, flags: DrillFlags): Promise<number> {
  const scenario = SCENARIOS.get(name)
  if (!scenario) {
    const hint = didYouMean(name, SCENARIOS.keys()) ?? 'run `msingi drill` to list them'
    throw new UsageError('BAD_ARGUMENT', `there is no drill \`${name}\``, hint)
  }
  const lab = labOf(flags.inventory)
  const host = chosenHost(lab, flags.limit)
  const { signal, release } = interruptible(say)
  const shells = loginsTo(lab, host, signal)
  try {
    const record = await playDrill(scenario, settings(flags.set), {
      lab,
      host,
      signal,
      cache: LAB_CACHE,
      say,
      login: shells.login,
      apply: (playbook, onPrinted) => apply(playbook, flags.inventory, host.name, onPrinted),
    })
    keepDrill(HISTORY, record)
    if (flags.output === 'json') process.stdout.write(`${JSON.stringify(record)}\n`)
    else process.stdout.write(`${record.verdict}: ${record.reason}\n`)
    if (signal.aborted) return EXIT.interrupted
    return STATUS[record.verdict]
  } finally {
    await shells.close()
    release()
  }
}

/** Lists the drills with their options. */
export function listDrills(): number {
  for (const { name, summary, options } of SCENARIOS.values()) {
    process.stdout.write(`${name}\t${summary}\n`)
    for (const [option, { value, meaning }] of Object.entries(options)) {
      process.stdout.write(`${name}\t  --set ${option}=…\t${meaning} (${value})\n`)
    }
  }
  return EXIT.done
}

/**
 * Returns the lab whose inventory this is. What is broken is found through the lab's own state: a line in an inventory
 * cannot make a real host one that may be broken.
 */
function labOf(inventory: string): OpenLab {
  const folder = resolve(dirname(inventory))
  if (resolve(inventory) === join(folder, 'inventory.yml')) return readLab(folder)
  throw new UsageError(
    'NO_INVENTORY',
    `\`-i ${inventory}\` is not the inventory of a lab: drills break hosts on purpose`,
    'make a lab with `msingi lab up` and give lab/NAME/inventory.yml',
  )
}

function chosenHost(lab: OpenLab, limit: string | undefined): LabHost {
  if (limit !== undefined) return hostOf(lab, limit)
  const [only, more] = lab.hosts
  if (only && !more) return only
  throw new UsageError('NO_MATCH', 'which host is to be broken?', 'name one with --limit')
}

function settings(given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map(entry => {
      const at = entry.indexOf('=')
      if (at > 0) return [entry.slice(0, at), entry.slice(at + 1)]
      throw new UsageError('BAD_OPTION', `\`--set ${entry}\`, expected option=value`)
    }),
  )
}

/** Logins are always new: a drill asks whether one is possible now. */
function loginsTo(
  lab: OpenLab,
  host: LabHost,
  signal: AbortSignal,
): { readonly login: () => Promise<Session>; readonly close: () => Promise<void> } {
  const open: Connection[] = []
  const { address, port, user, hostKey } = host
  const reach = { connection: 'ssh', host: address, port, user, jump: undefined } as const
  const connect = makeConnect({
    hosts: () => ({ ...reach, keys: [loginKey(lab)], hostKeys: [hostKey] }),
    projectKnownHosts: [],
    userConfig: 'none',
    flags: { connectTimeout: LOGIN_SECONDS },
    env: process.env,
  })
  return {
    async login() {
      const connection = await connect(host.name, signal)
      open.push(connection)
      return connection.shell({ user: 'root', method: 'sudo' })
    },
    async close() {
      await Promise.allSettled(open.map(connection => connection.close()))
    },
  }
}

/** An emulated machine takes its time. */
const LOGIN_SECONDS = 30

/** Runs the playbook in a process of its own, as a person would: what a drill does to it, it does to that process. */
async function apply(
  playbook: string,
  inventory: string,
  host: string,
  onPrinted: ((task: string) => void) | undefined,
): Promise<Applied> {
  const folder = mkdtempSync(join(tmpdir(), 'msingi-drill-'))
  const file = join(folder, 'drill.yml')
  writeFileSync(file, playbook)
  const tasks: string[] = []
  try {
    const words = ['apply', file, '-i', inventory, '-l', host, '--yes']
    const { exit, stderr } = await runSelf(words, event => {
      if (event.type === 'task_output') onPrinted?.(event.task)
      if (event.type === 'task_done' || event.type === 'handler_done')
        tasks.push(`${event.task}: ${event.status}`)
    })
    return { exit, tasks, stderr }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
